"""Times and days as clients write them: ISO 8601, always with an offset, in years that calendars cover."""

import re
from datetime import UTC, date, datetime

from marketplaces.calendars import FIRST_YEAR, LAST_YEAR

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A plus sign that was not escaped in an address arrives as a space
_LOST_PLUS = re.compile(r" (?=[0-9]{2}:?[0-9]{2}$)")


def read_moment(text: str) -> datetime:
    """The moment in UTC. Raises ValueError for what is no time with an offset, and for far years."""
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error
    if not FIRST_YEAR < moment.year < LAST_YEAR:
        raise ValueError(text)
    return moment


def read_moment_of_address(text: str) -> datetime:
    """The same for a time in an address."""
    return read_moment(_LOST_PLUS.sub("+", text))


def read_day(text: str) -> date:
    """Raises ValueError for what is no day, and for far years."""
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    day = date.fromisoformat(text)
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise ValueError(text)
    return day
