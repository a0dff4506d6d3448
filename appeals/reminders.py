"""The search for what is due: each rung of a deadline's ladder becomes one reminder a person, once.

"It is due" is `Deadline.remind_at`; "somebody is to be told" is a row of `Reminder`; `appeals.delivery` tells them.
"""

import functools
import gc
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils.translation import gettext as _

from appeals import ladder, set_back, wording
from appeals.models import Deadline, Heartbeat, RefusedAddress, Reminder, ReminderRule, Shop
from appeals.models.bulk import insert_rows, update_rows
from appeals.models.deadline import DeadlineQuerySet
from appeals.planning import NewReminder, Plan, free, plan, settled
from appeals.recipients import Roster

logger = logging.getLogger(__name__)
Reason = Reminder.Reason
State = Reminder.State

BATCH = 1000
STANDS_AFTER = timedelta(minutes=5)
# Deadlines that hear of a rule in one statement: their rows are held as long as it takes
ANNOUNCED = 10_000
# The last sweep that this process knows of: while it is recent enough, no page has to ask for a later one
_seen: list[datetime] = []
_SWEEP, _SWEEP_END = "sweep", "sweep_end"
# What a ladder is counted from
_READ = [
    *("kind", "started_at", "due_at", "pauses", "told_until", "remind_at", "opening_hours", "time_zone", "country"),
    *("appeal__topic", "appeal__priority", "appeal__assignee", "appeal__shop"),
]


def sweep(now: datetime) -> int:
    """Makes reminders of all rungs that have fallen due by `now`; returns how many were added.

    Any number of sweeps may run at once: they share the work. An idle sweep is one query.
    """
    is_due, unheard, last = _look(now)
    if last and last > now + STANDS_AFTER:
        set_back.forget_what_is_ahead(now)
        is_due = True
    for rule in unheard:
        _announce(rule, now)
    if not (is_due or unheard):
        return 0
    failed, found = set[int](), 0
    with _collector_at_rest():
        while (added := _sweep_batch(now, failed)) is not None:
            found += added
    return found


def record_sweep(now: datetime, ended: datetime | None = None) -> None:
    """Leaves the time of a sweep that went through, and when it came to its end."""
    for name, at in ((_SWEEP, now), (_SWEEP_END, ended or now)):
        Heartbeat.objects.update_or_create(name=name, defaults={"at": at})


def last_sweep_at() -> datetime | None:
    """When a sweep last went through to its end; None before the first."""
    return Heartbeat.objects.filter(name=_SWEEP).values_list("at", flat=True).first()


def last_sweep_in_a_query() -> models.Subquery:
    """The same, as a part of a query that a page asks anyway."""
    return models.Subquery(Heartbeat.objects.filter(name=_SWEEP).values("at"))


def stand_since(now: datetime, read: Callable[[], datetime | None] = last_sweep_at) -> datetime | None:
    """Since when nobody has looked for late deadlines; None while somebody does, and before the first start.

    `read` is asked for the last sweep only where this process knows of none that is recent enough.
    """
    allowed = max(STANDS_AFTER, 3 * timedelta(seconds=settings.SWEEP_SECONDS))
    if any(seen <= now <= seen + allowed for seen in _seen[:]):
        return None
    last = read()
    if last and now - last > allowed:
        return last
    _seen[:] = [last] if last else []
    return None


def last_sweep_took() -> timedelta | None:
    """How long it was at work; of two sweeps at once it may be the one's beginning and the other's end."""
    at = dict(Heartbeat.objects.filter(name__in=[_SWEEP, _SWEEP_END]).values_list("name", "at"))
    return max(at[_SWEEP_END] - at[_SWEEP], timedelta(0)) if len(at) == 2 else None


