"""The first page of the morning: what needs me now, by urgency; each list opens where it is counted."""

from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from appeals import wording
from appeals.admin import needs
from appeals.admin.people import reader
from appeals.models import Appeal, Shop

ROWS = 7


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by the admin's index page."""
    user, now = reader(request), timezone.now()
    if not user.has_perm("appeals.view_appeal"):
        return context
    context["has_shop"] = Shop.objects.visible_to(user).exists()
    if not context["has_shop"]:
        return context
    lengths = counts(request)
    listed = reverse("admin:appeals_appeal_changelist")
    context["lists"] = [
        {
            "key": key,
            "title": need.title,
            "empty": need.empty,
            "count": lengths[key],
            "url": f"{listed}?{need.query}",
            "rows": _rows(request, need, now) if lengths[key] else [],
        }
        for key, need in needs.NEEDS.items()
    ]
    open_appeals = Appeal.objects.visible_to(user).open()
    context["at_stake"] = open_appeals.aggregate(total=Sum("amount_at_stake"))["total"] or 0
    return context


def counts(request: HttpRequest) -> dict[str, int]:
    """How long each list is: one query for a page, though the menu asks too."""
    if not hasattr(request, "need_counts"):
        request.need_counts = needs.counts(reader(request), timezone.now())  # type: ignore[attr-defined]
    counted: dict[str, int] = request.need_counts  # type: ignore[attr-defined]
    return counted


def _rows(request: HttpRequest, need: needs.Need, now: datetime) -> list[dict[str, Any]]:
    found = Appeal.objects.visible_to(reader(request)).filter(need.condition(now)).order_by(*need.ordering)
    related = found.select_related("shop__marketplace", "assignee").prefetch_related(needs.CLOCKS)
    return [_row(appeal, now) for appeal in related[:ROWS]]


def _row(appeal: Appeal, now: datetime) -> dict[str, Any]:
    clock = needs.running(appeal)
    return {
        "appeal": appeal,
        "due": wording.until(clock.due_at, now) if clock else "",
        "late": wording.lateness(clock, now) if clock and clock.is_late(now) else "",
    }
