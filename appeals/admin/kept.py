"""Whether the marketplaces replied in time: counted on the home page, and the same appeals as filters of the list.

An appeal counts in a month or a week if one of the marketplace's promises for it ended then, kept or not. It counts as
late if one that ended then was missed, otherwise as in time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, IntegerField, Max, Q, QuerySet, Value, When
from django.utils import timezone

from appeals.models import Appeal, Deadline
from appeals.models.deadline import DeadlineQuerySet
from marketplaces.calendars import FIRST_YEAR, LAST_YEAR

MONTH = "month"
WEEKS = 8
ENDED = Q(
    kind__in=(Deadline.Kind.FIRST_REPLY, Deadline.Kind.ANSWER),
    state__in=(Deadline.State.MET, Deadline.State.MISSED),
)


class Span(NamedTuple):
    since: datetime
    before: datetime


class Share(NamedTuple):
    kept: int
    late: int

    @property
    def total(self) -> int:
        return self.kept + self.late

    @property
    def percent(self) -> int:
        return round(100 * self.kept / self.total)


def month(now: datetime) -> Span:
    """The reader's month so far."""
    return Span(_midnight(now).replace(day=1), now)


def week(name: str) -> Span:
    """The seven days of the reader's zone from the one named, "2026-11-16". ValueError for any other text."""
    day = date.fromisoformat(name)
    if not FIRST_YEAR <= day.year < LAST_YEAR:
        raise ValueError(name)
    start = timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001
    return Span(start, _midnight(start, days=7))


def last_weeks(now: datetime) -> list[str]:
    """The Mondays of the last weeks by their names, the running week last."""
    monday = _midnight(now, days=-timezone.localtime(now).weekday())
    return [f"{_midnight(monday, days=-7 * back):%Y-%m-%d}" for back in reversed(range(WEEKS))]


def span(name: str, now: datetime) -> Span:
    return month(now) if name == MONTH else week(name)


def narrow(appeals: QuerySet[Appeal], within: Span | None, late: bool | None) -> QuerySet[Appeal]:
    """Those that count in `within`, or ever; in time or late ones, or both (None)."""
    ended = Deadline.objects.filter(ENDED)
    if within:
        ended = ended.filter(ended_at__gte=within.since, ended_at__lt=within.before)
    missed = ended.filter(state=Deadline.State.MISSED).values("appeal")
    if late:
        return appeals.filter(pk__in=missed)
    appeals = appeals.filter(pk__in=ended.values("appeal"))
    return appeals if late is None else appeals.exclude(pk__in=missed)


def shares(deadlines: DeadlineQuerySet, spans: Mapping[str, Span]) -> dict[str, Share]:
    """How many appeals count as in time and as late in each span, of those with these deadlines; in one query."""
    cuts = sorted({moment for one in spans.values() for moment in one})
    part = Case(
        *(When(ended_at__lt=cut, then=Value(index)) for index, cut in enumerate(cuts[1:])),
        default=Value(len(cuts)),
        output_field=IntegerField(),
    )
    late = Max(Case(When(state=Deadline.State.MISSED, then=Value(1)), default=Value(0), output_field=IntegerField()))
    ended = deadlines.filter(ENDED, ended_at__gte=cuts[0], ended_at__lt=cuts[-1]).order_by()
    parts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for index, appeal, is_late in ended.annotate(part=part).values_list("part", "appeal").annotate(late=late):
        parts[index].append((appeal, is_late))
    return {name: _share(parts, cuts, one) for name, one in spans.items()}


def _share(parts: Mapping[int, list[tuple[int, int]]], cuts: list[datetime], within: Span) -> Share:
    seen: dict[int, int] = {}
    for index in range(cuts.index(within.since), cuts.index(within.before)):
        for appeal, is_late in parts.get(index, ()):
            seen[appeal] = seen.get(appeal, 0) or is_late
    late = sum(seen.values())
    return Share(len(seen) - late, late)


def _midnight(moment: datetime, days: int = 0) -> datetime:
    """The beginning of the reader's day that many days after that of `moment`: days of a change of clocks too."""
    day = timezone.localtime(moment).date() + timedelta(days=days)
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001
