"""Production calendars: Russia day by day, the days that the government moved by hand, other countries in short."""

from datetime import date, timedelta

import holidays
import pytest

from marketplaces.calendars import (
    FIRST_YEAR,
    LAST_YEAR,
    Calendar,
    CalendarRangeError,
    UnknownCountryError,
    production_calendar,
)


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]


@pytest.fixture
def russia() -> Calendar:
    return production_calendar("RU")


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_russia_day_by_day(russia: Calendar, year: int) -> None:
    source = holidays.country_holidays("RU", years=[year])
    for day in days_of(year):
        assert russia.is_holiday(day) == (day in source), day
        assert russia.is_working_weekend(day) == (day in source.weekend_workdays), day
        worked = day in source.weekend_workdays or (day.weekday() < 5 and day not in source)
        assert russia.is_working_day(day) == worked, day
        assert russia.is_day_off(day) != worked, day


# As printed in the production calendars for a five-day week.
@pytest.mark.parametrize(
    ("year", "by_month"),
    [
        (2025, [17, 20, 21, 22, 18, 19, 23, 21, 22, 23, 19, 22]),
        (2026, [15, 19, 21, 22, 19, 21, 23, 21, 22, 22, 20, 22]),
    ],
)
def test_working_days_of_each_month_as_published(russia: Calendar, year: int, by_month: list[int]) -> None:
    months = [sum(russia.is_working_day(day) for day in days_of(year) if day.month == n) for n in range(1, 13)]
    assert months == by_month
    assert sum(months) == 247


@pytest.mark.parametrize(
    "day", ["2025-05-02", "2025-11-03", "2025-12-31", "2026-01-09", "2026-05-11", "2026-12-31", "2027-02-22"]
)
def test_days_off_that_were_moved_here_are_holidays(russia: Calendar, day: str) -> None:
    assert russia.is_holiday(date.fromisoformat(day))
    assert russia.is_day_off(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2025-11-01", "2027-02-20"])
def test_working_saturdays(russia: Calendar, day: str) -> None:
    saturday = date.fromisoformat(day)
    assert russia.is_working_weekend(saturday)
    assert russia.is_working_day(saturday)
    assert not russia.is_holiday(saturday)
    assert not russia.is_working_day(saturday + timedelta(1))


def test_an_ordinary_sunday_is_a_day_off_and_no_holiday(russia: Calendar) -> None:
    assert russia.is_day_off(date(2026, 3, 15))
    assert not russia.is_holiday(date(2026, 3, 15))


def test_counting_working_days_over_new_year(russia: Calendar) -> None:
    assert russia.add_working_days(date(2026, 12, 29), 1) == date(2026, 12, 30)
    assert russia.add_working_days(date(2026, 12, 29), 2) == date(2027, 1, 11)
    assert russia.add_working_days(date(2026, 12, 31), 1) == date(2027, 1, 11)
    assert russia.add_working_days(date(2025, 12, 31), 247 + 1) == date(2027, 1, 11)
    assert russia.first_working_day(date(2027, 1, 1)) == date(2027, 1, 11)
    assert russia.first_working_day(date(2027, 1, 11)) == date(2027, 1, 11)


def test_working_days_strictly_between_two_dates(russia: Calendar) -> None:
    assert russia.working_days_between(date(2025, 12, 31), date(2027, 1, 1)) == 247
    assert russia.working_days_between(date(2026, 12, 29), date(2027, 1, 12)) == 2
    assert russia.working_days_between(date(2026, 3, 16), date(2026, 3, 17)) == 0
    assert russia.working_days_between(date(2026, 3, 17), date(2026, 3, 16)) == 0
    assert russia.working_days_between(date(2027, 3, 17), date(2026, 3, 16)) == 0


def test_it_knows_how_far_the_moved_days_are_published(russia: Calendar) -> None:
    assert russia.known_until is not None
    assert russia.known_until >= 2027
    assert production_calendar("DE").known_until is None


def test_later_years_still_have_the_holidays_of_the_law(russia: Calendar) -> None:
    assert russia.is_holiday(date(2040, 1, 7))
    assert russia.is_working_day(date(2040, 1, 9))


def test_a_country_that_moves_no_days_has_its_holidays() -> None:
    germany = production_calendar("DE")
    assert germany.is_holiday(date(2026, 10, 3))
    assert germany.is_working_day(date(2026, 1, 2))
    assert not any(germany.is_working_weekend(day) for day in days_of(2026))


def test_a_decree_for_one_year_may_touch_the_year_before() -> None:
    china = production_calendar("CN")  # Saturday 30 December 2006 was worked for the holidays of 2007
    assert china.is_working_weekend(date(2006, 12, 30))


@pytest.mark.parametrize("country", ["XX", "", "ru", "RUS", "Russia", "HolidayBase", "../RU"])
def test_a_country_without_a_calendar_is_refused(country: str) -> None:
    with pytest.raises(UnknownCountryError, match="RU") as refusal:
        production_calendar(country)
    assert isinstance(refusal.value, ValueError)
    assert refusal.value.country == country


@pytest.mark.parametrize("year", [FIRST_YEAR - 1, LAST_YEAR + 1])
def test_years_that_no_calendar_covers_are_refused(russia: Calendar, year: int) -> None:
    with pytest.raises(CalendarRangeError, match=str(year)):
        russia.is_working_day(date(year, 6, 1))


def test_calendars_are_built_once() -> None:
    assert production_calendar("RU") is production_calendar("RU")
