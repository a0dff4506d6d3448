"""A clock that was set back: what was found while it was ahead is to be found again, each thing at its time."""

from datetime import datetime, timedelta

from django.db import transaction

from appeals.models import Deadline, Reminder

Reason = Reminder.Reason
State = Reminder.State
_INSTANT = timedelta(microseconds=1)


@transaction.atomic
def forget_what_is_ahead(now: datetime) -> None:
    """Takes back reminders from after `now` of which nobody can know, and looks again at their deadlines.

    What was sent, or may have been, stays as it is: nobody is told twice.
    """
    unsent = Reminder.objects.filter(created_at__gt=now, message_id="").exclude(state=State.SENT)
    found = unsent.exclude(reason__in=[Reason.INSTEAD, Reason.REFUSED]).select_for_update()
    rows = list(found.values_list("pk", "deadline", "rung_at").order_by("-rung_at"))
    for pk, at in {deadline: at for _pk, deadline, at in rows}.items():  # the first rung of each
        Deadline.objects.filter(pk=pk).update(told_until=at - _INSTANT, remind_at=at)
    Reminder.objects.filter(pk__in=[pk for pk, *_rest in rows]).delete()
    Deadline.objects.running().filter(told_until__gt=now).update(told_until=now, remind_at=now)
    # Their hours are read again with the claim
    Reminder.objects.filter(state=State.PENDING, send_after__gt=now).update(send_after=now)
