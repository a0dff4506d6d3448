"""When somebody answers: an OpenStreetMap expression in a zone, on the calendar of a country, as open time in UTC.

An instant is open when the wall clock of the zone then shows an open time. So a slot in the hour that spring skips is
not open, one in the hour that autumn repeats is open twice, and an opening inside the skipped hour comes at its end.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .calendars import FIRST_YEAR, LAST_YEAR, Calendar, production_calendar
from .hours_grammar import OpeningHoursError, parse_rules
from .hours_rules import Rules, Slot, merge

__all__ = [
    "HORIZON_YEARS",
    "MomentError",
    "OpenYear",
    "OpeningHours",
    "OpeningHoursError",
    "UnknownZoneError",
    "check_expression",
    "from_microseconds",
    "microseconds",
    "opening_hours",
    "zone_of",
]

HORIZON_YEARS = 20
"""How far ahead an opening is looked for, and how far away a deadline may be."""
SECOND = 1_000_000
_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS_KEPT = 8


class UnknownZoneError(ValueError):
    """A time zone that the IANA database does not have."""

    def __init__(self, zone: str) -> None:
        super().__init__(_("“%(zone)s” is no time zone. An example: Europe/Moscow.") % {"zone": zone})
        self.zone = zone


class MomentError(ValueError):
    """A moment without a time zone, or outside the years that calendars cover."""

    def __init__(self, moment: datetime) -> None:
        words = {"moment": moment.isoformat(), "first": FIRST_YEAR, "last": LAST_YEAR}
        super().__init__(
            _("“%(moment)s” cannot be counted from: a time zone is needed, and a year of %(first)d-%(last)d.") % words
        )
        self.moment = moment


def microseconds(moment: datetime) -> int:
    """Since 1970 in UTC. Raises MomentError for a naive moment or a year that no calendar covers."""
    if moment.tzinfo is None or not FIRST_YEAR < moment.year < LAST_YEAR:
        raise MomentError(moment)
    since = moment - _EPOCH
    return (since.days * _DAY + since.seconds) * SECOND + since.microseconds


def from_microseconds(count: int) -> datetime:
    return _EPOCH + timedelta(microseconds=count)


class OpenYear:
    """The open intervals of one UTC year, ascending and apart, and how much lies before each; microseconds of 1970."""

    __slots__ = ("before", "ends", "starts", "total")

    def __init__(self, intervals: Iterable[tuple[int, int]]) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.before: list[int] = []
        self.total = 0
        for start, end in intervals:
            self.starts.append(start)
            self.ends.append(end)
            self.before.append(self.total)
            self.total += end - start

    def open_until(self, moment: int) -> int:
        """Open time from the start of the year to a moment in it; none to a moment before it."""
        place = bisect_right(self.starts, moment) - 1
        if place < 0:
            return 0
        end = self.ends[place]
        return self.before[place] + (moment if moment < end else end) - self.starts[place]

    def moment_after(self, moment: int, open_time: int) -> int | None:
        """The first moment by which this much time (above zero) was open since a moment; None if not in this year.

        Of a moment before the year everything in it counts.
        """
        place = bisect_right(self.starts, moment) - 1
        wanted = open_time
        if place >= 0:  # as in open_until, spelt out: every deadline comes through here
            end = self.ends[place]
            wanted += self.before[place] + (moment if moment < end else end) - self.starts[place]
        if wanted > self.total:
            return None
        place = bisect_left(self.before, wanted) - 1
        return self.starts[place] + wanted - self.before[place]


class OpeningHours:
    """One expression in one zone on one calendar. Build it with `opening_hours()`. Moments must be aware."""

    def __init__(self, expression: str, zone: str, country: str) -> None:
        self.expression = expression
        self.zone = zone
        self.country = country
        self.rules = parse_rules(expression)
        self._zone = zone_of(zone)
        self._calendar = production_calendar(country) if self.rules.names_holidays else None
        self._years: dict[int, OpenYear] = {}

    def __repr__(self) -> str:
        return f"OpeningHours({self.expression!r}, {self.zone!r}, {self.country!r})"

    def is_open(self, at: datetime) -> bool:
        moment = microseconds(at)
        year = self.open_year(at.astimezone(UTC).year)
        place = bisect_right(year.starts, moment) - 1
        return place >= 0 and moment < year.ends[place]

    def opens_at(self, at: datetime) -> datetime | None:
        """The next opening. None when it is open now, and when it does not open within HORIZON_YEARS."""
        if self.is_open(at):
            return None
        return next((start for start, _end in self._intervals_from(at)), None)

    def closes_at(self, at: datetime) -> datetime | None:
        """The next closing. None when it is closed now, and when it stays open for more than a year."""
        if not self.is_open(at):
            return None
        start, end = next(self.intervals(at, at + timedelta(days=400)))
        return None if end - start == timedelta(days=400) else end

    def intervals(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open time between two moments: ascending, never touching, in UTC."""
        low, high = microseconds(start), microseconds(end)
        years = range(start.astimezone(UTC).year, end.astimezone(UTC).year + 1)
        spans = (
            (max(year.starts[place], low), min(year.ends[place], high))
            for year in map(self.open_year, years)
            for place in range(bisect_right(year.ends, low), bisect_left(year.starts, high))
        )
        for opens, closes in merge(spans):
            yield from_microseconds(opens), from_microseconds(closes)

    def open_year(self, year: int) -> OpenYear:
        """The open time of a UTC year; a few years that were asked for are kept."""
        known = self._years.get(year)
        if known is None:
            if len(self._years) >= _YEARS_KEPT:
                self._years.clear()
            known = self._years[year] = OpenYear(self._read(year))
        return known

    def _intervals_from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        last = min(at.year + HORIZON_YEARS, LAST_YEAR - 1)
        return self.intervals(at, datetime(last, 12, 31, tzinfo=UTC))

    def _read(self, year: int) -> Iterator[tuple[int, int]]:
        first, last = date(year - 1, 12, 30), date(year + 1, 1, 2)  # no zone is two days away from UTC
        wall = list(_wall_clock(self.rules, first, last, self._calendar))
        spans = (
            (max(opens, low + offset) - offset, min(closes, high + offset) - offset)
            for low, high, offset in offsets(self.zone, year)
            for opens, closes in wall
            if closes > low + offset and opens < high + offset
        )
        return ((opens * SECOND, closes * SECOND) for opens, closes in merge(spans))


