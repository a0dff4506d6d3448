"""A person's hours: their opening hours without their days off."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketplaces.opening_hours import opening_hours
from marketplaces.personal_hours import PersonalHours, joined

MOSCOW = ZoneInfo("Europe/Moscow")
OFFICE = "Mo-Fr 09:00-18:00; PH off"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


def hours(expression: str, *days_off: tuple[str, str]) -> PersonalHours:
    ranges = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in days_off]
    return PersonalHours(opening_hours(expression, "Europe/Moscow", "RU"), ranges)


@pytest.mark.parametrize(
    ("expression", "days_off", "asked", "opens"),
    [
        (OFFICE, [], "2026-10-14 10:00", None),
        (OFFICE, [], "2026-10-14 20:00", "2026-10-15 09:00"),
        (OFFICE, [("2026-10-14", "2026-10-14")], "2026-10-14 10:00", "2026-10-15 09:00"),
        (OFFICE, [("2026-10-15", "2026-10-15")], "2026-10-14 20:00", "2026-10-16 09:00"),
        (OFFICE, [("2026-10-15", "2026-10-16")], "2026-10-14 20:00", "2026-10-19 09:00"),
        (OFFICE, [("2026-10-15", "2026-10-15"), ("2026-10-16", "2026-10-18")], "2026-10-14 20:00", "2026-10-19 09:00"),
        (OFFICE, [("2026-10-20", "2026-10-20"), ("2026-10-15", "2026-10-19")], "2026-10-14 20:00", "2026-10-21 09:00"),
        (OFFICE, [("2026-10-01", "2026-10-02")], "2026-10-14 10:00", None),
        ("24/7", [("2026-10-14", "2026-10-15")], "2026-10-14 10:00", "2026-10-16 00:00"),
        ("24/7", [("2026-10-14", "2026-10-15")], "2026-10-16 00:00", None),
        ("22:00-09:00", [("2026-10-14", "2026-10-14")], "2026-10-14 03:00", "2026-10-15 00:00"),
    ],
)
def test_nobody_is_there_on_a_day_off(
    expression: str, days_off: list[tuple[str, str]], asked: str, opens: str | None
) -> None:
    assert hours(expression, *days_off).opens_at(at(asked)) == (at(opens) if opens else None)


def test_open_time_leaves_days_off_out() -> None:
    found = hours("24/7", ("2026-10-13", "2026-10-13"), ("2026-10-15", "2026-10-15")).intervals(
        at("2026-10-12 12:00"), at("2026-10-15 12:00")
    )
    assert list(found) == [
        (at("2026-10-12 12:00"), at("2026-10-13 00:00")),
        (at("2026-10-14 00:00"), at("2026-10-15 00:00")),
    ]


def test_the_days_off_between_are_the_readers_own() -> None:
    one = PersonalHours(opening_hours("24/7", "Asia/Vladivostok", "RU"), [(date(2026, 10, 14), date(2026, 10, 14))])
    assert one.opens_at(at("2026-10-13 17:00")) == at("2026-10-14 17:00")


def test_ranges_that_touch_are_one() -> None:
    day = date(2026, 10, 14)
    ranges = [(day + timedelta(days=1), day + timedelta(days=2)), (day, day), (day, day + timedelta(days=1))]
    assert joined(ranges) == [(day, day + timedelta(days=2))]
