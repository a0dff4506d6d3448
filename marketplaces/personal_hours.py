"""When one person works: their opening hours without the days off that they entered."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from .opening_hours import OpeningHours

DaysOff = tuple[date, date]
"""The first and the last day of an absence."""


class PersonalHours:
    """Speaks as OpeningHours does. A day off lasts from midnight to midnight by the person's own wall clock."""

    def __init__(self, hours: OpeningHours, days_off: Iterable[DaysOff]) -> None:
        zone = ZoneInfo(hours.zone)
        self._hours = hours
        self._away = [
            (_midnight(first, zone), _midnight(last + timedelta(days=1), zone)) for first, last in joined(days_off)
        ]

    def opens_at(self, at: datetime) -> datetime | None:
        """The next opening. None when it is open now, and when it opens no more."""
        opens = self._opening(at)
        for start, end in self._away:
            if opens and start <= opens < end:
                opens = self._opening(end)
        return None if opens == at else opens

    def intervals(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open time between two moments, in UTC."""
        for opens, closes in self._hours.intervals(start, end):
            yield from self._present(opens, closes)

    def _opening(self, at: datetime) -> datetime | None:
        if self._hours.is_open(at):
            return at
        return self._hours.opens_at(at)

    def _present(self, opens: datetime, closes: datetime) -> Iterator[tuple[datetime, datetime]]:
        for start, end in self._away:
            if start < closes and end > opens:
                if opens < start:
                    yield opens, start
                opens = end
        if opens < closes:
            yield opens, closes


def joined(days_off: Iterable[DaysOff]) -> Sequence[DaysOff]:
    """In order, none touching another."""
    found: list[DaysOff] = []
    for first, last in sorted(days_off):
        if found and first <= found[-1][1] + timedelta(days=1):
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