@transaction.atomic
def send_again(*, reminder: Reminder, now: datetime) -> Reminder:
    """Has a reminder sent once more, at once, whatever the person's hours; the next sweep's delivery takes it.

    A mark on the address is taken away: it gets another chance. ValidationError when there is nobody to send it to,
    nothing to tell of any more, or the appeal is snoozed: who silenced it is heard, and can end it.
    """
    row = (
        Reminder.objects.select_related("rule", "user", "deadline__appeal__shop")
        .select_for_update(of=("self",))
        .get(pk=reminder.pk)
    )
    if not row.address:
        raise ValidationError(_("There was nobody to tell: assign the appeal, or give the shop a lead."))
    if reason := settled(row):
        raise ValidationError(_("There is nothing to remind of any more: %(reason)s.") % {"reason": reason.label})
    if silence := silent(row, now):
        raise ValidationError(silence)
    RefusedAddress.objects.filter(address=row.address).delete()
    row.state, row.reason, row.detail, row.message_id = State.PENDING, "", "", ""
    row.send_after, row.leased_until, row.sent_at, row.first_tried_at = now, None, None, None
    row.attempts, row.resends = 0, row.resends + 1
    row.save()
    return row


def silent(reminder: Reminder, now: datetime) -> str:
    """Why nothing is sent now: the appeal is snoozed; nothing while it is not."""
    until = reminder.deadline.appeal.snoozed_until
    if until is None or until <= now:
        return ""
    text = _("The appeal is snoozed: nobody is reminded of it until %(moment)s. To send it earlier, end that first.")
    return text % {"moment": wording.moment(until, now)}


def explain(reminder: Reminder) -> str:
    """Why this person is told of this, in a few sentences of the active language."""
    deadline, rule = reminder.deadline, reminder.rule
    parts = [
        _("%(address)s is told as: %(role)s.")
        % {"address": reminder.address or "—", "role": reminder.get_role_display()},
        _("Appeal No. %(number)s, “%(clock)s”, %(until)s.")
        % {
            "number": deadline.appeal_id,
            "clock": deadline.get_kind_display(),
            "until": wording.until(reminder.due_at, reminder.created_at),
        },
        _("Rule: %(rule)s.") % {"rule": rule.when} if rule else _("The rule has been deleted since."),
        _("Reminder %(level)d of the ladder, due %(moment)s.")
        % {"level": reminder.level, "moment": wording.moment(reminder.rung_at, reminder.created_at)},
    ]
    if reminder.reason:
        parts.append(_outcome(reminder))
    if reminder.resends:
        parts.append(_("Somebody asked to have it sent at once."))
    if reminder.user:
        parts += reminder.user.unreadable()
    return " ".join(parts)


def _outcome(reminder: Reminder) -> str:
    """What became of it and why: of one that is superseded the reason says both."""
    reason = str(reminder.get_reason_display())
    if reminder.reason == Reason.LATER_RUNG:
        return _("It was not sent: %(reason)s.") % {"reason": reason}
    return _("It is “%(state)s”: %(reason)s.") % {"state": reminder.get_state_display(), "reason": reason}


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Rows die by their reference counts; looking for cycles in all that is loaded took a third of a sweep."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _due(now: datetime) -> DeadlineQuerySet:
    return Deadline.objects.running().filter(remind_at__lte=now)


def _look(now: datetime) -> tuple[bool, list[ReminderRule], datetime | None]:
    """Whether something is due, the rules that were saved since the last sweep, and when that was; one query."""
    first = _due(now).order_by("remind_at", "id").values("pk")[:1]  # in the order of its index
    looked = ReminderRule.objects.annotate(due=models.Subquery(first), last=last_sweep_in_a_query())
    rules = list(looked.order_by("id"))
    is_due, last = (rules[0].due is not None, rules[0].last) if rules else (first.exists(), None)
    return is_due, [rule for rule in rules if rule.unheard_since], last


def _announce(rule: ReminderRule, now: datetime) -> None:
    """Has the deadlines of a rule that was saved looked at again.

    A rule that changed is no reason to write to people of what lies behind: it speaks from its saving on.
    """
    ladder.wait_for_readers()
    since = min(rule.unheard_since or now, now)
    value = functools.partial(models.Value, output_field=models.DateTimeField())
    ahead = models.Q(remind_at=None) | models.Q(remind_at__gt=since)
    running = Deadline.objects.running().filter(ahead, kind=rule.deadline_kind)
    last = Deadline.objects.aggregate(last=models.Max("pk"))["last"] or 0
    for first in range(1, last + 1, ANNOUNCED):
        running.filter(pk__gte=first, pk__lt=first + ANNOUNCED).update(
            remind_at=Least(Coalesce("remind_at", value(now)), value(now)),
            told_until=Greatest(Coalesce("told_until", value(since)), value(since)),
        )
    ReminderRule.objects.filter(pk=rule.pk, unheard_since=rule.unheard_since).update(unheard_since=None)


