"""Moments that PostgreSQL sends are what they were, whatever it takes to write them."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, connection

from hub.timestamps import MomentLoader

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def read(text: str) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        moment: datetime = cursor.fetchone()[0]
    return moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-12 10:00:00+03", datetime(2026, 1, 12, 7, tzinfo=UTC)),
        ("2026-01-12 10:00:00.5+05:45", datetime(2026, 1, 12, 4, 15, 0, 500_000, tzinfo=UTC)),
        ("2026-01-12 10:00:00.000001Z", datetime(2026, 1, 12, 10, 0, 0, 1, tzinfo=UTC)),
        ("0001-01-01 00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31 23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_moment_is_what_it_was_and_in_utc(text: str, moment: datetime) -> None:
    found = read(text)
    assert found == moment
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 12:00:00 BC", "10000-01-01 00:00:00Z"])
def test_what_no_datetime_can_hold_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        read(text)


def test_other_zones_of_a_session_change_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Asia/Kathmandu'")
    assert read("2026-01-12 10:00:00Z") == datetime(2026, 1, 12, 10, tzinfo=UTC)


def test_it_is_what_reads_them() -> None:
    assert connection.connection.adapters.get_loader(1184, 0) is MomentLoader
