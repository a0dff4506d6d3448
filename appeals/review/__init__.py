"""What a text lacks before it is sent: the platforms' and the trade's advice, as findings that forbid nothing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from appeals.review import content, manner, number, places, repeats
from appeals.review.facts import Facts, Finding, Severity

__all__ = ["Facts", "Finding", "Severity", "review"]

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.HINT: 2}


def review(facts: Facts, *, reader: Any, now: datetime) -> list[Finding]:
    """The findings, the gravest first, in the active language and zone.

    Only appeals that the `reader` may see are compared with. Two queries at most, and one more where there is a number
    of the marketplace; pymorphy's dictionary is loaded by the first review of a process.
    """
    return sorted(_all(facts, reader, now), key=lambda one: _ORDER[one.severity])


def _all(facts: Facts, reader: Any, now: datetime) -> Iterator[Finding]:
    yield from content.lacking(facts)
    yield from manner.lapses(facts)
    yield from places.unfit(facts, now)
    yield from number.odd(facts)
    yield from repeats.sent_before(facts, reader, now)