@transaction.atomic
def _sweep_batch(now: datetime, failed: set[int]) -> int | None:
    """One batch of due deadlines; None when there are none that no other sweep holds.

    The deadlines are locked, so two sweeps never plan the same one; SQLite has one writer anyway. The rules are read
    when they are: what was decided while this sweep waited or worked on another batch counts.
    """
    deadlines = list(
        _due(now)
        .exclude(pk__in=failed)
        .select_related("appeal")
        .only(*_READ)
        .order_by("remind_at", "id")
        .select_for_update(of=("self",), skip_locked=True, no_key=True)[:BATCH]
    )
    if not deadlines:
        return None
    shops = Shop.objects.only("marketplace").in_bulk({deadline.appeal.shop_id for deadline in deadlines})
    for deadline in deadlines:
        deadline.appeal.shop = shops[deadline.appeal.shop_id]
    rules, roster, known = _rules(), Roster(shops), _known(deadlines)
    plans = [_plan(deadline, rules[deadline.kind], known[deadline.pk], roster, now) for deadline in deadlines]
    failed.update(deadline.pk for deadline, planned in zip(deadlines, plans, strict=True) if planned is None)
    done = [planned for planned in plans if planned]
    _save(done, now)
    moved = {one.pk: {"remind_at": one.remind_at, "told_until": one.told_until} for one in deadlines}
    update_rows(Deadline, moved)
    return sum(len(one.new) for one in done)


def _rules() -> dict[str, list[ReminderRule]]:
    """Those in force, by the kind of deadline that they are for."""
    found: dict[str, list[ReminderRule]] = defaultdict(list)
    for rule in ladder.active_rules():
        found[rule.deadline_kind].append(rule)
    return found


def _known(deadlines: Iterable[Deadline]) -> dict[int, list[Reminder]]:
    """The reminders that there are of each deadline's present due time."""
    due = {deadline.pk: deadline.due_at for deadline in deadlines}
    found: dict[int, list[Reminder]] = defaultdict(list)
    for reminder in Reminder.objects.filter(deadline__in=list(due)):
        if reminder.due_at == due[reminder.deadline_id]:
            found[reminder.deadline_id].append(reminder)
    return found


def _plan(
    deadline: Deadline, rules: Sequence[ReminderRule], known: list[Reminder], roster: Roster, now: datetime
) -> Plan | None:
    """Plans the reminders of one deadline and moves it on; None when they cannot be counted: the next sweep tries."""
    try:
        rungs = ladder.rungs(deadline, rules, roster=roster)
        planned = plan(deadline, ladder.between(rungs, deadline.told_until, now), known, roster, now)
    except (ValueError, ArithmeticError):
        logger.exception("The reminders of deadline %s cannot be counted", deadline.pk)
        return None
    deadline.told_until = now
    deadline.remind_at = next((rung.at for rung in rungs if rung.at > now), None)
    return planned


def _save(plans: Iterable[Plan], now: datetime) -> None:
    new = [reminder for one in plans for reminder in one.new]
    insert_rows(Reminder, NewReminder.__slots__, new)
    for one in plans:
        for reminder in one.revived:
            reminder.save()
    if superseded := [pk for one in plans for pk in one.superseded]:
        _supersede(superseded, now)


def _supersede(pks: Sequence[int], now: datetime) -> None:
    """Those that somebody is sending at this moment are left alone, and not waited for."""
    idle = Reminder.objects.filter(free(now), pk__in=pks, state=State.PENDING)
    locked = idle.select_for_update(skip_locked=True).values_list("pk", flat=True)
    Reminder.objects.filter(pk__in=list(locked)).update(state=State.SUPERSEDED, reason=Reason.LATER_RUNG)
