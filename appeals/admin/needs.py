"""What an appeal needs now. The filters of the list, the home page and the menu count by the same conditions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, F, OrderBy, Prefetch, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from appeals.models import Appeal, Deadline

# What no list shows: it would be read, and on SQLite sorted, with every row
LONG = ("body", "desired_outcome", "order_numbers", "product_codes", "search_text")
# The running clocks of many appeals in one query, the nearest first: see `running`
CLOCKS = Prefetch("deadlines", queryset=Deadline.objects.running().order_by("due_at"), to_attr="running")


def running(appeal: Appeal) -> Deadline | None:
    """The clock that is due first, of an appeal read with CLOCKS."""
    clocks: list[Deadline] = appeal.running  # type: ignore[attr-defined]
    return clocks[0] if clocks else None


def end_of_today(now: datetime) -> datetime:
    """24:00 of the reader's day."""
    local = timezone.localtime(now)
    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


TURNS = {
    Appeal.Turn.US: Q(status=Appeal.Status.OUR_TURN),
    Appeal.Turn.MARKETPLACE: Q(status=Appeal.Status.WAITING),
    Appeal.Turn.NOBODY: Q(status__in=[Appeal.Status.DRAFT, Appeal.Status.RESOLVED]),
}


def overdue(now: datetime) -> Q:
    return Q(next_due_at__lt=now)


def due_today(now: datetime) -> Q:
    return Q(next_due_at__gte=now, next_due_at__lte=end_of_today(now))


def due_later(now: datetime) -> Q:
    return Q(next_due_at__gt=end_of_today(now))


# What no clock runs for comes last, on both databases
SOONEST = F("next_due_at").asc(nulls_last=True)


class Need(NamedTuple):
    """One list of the home page; `query` opens the same list among the appeals."""

    title: str | Promise
    empty: str | Promise
    query: dict[str, str]
    condition: Callable[[datetime], Q]
    ordering: tuple[str | OrderBy, ...]


NEEDS = {
    "our_turn": Need(
        _("Our turn"),
        _("No marketplace waits for us."),
        {"turn": "us"},
        lambda now: TURNS[Appeal.Turn.US],
        (SOONEST, "id"),
    ),
    "overdue": Need(_("Overdue"), _("Nothing is overdue."), {"due": "overdue"}, overdue, ("next_due_at", "id")),
    "due_today": Need(_("Due today"), _("Nothing is due today."), {"due": "today"}, due_today, ("next_due_at", "id")),
    "waiting": Need(
        _("Waiting for an answer"),
        _("We wait for no marketplace."),
        {"turn": "marketplace"},
        lambda now: TURNS[Appeal.Turn.MARKETPLACE],
        (SOONEST, "id"),
    ),
    "draft": Need(
        _("Drafts"),
        _("No drafts."),
        {"status": "draft"},
        lambda now: Q(status=Appeal.Status.DRAFT),
        ("-created_at", "-id"),
    ),
}


OPEN = Q(status__in=[Appeal.Status.WAITING, Appeal.Status.OUR_TURN])
UNRESOLVED = Q(status__in=[Appeal.Status.WAITING, Appeal.Status.OUR_TURN, Appeal.Status.DRAFT])


def counted(now: datetime) -> dict[str, Count]:
    """The length of each list, to be asked for in one query of what is UNRESOLVED."""
    return {key: Count("pk", filter=need.condition(now)) for key, need in NEEDS.items()}
