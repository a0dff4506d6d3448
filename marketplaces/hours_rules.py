"""The rules of opening hours -> the open time of a range of days, by the wall clock.

The matching of dates is left to the OpenStreetMap evaluator `opening-hours-py`. Putting rules together is done here,
because the evaluator can only be given its own list of holidays, which knows neither moved days off nor working
weekends, and because it loses the part of a slot after midnight when an earlier rule matches that day.

How rules meet, as the OpenStreetMap specification has it:
* `;` a later rule replaces the earlier ones on the days that it matches; `off` only closes its own time; `,` adds;
  `||` speaks on days for which nothing before it matched or where all is closed.
* What a slot leaves after midnight belongs to the next date. A rule that replaces that date replaces it too, and a
  date that is `off` is closed from midnight to midnight.
* A working weekend is a Friday for the weekday part of a rule, and itself for months, weeks and dates, so a dated
  exception for that very Saturday still holds. Only where the expression names `PH`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

from opening_hours import OpeningHours as Evaluator
from opening_hours import State

from .calendars import Calendar

DAY = 24 * 60

Kind = Literal["open", "closed", "unknown"]
Slot = tuple[int, int]
"""Minutes from the midnight that a day begins with, by the wall clock; the end may lie on the next day."""


class Rule(NamedTuple):
    """One rule of an expression: on which days it speaks, for which slots, and what it says."""

    operator: Literal[";", ",", "||"]
    kind: Kind
    slots: tuple[Slot, ...]
    days: str  # the whole selector of days; "" is every day
    wide: str  # its years, months, dates and weeks
    weekdays: str | None  # its weekdays without PH; "" is none but PH, None is no such part
    holidays: tuple[int, ...]  # for each PH the days that it is shifted by

    def matching(self, first: date, last: date, calendar: Calendar | None) -> set[int]:
        """Ordinals of the days in first..last that the rule speaks for. No calendar: `PH` is not named anywhere."""
        if calendar is None:
            return _select(self.days, first, last)
        wide = _select(self.wide, first, last)
        if self.weekdays is None:
            return wide
        weekly = wide & _select(self.weekdays, first, last) if self.weekdays else set()
        return {
            ordinal
            for ordinal in wide
            if self._is_working_friday(ordinal, calendar, weekly) or self._is_holiday(ordinal, calendar)
        }

    def _is_working_friday(self, ordinal: int, calendar: Calendar, weekly: set[int]) -> bool:
        day = date.fromordinal(ordinal)
        if not calendar.is_working_weekend(day):
            return ordinal in weekly
        friday = day - timedelta(days=day.weekday() - 4)
        return bool(self.weekdays and _select(self.weekdays, friday, friday))

    def _is_holiday(self, ordinal: int, calendar: Calendar) -> bool:
        return any(calendar.is_holiday(date.fromordinal(ordinal - shift)) for shift in self.holidays)


class Rules(NamedTuple):
    """A parsed expression."""

    expression: str
    canonical: str  # the text in the evaluator's spelling, its comments blotted out
    parts: tuple[Rule, ...]
    has_comments: bool
    has_open_ends: bool

    @property
    def names_holidays(self) -> bool:
        return any(rule.holidays for rule in self.parts)

    def open_days(self, first: date, last: date, calendar: Calendar | None) -> Iterator[tuple[int, tuple[Slot, ...]]]:
        """For every day of first..last its ordinal and the slots, all inside that day."""
        before = first - timedelta(days=1)
        matching = [rule.matching(before, last, calendar if self.names_holidays else None) for rule in self.parts]
        known: dict[tuple[int, int], tuple[Slot, ...]] = {}
        yesterday = _mask(matching, before.toordinal())
        for ordinal in range(first.toordinal(), last.toordinal() + 1):
            today = _mask(matching, ordinal)
            if (today, yesterday) not in known:
                known[today, yesterday] = slots_of_day(self.parts, today, yesterday)
            yield ordinal, known[today, yesterday]
            yesterday = today


def _mask(matching: Sequence[set[int]], ordinal: int) -> int:
    return sum(1 << place for place, days in enumerate(matching) if ordinal in days)


def _select(days: str, first: date, last: date) -> set[int]:
    """Ordinals of the days in first..last that a selector without times chooses."""
    end = datetime.combine(last + timedelta(days=1), time.min)
    return {
        ordinal
        for start, stop, state, _comment in Evaluator(days or "24/7").intervals(datetime.combine(first, time.min), end)
        if state == State.OPEN
        for ordinal in range(start.toordinal(), stop.toordinal())
    }


# One day


def slots_of_day(rules: Sequence[Rule], today: int, yesterday: int) -> tuple[Slot, ...]:
    """The open slots of a day, given as bits which rules match it and which matched the day before."""
    matched = False
    painted: list[tuple[int, int, Kind]] = []
    for place, rule in enumerate(rules):
        speaks = bool(today >> place & 1)
        after_midnight = [(start - DAY, end - DAY) for start, end in rule.slots if yesterday >> place & 1]
        slots = after_midnight + [slot for slot in rule.slots if speaks]
        if rule.operator == "||" and matched and any(kind != "closed" for *_slot, kind in painted):
            continue
        if speaks and _replaces(rule):
            painted = []
        matched = matched or speaks
        for start, end in slots:
            painted = _paint(painted, max(start, 0), min(end, DAY), rule.kind)
    return tuple(merge((start, end) for start, end, kind in painted if kind == "open"))


def _replaces(rule: Rule) -> bool:
    return rule.operator == ";" and rule.kind != "closed"


def _paint(painted: list[tuple[int, int, Kind]], start: int, end: int, kind: Kind) -> list[tuple[int, int, Kind]]:
    if start >= end:
        return painted
    around = [
        piece
        for low, high, other in painted
        for piece in ((low, min(high, start), other), (max(low, end), high, other))
        if piece[0] < piece[1]
    ]
    return sorted([*around, (start, end, kind)])


def merge(spans: Iterable[Slot]) -> Iterator[Slot]:
    """Join spans that touch or overlap; they come in the order of their starts."""
    low = high = -1
    for start, end in spans:
        if start > high:
            if low < high:
                yield low, high
            low = start
        high = max(high, end)
    if low < high:
        yield low, high
