"""Times and days as clients write them: ISO 8601, always with an offset, in years that calendars cover."""

import re
from datetime import UTC, date, datetime
from typing import TypeVar

from marketplaces.calendars import FIRST_YEAR, LAST_YEAR

T = TypeVar("T")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A plus sign that was not escaped in an address arrives as a space
_LOST_PLUS = re.compile(r" (?=[0-9]{2}:?[0-9]{2}$)")


class FarYearError(ValueError):
    """A year that no calendar covers."""


def read_moment(text: str) -> datetime:
    """The moment in UTC. Raises ValueError for what is no time with an offset, FarYearError for far years."""
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise FarYearError(text) from error
    return _covered(moment, moment.year)


def read_moment_of_address(text: str) -> datetime:
    """The same for a time in an address."""
    return read_moment(_LOST_PLUS.sub("+", text))


def read_day(text: str) -> date:
    """Raises ValueError for what is no day, FarYearError for far years."""
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    day = date.fromisoformat(text)
    return _covered(day, day.year)


def _covered(value: T, year: int) -> T:
    if not FIRST_YEAR < year < LAST_YEAR:
        raise FarYearError(value)
    return value
