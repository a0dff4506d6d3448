"""The first page of the morning: what needs me now, by urgency; each figure opens the list that it counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Q, Sum, prefetch_related_objects
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from appeals import wording
from appeals.admin import needs
from appeals.admin.people import reader
from appeals.models import Appeal, Deadline, Shop
from appeals.models.appeal import AppealQuerySet

ROWS = 7
WEEKS = 8
PROMISED = (Deadline.Kind.FIRST_REPLY, Deadline.Kind.ANSWER)


class Scope(NamedTuple):
    """Whose appeals the page shows: everybody's, mine, or one shop's."""

    mine: bool
    shop: Shop | None

    @property
    def query(self) -> dict[str, str]:
        """The same choice among the filters of the list."""
        chosen = {"assignee": "me"} if self.mine else {}
        return chosen | ({"shop": str(self.shop.pk)} if self.shop else {})

    def narrow(self, appeals: AppealQuerySet, request: HttpRequest) -> AppealQuerySet:
        if self.mine:
            appeals = appeals.filter(assignee=request.user.pk)
        return appeals.filter(shop=self.shop) if self.shop else appeals


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by the admin's index page."""
    user, now = reader(request), timezone.now()
    if not user.has_perm("appeals.view_appeal"):
        return context
    shops = list(Shop.objects.visible_to(user).select_related("marketplace"))
    if not shops:
        return context | {"has_shop": False}
    scope = _scope(request, shops)
    appeals = scope.narrow(Appeal.objects.visible_to(user), request)
    figures = appeals.aggregate(at_stake=Sum("amount_at_stake", filter=needs.open_now()), **needs.counted(now))
    kept, late = _kept_by_day(appeals, now)
    return context | {
        "has_shop": True,
        "shops": shops,
        "scope": scope,
        "lists": _lists(appeals, figures, scope, now),
        "at_stake": figures["at_stake"] or 0,
        "open_url": _listed(scope, status="open"),
        "month": _share(kept, late, since=timezone.localdate(now).replace(day=1)),
        "weeks": _weeks(kept, late, now),
        "marketplaces": _overdue_by_marketplace(appeals, shops, scope, now),
    }


def counts(request: HttpRequest) -> dict[str, int]:
    """How long each list of the whole team is, for the menu: one query for a page."""
    if not hasattr(request, "need_counts"):
        request.need_counts = needs.counts(reader(request), timezone.now())  # type: ignore[attr-defined]
    counted: dict[str, int] = request.need_counts  # type: ignore[attr-defined]
    return counted


def _scope(request: HttpRequest, shops: list[Shop]) -> Scope:
    wanted = request.GET.get("shop", "")
    return Scope("mine" in request.GET, next((shop for shop in shops if str(shop.pk) == wanted), None))


def _listed(scope: Scope, **filters: str) -> str:
    return f"{reverse('admin:appeals_appeal_changelist')}?{urlencode(filters | scope.query)}"


def _lists(appeals: AppealQuerySet, figures: dict[str, Any], scope: Scope, now: datetime) -> list[dict[str, Any]]:
    found = {
        key: list(
            appeals.filter(need.condition(now))
            .order_by(*need.ordering)
            .select_related("shop__marketplace", "assignee")[:ROWS]
        )
        for key, need in needs.NEEDS.items()
        if figures[key]
    }
    prefetch_related_objects([appeal for rows in found.values() for appeal in rows], needs.CLOCKS)
    return [
        {
            "key": key,
            "title": need.title,
            "empty": need.empty,
            "count": figures[key],
            "url": _listed(scope, **need.query),
            "rows": [_row(appeal, now) for appeal in found.get(key, [])],
        }
        for key, need in needs.NEEDS.items()
    ]


def _row(appeal: Appeal, now: datetime) -> dict[str, Any]:
    clock = needs.running(appeal)
    return {
        "appeal": appeal,
        "due": wording.until(clock.due_at, now) if clock else "",
        "late": wording.lateness(clock, now) if clock and clock.is_late(now) else "",
    }


def _kept_by_day(appeals: AppealQuerySet, now: datetime) -> tuple[dict[Any, int], dict[Any, int]]:
    """How many of the marketplaces' promises were kept and broken, by the day on which they ended."""
    since = now - timedelta(weeks=WEEKS)
    ended = Deadline.objects.filter(appeal__in=appeals, kind__in=PROMISED, ended_at__gte=since)
    days = (
        ended.annotate(day=TruncDate("ended_at"))
        .values("day")
        .annotate(
            kept=Count("pk", filter=Q(state=Deadline.State.MET)),
            late=Count("pk", filter=Q(state=Deadline.State.MISSED)),
        )
        .values_list("day", "kept", "late")
    )
    rows = list(days)
    return {day: kept for day, kept, _late in rows}, {day: late for day, _kept, late in rows}


def _share(kept: dict[Any, int], late: dict[Any, int], *, since: Any, before: Any = None) -> dict[str, int] | None:
    """How many of how many promises that ended in a span of days were kept, in whole per cent; None of none."""

    def within(day: Any) -> bool:
        return bool(day >= since and (before is None or day < before))

    good = sum(count for day, count in kept.items() if within(day))
    total = good + sum(count for day, count in late.items() if within(day))
    return {"kept": good, "total": total, "percent": round(100 * good / total)} if total else None


def _weeks(kept: dict[Any, int], late: dict[Any, int], now: datetime) -> list[dict[str, Any]]:
    """The last weeks, the present one last."""
    today = timezone.localdate(now)
    monday = today - timedelta(days=today.weekday())
    starts = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    return [
        {"start": start, "share": _share(kept, late, since=start, before=start + timedelta(weeks=1))}
        for start in starts
    ]


def _overdue_by_marketplace(
    appeals: AppealQuerySet, shops: list[Shop], scope: Scope, now: datetime
) -> list[dict[str, Any]]:
    names = {shop.marketplace_id: shop.marketplace for shop in shops}
    rows = appeals.filter(needs.overdue(now)).values_list("shop__marketplace").annotate(count=Count("pk"))
    return [
        {
            "name": str(names[pk]),
            "count": count,
            "url": _listed(scope, due="overdue", marketplace=names[pk].slug),
        }
        for pk, count in sorted(rows, key=lambda row: (-row[1], row[0]))
    ]
