"""How the clocks of an appeal are said to people, on screens and in mails alike: active language, active time zone."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appeals import deadlines
from appeals.models import Deadline
from marketplaces.amounts import amount_text, tied
from marketplaces.wording import day, moment, near, open_now, span, until, zone
from marketplaces.working_time import Unit

__all__ = [
    "day",
    "late_by",
    "lateness",
    "moment",
    "near",
    "open_now",
    "remaining",
    "span",
    "standing",
    "until",
    "zone",
]

_HOUR = timedelta(hours=1)
# What is due at 24:00 of a day is late from the first instant of the next; that day itself does not count as late
_INSTANT = timedelta(microseconds=1)


def lateness(deadline: Deadline, now: datetime) -> str:
    """By how much it is or was late, in the unit of its promise: "2 working days", "3 h 20 min"."""
    return late_by(deadline, deadline.ended_at or deadline.paused_at or now)


def late_by(deadline: Deadline, end: datetime) -> str:
    """How far `end` lies behind the due time, in the unit of the promise.

    Less than a whole working day, or than a working hour, is said as time on the wall clock.
    """
    unit, whole = Unit(deadline.unit), 0
    if unit.in_days:
        whole = deadline.clock.elapsed_days(deadline.due_at - _INSTANT, end, unit)
    elif unit in (Unit.WORKING_MINUTES, Unit.WORKING_HOURS):
        unit, whole = Unit.WORKING_HOURS, deadline.clock.elapsed(deadline.due_at, end, unit) // _HOUR
    return amount_text(whole, unit) if whole else span(end - deadline.due_at)


def remaining(deadline: Deadline, now: datetime) -> str:
    """What is left of the promise: "3 h of 8 h left", "2 of 3 working days left"."""
    used, total = deadlines.used(deadline, now), deadline.amount
    if isinstance(used, int):
        words = {"left": max(total - used, 0), "total": total}
        if deadline.unit == Unit.WORKING_DAYS:
            text = ngettext("%(left)d of %(total)d working day left", "%(left)d of %(total)d working days left", total)
        else:
            text = ngettext(
                "%(left)d of %(total)d calendar day left", "%(left)d of %(total)d calendar days left", total
            )
        return tied(text % words)
    in_minutes = deadline.unit in (Unit.MINUTES, Unit.WORKING_MINUTES)
    length = timedelta(minutes=total) if in_minutes else total * _HOUR
    # "1 day" would need another case after "of" in Russian, "24 h" does not
    whole = (_("%(count)d min") if in_minutes else _("%(count)d h")) % {"count": total}
    return _("%(left)s of %(total)s left") % {"left": span(max(length - used, timedelta(0))), "total": tied(whole)}


def standing(deadline: Deadline, now: datetime) -> str:
    """One clause on how the clock stands: how much is left, by how much it is late, or how it ended."""
    state = Deadline.State(deadline.state)
    late = deadline.overdue_by(now)
    if state == Deadline.State.RUNNING:
        return _("overdue by %(amount)s") % {"amount": lateness(deadline, now)} if late else remaining(deadline, now)
    if state == Deadline.State.PAUSED:
        rest = _("overdue by %(amount)s") % {"amount": lateness(deadline, now)} if late else remaining(deadline, now)
        return _("stands still while it is our turn; %(rest)s") % {"rest": rest}
    if state == Deadline.State.MISSED:
        return _("late by %(amount)s") % {"amount": lateness(deadline, now)} if late else _("missed")
    return _("in time") if state == Deadline.State.MET else _("no longer counts")
