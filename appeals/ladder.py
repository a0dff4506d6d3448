"""When the next reminder of a deadline is due: rules -> rungs. Nothing here writes.

A rung is one rule at one repetition; a deadline's rungs are numbered from 1 in the order in which they fall due.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from appeals.models import Deadline, ReminderRule
from appeals.recipients import Recipient, Roster
from marketplaces.calendars import production_calendar
from marketplaces.opening_hours import OpeningHours
from marketplaces.personal_hours import PersonalHours

Moment = ReminderRule.Moment
Unit = ReminderRule.Unit
Hours = OpeningHours | PersonalHours
_INSTANT = timedelta(microseconds=1)
# How far working hours are looked for
_LOOKED = timedelta(days=90)
# The key of the lock that readers of the rules share; any number that nobody else in the database uses
_READERS = 0x6C6164646572


class Rung(NamedTuple):
    """One rule at one repetition, and the moment when it falls due."""

    rule: ReminderRule
    repetition: int
    at: datetime
    level: int


def active_rules() -> list[ReminderRule]:
    """The rules in force, with the people they name.

    Whoever reads them in a transaction, to write when a deadline is to be told of, is a reader until it ends.
    """
    _lock("pg_advisory_xact_lock_shared")
    return list(ReminderRule.objects.filter(is_active=True).prefetch_related("people").order_by("id"))


@transaction.atomic
def wait_for_readers() -> None:
    """Until everybody who may have read the rules before they changed has written what came of it."""
    _lock("pg_advisory_xact_lock")


def next_rung(
    deadline: Deadline,
    *,
    rules: Sequence[ReminderRule] | None = None,
    after: datetime | None = None,
    roster: Roster | None = None,
) -> datetime | None:
    """When the first rung falls due, or the first one later than `after`; None when there is none (left)."""
    found = rungs(deadline, rules, roster=roster)
    return next((rung.at for rung in found if after is None or rung.at > after), None)


def between(found: Iterable[Rung], after: datetime | None, now: datetime) -> list[Rung]:
    """Those that fell due later than `after` and by `now`."""
    return [rung for rung in found if rung.at <= now and (after is None or rung.at > after)]


def rungs(
    deadline: Deadline, rules: Sequence[ReminderRule] | None = None, *, roster: Roster | None = None
) -> list[Rung]:
    """All rungs of a deadline in the order in which they fall due.

    A moment that lies before the deadline's start ("3 days before" of a term of 2) is no rung.
    """
    fitting = [rule for rule in (active_rules() if rules is None else rules) if fits(rule, deadline)]
    found: list[tuple[datetime, int, int, ReminderRule]] = []
    for rule in fitting:
        hours: list[Hours] = []
        if _in_working_hours(rule):
            roster = roster or Roster([deadline.appeal.shop_id])
            hours = _hours(deadline, rule, roster)
        for repetition, at in enumerate(_moments(deadline, rule, hours)):
            if at > deadline.started_at:
                found.append((at, rule.pk, repetition, rule))
    found.sort(key=itemgetter(0, 1, 2))
    return [Rung(rule, repetition, at, level) for level, (at, _pk, repetition, rule) in enumerate(found, start=1)]


def fits(rule: ReminderRule, deadline: Deadline) -> bool:
    """Whether the rule's ladder is this deadline's: all that it names matches."""
    return (
        rule.deadline_kind == deadline.kind
        and rule.topic_id in (None, deadline.appeal.topic_id)
        and rule.priority in ("", deadline.appeal.priority)
        and rule.marketplace_id in (None, deadline.appeal.shop.marketplace_id)
    )


def in_hours_of(rung: Rung, deadline: Deadline, recipient: Recipient) -> datetime:
    """When the rung falls due for one of several people, where their own working hours are what counts."""
    if not _in_working_hours(rung.rule):
        return rung.at
    return _moments(deadline, rung.rule, [recipient.hours(deadline.country)])[rung.repetition]


def _lock(function: str) -> None:
    """Of PostgreSQL, until the transaction ends; SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_READERS])


