"""Start + target = due, and how much of it has run: the one place where time is counted.

Moments go in aware, in any zone, and come out in UTC. Nothing here walks by the minute: open time is kept by year as
sorted intervals with running totals, working days as sorted ordinals, and both are searched by bisection.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .calendars import CalendarRangeError, production_calendar
from .opening_hours import (
    HORIZON_YEARS,
    MomentError,
    from_microseconds,
    microseconds,
    opening_hours,
    zone_of,
)

__all__ = [
    "UNCOUNTABLE",
    "AmountError",
    "Clock",
    "MomentError",
    "NeverOpensError",
    "TooFarError",
    "Unit",
    "UnitError",
    "clock",
]


class Unit(TextChoices):
    """What a response target is counted in."""

    MINUTES = "minutes", gettext_lazy("minutes")
    HOURS = "hours", gettext_lazy("hours")
    WORKING_MINUTES = "working_minutes", gettext_lazy("working minutes")
    WORKING_HOURS = "working_hours", gettext_lazy("working hours")
    WORKING_DAYS = "working_days", gettext_lazy("working days")
    CALENDAR_DAYS = "calendar_days", gettext_lazy("calendar days")

    @property
    def in_days(self) -> bool:
        """Counted in whole days, due at the end of one; else in time that runs by the second."""
        return self.value in _MAX_DAYS


_WORKING_DAYS, _CALENDAR_DAYS = Unit.WORKING_DAYS, Unit.CALENDAR_DAYS
_MINUTE = 60_000_000  # microseconds
_LENGTH: dict[str, int] = {
    Unit.MINUTES.value: _MINUTE,
    Unit.HOURS.value: 60 * _MINUTE,
    Unit.WORKING_MINUTES.value: _MINUTE,
    Unit.WORKING_HOURS.value: 60 * _MINUTE,
}
_ROUND_THE_CLOCK = {Unit.MINUTES.value, Unit.HOURS.value}
_LONGEST = 10 * 366 * 24 * 60 * _MINUTE  # ten years: anything above is a slip of the pen
_MAX_DAYS: dict[str, int] = {Unit.WORKING_DAYS.value: 10 * 250, Unit.CALENDAR_DAYS.value: 10 * 366}


class AmountError(ValueError):
    """An amount, or a part of it that has been counted, that nobody can mean."""

    def __init__(self, amount: object, unit: str) -> None:
        words = {"amount": amount, "unit": unit}
        super().__init__(
            _("“%(amount)s” is no amount of “%(unit)s”: it must be above zero and within ten years.") % words
        )


class UnitError(ValueError):
    """A unit that does not exist, or that this question cannot be asked about."""

    def __init__(self, unit: object) -> None:
        super().__init__(_("Time cannot be counted in “%(unit)s” here.") % {"unit": unit})


class NeverOpensError(ValueError):
    """Working time was asked for, and there is none from that moment on."""

    def __init__(self, expression: str, moment: datetime) -> None:
        words = {"hours": expression, "moment": moment.isoformat(timespec="minutes")}
        super().__init__(_("With the opening hours “%(hours)s” it never opens after %(moment)s.") % words)


class TooFarError(ValueError):
    """The deadline would lie more than HORIZON_YEARS ahead."""

    def __init__(self, expression: str) -> None:
        words = {"hours": expression, "years": HORIZON_YEARS}
        super().__init__(_("With the opening hours “%(hours)s” this would take more than %(years)d years.") % words)


UNCOUNTABLE = (MomentError, AmountError, NeverOpensError, TooFarError, CalendarRangeError)
"""Why a promise cannot be counted: str() says it to people."""


class Clock:
    """Counts targets by one expression, in one zone, on one production calendar. Build it with `clock()`."""

    def __init__(self, expression: str, zone: str, country: str) -> None:
        self.hours = opening_hours(expression, zone, country)
        self.calendar = production_calendar(country)
        self._zone = zone_of(zone)

    def __repr__(self) -> str:
        return f"Clock({self.hours.expression!r}, {self.hours.zone!r}, {self.calendar.country!r})"

    def add(self, start: datetime, amount: int, unit: Unit, *, counted: timedelta | int = 0) -> datetime:
        """When `amount` of `unit` is due that runs from `start`.

        `counted` is what had run before a pause that ended at `start`: a timedelta for minutes and hours, whole days
        for days. When nothing is left the answer is `start`; only a calendar term still ends with a working day.
        Raises MomentError, AmountError, UnitError, NeverOpensError, TooFarError.
        """
        left = _left(amount, unit, counted)
        moment = microseconds(start)
        if unit == _CALENDAR_DAYS:
            return self._end_of(self.calendar.first_working_day(self._day(start) + timedelta(days=left)))
        if left == 0:
            return start.astimezone(UTC)
        if unit == _WORKING_DAYS:
            return self._end_of(self.calendar.add_working_days(self._day(start), left))
        if unit in _ROUND_THE_CLOCK:
            return from_microseconds(moment + left)
        return self._add_open(start, moment, left)

    def elapsed(self, start: datetime, moment: datetime, unit: Unit) -> timedelta:
        """How much time of a minute or hour unit ran between two moments; none if `moment` is not after `start`."""
        if unit not in _LENGTH:
            raise UnitError(unit)
        low, high = microseconds(start), microseconds(moment)
        if high <= low:
            return timedelta(0)
        if unit in _ROUND_THE_CLOCK:
            return timedelta(microseconds=high - low)
        first, last = start.astimezone(UTC).year, moment.astimezone(UTC).year
        whole_years = sum(self.hours.open_year(year).total for year in range(first, last))
        ran = self.hours.open_year(last).open_until(high) - self.hours.open_year(first).open_until(low)
        return timedelta(microseconds=whole_years + ran)

    def elapsed_days(self, start: datetime, moment: datetime, unit: Unit) -> int:
        """How many days of a day unit have begun and ended since `start`, whose own day does not count."""
        if unit not in _MAX_DAYS:
            raise UnitError(unit)
        microseconds(start), microseconds(moment)  # refuse what cannot be counted from
        day, today = self._day(start), self._day(moment)
        if unit == _WORKING_DAYS:
            return self.calendar.working_days_between(day, today)
        return max(0, (today - day).days - 1)

    def share(
        self, start: datetime, moment: datetime, amount: int, unit: Unit, *, counted: timedelta | int = 0
    ) -> float:
        """How much of a target is used up: 0 at the start, 1 when it is due, above 1 when it is late.

        Days are used up hour by hour, the days that do not count not at all. Arguments and errors are those of `add`.
        """
        left = _left(amount, unit, counted)
        if unit in _LENGTH:
            whole = _whole(amount, unit)
            return (whole - left + self.elapsed(start, moment, unit) // timedelta(microseconds=1)) / whole
        had_run = amount - left
        whole = amount
        if unit == _CALENDAR_DAYS:
            day = self._day(start)
            whole = had_run + (self.calendar.first_working_day(day + timedelta(days=left)) - day).days
        return (had_run + self._days_used(start, moment, unit)) / whole

    def _add_open(self, start: datetime, moment: int, left: int) -> datetime:
        first = start.astimezone(UTC).year
        for year in range(first, first + HORIZON_YEARS + 1):
            open_year = self.hours.open_year(year)
            due = open_year.moment_after(moment, left)
            if due is not None:
                return from_microseconds(due)
            left -= open_year.total - open_year.open_until(moment)
        if open_year.total:
            raise TooFarError(self.hours.expression)
        raise NeverOpensError(self.hours.expression, start)

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def _end_of(self, day: date) -> datetime:
        """24:00 of a day in the zone; where that midnight is skipped, the moment at which the clock jumps over it."""
        return self._start_of(day + timedelta(days=1))

    def _start_of(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self._zone).astimezone(UTC)

    def _days_used(self, start: datetime, moment: datetime, unit: Unit) -> float:
        """Whole days that passed and the part of today, if today counts."""
        passed = self.elapsed_days(start, moment, unit)
        day, today = self._day(start), self._day(moment)
        if today <= day or (unit == _WORKING_DAYS and self.calendar.is_day_off(today)):
            return passed
        midnight = self._start_of(today)
        return passed + (moment - midnight) / (self._end_of(today) - midnight)


def _left(amount: int, unit: Unit, counted: timedelta | int) -> int:
    """What remains of an amount: microseconds or days, never below 0."""
    whole = _whole(amount, unit)
    return max(0, whole - _counted(counted, unit)) if counted else whole


@lru_cache(maxsize=1024, typed=True)
def _whole(amount: int, unit: Unit) -> int:
    """An amount in microseconds or days."""
    length = _LENGTH.get(unit)
    if length is None and unit not in _MAX_DAYS:
        raise UnitError(unit)
    longest = _MAX_DAYS[unit] if length is None else _LONGEST // length
    if not isinstance(amount, int) or not 0 < amount <= longest:
        raise AmountError(amount, unit)
    return amount * (length or 1)


def _counted(counted: timedelta | int, unit: Unit) -> int:
    """What had run before a pause, in microseconds or days."""
    if isinstance(counted, timedelta):
        ran = counted // timedelta(microseconds=1) if unit in _LENGTH else -1
    else:
        ran = counted if unit in _MAX_DAYS else -1
    if ran < 0:
        raise AmountError(counted, unit)
    return ran


@lru_cache(maxsize=256)
def clock(expression: str, zone: str, country: str) -> Clock:
    """The clock of a channel. Raises OpeningHoursError, UnknownZoneError, UnknownCountryError."""
    return Clock(expression, zone, country)
