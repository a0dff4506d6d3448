"""Production calendars: which days a country works, moved days off and working weekends included.

The source is the `holidays` package. For Russia it carries the yearly decrees on moving days off, which are published
in the autumn of the year before; for later years only the holidays of the Labour Code are known: see `known_until`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import holidays
from django.utils.translation import gettext as _

FIRST_YEAR, LAST_YEAR = 1992, 2099
"""The years that calendars cover. Moments outside them are mistakes, not deadlines."""


def covers(moment: datetime) -> bool:
    """Whether clocks can count from it, and screens show it, in every zone."""
    return FIRST_YEAR + 1 < moment.year < LAST_YEAR - 1


class UnknownCountryError(ValueError):
    """No calendar is known for this country."""

    def __init__(self, country: str) -> None:
        super().__init__(
            _("No production calendar is known for the country “%(country)s”. Write two letters, for example: RU")
            % {"country": country}
        )
        self.country = country


class CalendarRangeError(ValueError):
    """A day outside the years that calendars cover."""

    def __init__(self, year: int) -> None:
        super().__init__(
            _("The production calendar covers %(first)d-%(last)d, not the year %(year)d.")
            % {"first": FIRST_YEAR, "last": LAST_YEAR, "year": year}
        )
        self.year = year


class _Year(NamedTuple):
    holidays: frozenset[date]
    working_weekends: frozenset[date]
    working: list[int]  # ordinals of the working days, ascending


class Calendar:
    """The working days of one country. All dates are civil dates there."""

    def __init__(self, country: str) -> None:
        self.country = country
        self._years: dict[int, _Year] = {}
        self.known_until = _last_decreed_year(holidays.country_holidays(country))
        """Last year whose moved days are published; None where days off are never moved by decree."""

    def __repr__(self) -> str:
        return f"Calendar({self.country!r})"

    def is_holiday(self, day: date) -> bool:
        """A public holiday or a day off that was moved here: what `PH` means in opening hours."""
        return day in self._year(day.year).holidays

    def is_working_weekend(self, day: date) -> bool:
        """A Saturday or Sunday that was made a working day."""
        return day in self._year(day.year).working_weekends

    def is_working_day(self, day: date) -> bool:
        working = self._year(day.year).working
        place = bisect_left(working, day.toordinal())
        return place < len(working) and working[place] == day.toordinal()

    def is_day_off(self, day: date) -> bool:
        """A weekend, a holiday or a moved day off: anything but a working day."""
        return not self.is_working_day(day)

    def add_working_days(self, day: date, amount: int) -> date:
        """The `amount`-th working day after `day`, which itself does not count."""
        year, left = day.year, amount
        working = self._year(year).working
        place = bisect_right(working, day.toordinal())
        while place + left > len(working):
            left -= len(working) - place
            year, place = year + 1, 0
            working = self._year(year).working
        return date.fromordinal(working[place + left - 1])

    def first_working_day(self, day: date) -> date:
        """`day` itself if it is worked, else the next day that is."""
        return self.add_working_days(day - timedelta(days=1), 1)

    def working_days_between(self, after: date, before: date) -> int:
        """How many working days lie strictly between two dates; 0 if there is no room between them."""
        low, high = after.toordinal(), before.toordinal()
        return sum(
            max(0, bisect_left(working, high) - bisect_right(working, low))
            for working in (self._year(year).working for year in range(after.year, before.year + 1))
        )

    def _year(self, year: int) -> _Year:
        known = self._years.get(year)
        if known is None:
            known = self._years[year] = self._read(year)
        return known

    def _read(self, year: int) -> _Year:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise CalendarRangeError(year)
        # The neighbours too: a decree for one year may touch the last days of the year before it.
        source = holidays.country_holidays(self.country, years=(year - 1, year, year + 1))
        january, december = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        days = [date.fromordinal(ordinal) for ordinal in range(january, december + 1)]
        working_weekends = frozenset(day for day in source.weekend_workdays if day.year == year)
        return _Year(
            holidays=frozenset(day for day in days if day in source) - working_weekends,
            working_weekends=working_weekends,
            working=[day.toordinal() for day in days if source.is_working_day(day)],
        )


def _last_decreed_year(source: Any) -> int | None:
    if not getattr(source, "has_substituted_holidays", False):
        return None
    decrees: dict[int, Iterable[Any]] = getattr(source, "special_public_holidays", {})
    return max(decrees, default=None)


@lru_cache(maxsize=64)
def production_calendar(country: str) -> Calendar:
    """The calendar of a country by its two-letter ISO 3166 code. Raises UnknownCountryError."""
    if country not in _supported_countries():
        raise UnknownCountryError(country)
    return Calendar(country)


@lru_cache(maxsize=1)
def _supported_countries() -> frozenset[str]:
    return frozenset(code for code in holidays.list_supported_countries() if len(code) == 2)
