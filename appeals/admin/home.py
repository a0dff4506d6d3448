"""The first page of the morning: what needs me now, by urgency; each figure opens the list that it counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Q, prefetch_related_objects
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from appeals import wording
from appeals.admin import needs
from appeals.admin.people import reader
from appeals.models import Appeal, Deadline, Shop
from appeals.models.appeal import AppealQuerySet

if TYPE_CHECKING:
    from hub.models import User

ROWS = 7
WEEKS = 8
Share = dict[str, int]
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
    figures = appeals.filter(needs.UNRESOLVED).aggregate(**needs.counted(now))
    month, weeks = _kept(scope, shops, user, now)
    return context | {
        "has_shop": True,
        "is_new": not any(figures[key] for key in needs.NEEDS) and not appeals.exists(),
        "shops": shops,
        "scope": scope,
        "lists": _lists(appeals, figures, scope, now),
        "at_stake": appeals.filter(needs.OPEN).at_stake(),
        "open_url": _listed(scope, status="open"),
        "month": month,
        "weeks": weeks,
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


def _kept(scope: Scope, shops: list[Shop], user: User, now: datetime) -> tuple[Share | None, list[dict[str, Any]]]:
    """How the marketplaces' promises that ended were kept: this month, and in each of the last weeks."""
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    starts = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    spans = {"month": (today.replace(day=1), now)} | {
        f"week{index}": (start, start + timedelta(weeks=1)) for index, start in enumerate(starts)
    }
    counted = {
        f"{name}_{state}": Count("pk", filter=Q(ended_at__gte=since, ended_at__lt=before, state=state))
        for name, (since, before) in spans.items()
        for state in (Deadline.State.MET, Deadline.State.MISSED)
    }
    ended = Deadline.objects.filter(kind__in=PROMISED, ended_at__gte=min(starts[0], today.replace(day=1)))
    ended = ended.filter(appeal__shop__in=[scope.shop] if scope.shop else shops)
    counts = (ended.filter(appeal__assignee=user) if scope.mine else ended).aggregate(**counted)
    shares = {name: _share(counts[f"{name}_met"], counts[f"{name}_missed"]) for name in spans}
    return shares["month"], [{"start": start, "share": shares[f"week{index}"]} for index, start in enumerate(starts)]


def _share(kept: int, late: int) -> Share | None:
    """None where nothing ended."""
    total = kept + late
    return {"kept": kept, "total": total, "percent": round(100 * kept / total)} if total else None


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