@lru_cache(maxsize=256)
def opening_hours(expression: str, zone: str, country: str) -> OpeningHours:
    """Raises OpeningHoursError, UnknownZoneError, and UnknownCountryError where the expression names `PH`."""
    return OpeningHours(expression, zone, country)


def check_expression(expression: str) -> None:
    """Raises OpeningHoursError for what cannot be read or counted, and for what does not open within HORIZON_YEARS.

    Which days are holidays does not matter here, only that every country has some; so any country will do.
    """
    hours = opening_hours(expression, "UTC", "RU")
    now = datetime.now(UTC)
    if not hours.is_open(now) and hours.opens_at(now) is None:
        raise OpeningHoursError(expression, gettext_lazy("With these opening hours it never opens."))


def zone_of(name: str) -> ZoneInfo:
    """Raises UnknownZoneError."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # bad key, a directory of the database, no such key
        raise UnknownZoneError(name) from None


@lru_cache(maxsize=512)
def offsets(zone: str, year: int) -> tuple[tuple[int, int, int], ...]:
    """The stretches of a UTC year with one offset each: (from, to, offset), in seconds since 1970 and seconds."""
    start, end, info = _new_year(year), _new_year(year + 1), zone_of(zone)
    changes = [
        _change_between(info, low, low + _DAY)
        for low in range(start, end, _DAY)
        if _offset(info, low) != _offset(info, low + _DAY)
    ]
    bounds = pairwise([start, *changes, end])
    return tuple((low, high, _offset(info, low)) for low, high in bounds if low < high)


def _new_year(year: int) -> int:
    return (date(year, 1, 1).toordinal() - _EPOCH.toordinal()) * _DAY


def _change_between(zone: ZoneInfo, low: int, high: int) -> int:
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _offset(zone: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _wall_clock(rules: Rules, first: date, last: date, calendar: Calendar | None) -> Iterator[Slot]:
    """Open spans in seconds of a clock that knows no zone, counted from 1970."""
    epoch = _EPOCH.toordinal()
    return merge(
        ((ordinal - epoch) * _DAY + opens * 60, (ordinal - epoch) * _DAY + closes * 60)
        for ordinal, slots in rules.open_days(first, last, calendar)
        for opens, closes in slots
    )