def _moments(deadline: Deadline, rule: ReminderRule, hours: Sequence[Hours] = ()) -> list[datetime]:
    """When the rule falls due, by repetition."""
    if rule.moment == Moment.SHARE:
        return [_share(deadline, rule.amount)]
    amount = -rule.amount if rule.moment == Moment.BEFORE else rule.amount
    first = _move(deadline, deadline.due_at, amount, rule.unit, hours)
    pauses = [rule.repeat_amount * turn for turn in range(1, rule.repeat_limit + 1)]
    return [first, *_moves(deadline, first, pauses, rule.repeat_unit, hours)]


def _in_working_hours(rule: ReminderRule) -> bool:
    return Unit.WORKING_HOURS in ((rule.unit, rule.repeat_unit) if rule.repeat_limit else (rule.unit,))


def _hours(deadline: Deadline, rule: ReminderRule, roster: Roster) -> list[Hours]:
    told = roster.told(rule, deadline.appeal)
    return [recipient.hours(deadline.country) for recipient in told] or [deadline.clock.hours]


def _share(deadline: Deadline, percent: int) -> datetime:
    """When this share of the way from start to due time is gone, pauses left out."""
    pauses = [(datetime.fromisoformat(began), datetime.fromisoformat(ended)) for began, ended in deadline.pauses]
    idle = sum((ended - began for began, ended in pauses), timedelta(0))
    at = deadline.started_at + (deadline.due_at - deadline.started_at - idle) * percent / 100
    for began, ended in pauses:
        if at > began:
            at += ended - began
    return at


def _move(deadline: Deadline, at: datetime, amount: int, unit: str, hours: Iterable[Hours]) -> datetime:
    return next(_moves(deadline, at, [amount], unit, hours)) if amount else at


def _moves(
    deadline: Deadline, at: datetime, amounts: Iterable[int], unit: str, hours: Iterable[Hours]
) -> Iterator[datetime]:
    """`at` moved by each amount of `unit`, backwards if it is negative; days by the deadline's calendar."""
    if unit == Unit.HOURS:
        return (at + timedelta(hours=amount) for amount in amounts)
    if unit == Unit.WORKING_HOURS:  # of several people the first counts: nobody may be told too late
        return (min(_move_working_hours(at, timedelta(hours=amount), one) for one in hours) for amount in amounts)
    return _move_days(deadline, at, amounts, unit)


def _move_working_hours(at: datetime, length: timedelta, hours: Hours) -> datetime:
    """By somebody's working time; by elapsed time where there is too little of it ahead."""
    low, high = (at, at + _LOOKED) if length > timedelta(0) else (at - _LOOKED, at)
    spans = list(hours.intervals(low, high))
    left = abs(length)
    for opens, closes in spans if length > timedelta(0) else reversed(spans):
        if left <= closes - opens:
            return opens + left if length > timedelta(0) else closes - left
        left -= closes - opens
    return at + length


def _move_days(deadline: Deadline, at: datetime, amounts: Iterable[int], unit: str) -> Iterator[datetime]:
    """The same time of day so many days on. Midnight is the end of a day: it moves to the end of another."""
    zone = ZoneInfo(deadline.time_zone)
    last = (at - _INSTANT).astimezone(zone)
    day, clock = last.date(), last.time()
    for amount in amounts:
        on = _working_day(deadline.country, day, amount) if unit == Unit.WORKING_DAYS else day + timedelta(days=amount)
        yield datetime.combine(on, clock, zone).astimezone(UTC) + _INSTANT


@lru_cache(maxsize=4096)
def _working_day(country: str, day: date, amount: int) -> date:
    """The `amount`-th working day after `day`, or before it for a negative amount; `day` itself does not count."""
    calendar = production_calendar(country)
    if amount > 0:
        return calendar.add_working_days(day, amount)
    while amount:
        day -= timedelta(days=1)
        amount += calendar.is_working_day(day)
    return day
