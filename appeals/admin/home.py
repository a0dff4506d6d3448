"""The first page of the morning: what needs me now, by urgency; each figure opens the list that it counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Case, Exists, OuterRef, Q, Value, When, prefetch_related_objects
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from appeals import wording
from appeals.admin import kept, needs
from appeals.admin.people import own_shops, reader
from appeals.models import Appeal, Deadline, Event, Shop
from appeals.models.appeal import AppealQuerySet
from marketplaces.models import Marketplace

if TYPE_CHECKING:
    from hub.models import User

ROWS = 7
FIRST = 3  # whoever has logged more appeals knows the way


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
    shops = own_shops(request)
    if not shops:
        return context | {"has_shop": False}
    scope = _scope(request, shops)
    appeals = scope.narrow(Appeal.objects.visible_to(user), request)
    counted = _counted(request).mine if scope.mine else _counted(request).team
    by_shop = {scope.shop.pk: counted[scope.shop.pk]} if scope.shop else counted
    figures = sum(by_shop.values(), Counter())
    return context | {
        "has_shop": True,
        "first_steps": _first_steps(request),
        "shops": shops,
        "scope": scope,
        "lists": _lists(appeals, figures, scope, now),
        "at_stake": appeals.filter(needs.OPEN).at_stake(),
        "open_url": _listed(scope, status="open"),
        **_kept(scope, shops, user, now),
        "marketplaces": _overdue_by_marketplace(by_shop, shops, scope),
    }


class FirstSteps(NamedTuple):
    """How far the team has come: it has a shop, and logged an appeal, whose reply it has not noted yet."""

    sent: Appeal | None


def _first_steps(request: HttpRequest) -> FirstSteps | None:
    """Nothing for a team that has gone them."""
    if sum(counts(request).values()) > FIRST:
        return None
    reply = Event.objects.standing().filter(appeal=OuterRef("pk"), kind=Event.Kind.REPLY)
    gone = Q(status=Appeal.Status.RESOLVED) | Q(Exists(reply))
    appeals: Any = Appeal.objects.visible_to(reader(request)).order_by().annotate(is_gone=gone).only("status")
    logged = list(appeals[: FIRST + 1])
    if len(logged) > FIRST or any(appeal.is_gone for appeal in logged):
        return None
    return FirstSteps(next((appeal for appeal in logged if appeal.status != Appeal.Status.DRAFT), None))


class Counted(NamedTuple):
    """How long each list is, by shop: the whole team's, and of it mine where the page asks for mine."""

    team: dict[int, Counter[str]]
    mine: dict[int, Counter[str]]


def counts(request: HttpRequest) -> Counter[str]:
    """How long each list of the whole team is, for the menu: one query for a page, the home page too."""
    return sum(_counted(request).team.values(), Counter())


def _counted(request: HttpRequest) -> Counted:
    if not own_shops(request):
        return Counted({}, {})
    if not hasattr(request, "hub_counted"):
        request.hub_counted = _count(reader(request), "mine" in request.GET, timezone.now())  # type: ignore[attr-defined]
    counted: Counted = request.hub_counted  # type: ignore[attr-defined]
    return counted


def _count(user: User, mine: bool, now: datetime) -> Counted:
    """Grouped by status too, because SQLite then reads the index of these lists alone."""
    is_mine = Case(When(assignee=user.pk, then=Value(1)), default=Value(0)) if mine else Value(0)
    unresolved = Appeal.objects.visible_to(user).filter(needs.UNRESOLVED).order_by().annotate(is_mine=is_mine)
    counted = Counted(defaultdict(Counter), defaultdict(Counter))
    groups = unresolved.values_list("status", "shop", "is_mine").annotate(**needs.counted(now))
    for _status, shop, of_mine, *lengths in groups:
        found = dict(zip(needs.NEEDS, lengths, strict=True))
        counted.team[shop].update(found)
        if of_mine:
            counted.mine[shop].update(found)
    return counted


def _scope(request: HttpRequest, shops: list[Shop]) -> Scope:
    wanted = request.GET.get("shop", "")
    return Scope("mine" in request.GET, next((shop for shop in shops if str(shop.pk) == wanted), None))


def _listed(scope: Scope, **filters: str) -> str:
    return f"{reverse('admin:appeals_appeal_changelist')}?{urlencode(filters | scope.query)}"


def _lists(appeals: AppealQuerySet, figures: Counter[str], scope: Scope, now: datetime) -> list[dict[str, Any]]:
    found = {key: _first(appeals, key, now) for key in needs.NEEDS if figures[key] and key != "overdue"}
    found["overdue"] = _overdue([*found.get("our_turn", []), *found.get("waiting", [])], now)
    if len(found["overdue"]) < min(figures["overdue"], ROWS):
        found["overdue"] = _first(appeals, "overdue", now)
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


def _first(appeals: AppealQuerySet, key: str, now: datetime) -> list[Appeal]:
    need = needs.NEEDS[key]
    rows = appeals.filter(need.condition(now)).order_by(*need.ordering)
    return list(rows.select_related("shop__marketplace", "assignee").defer(*needs.LONG)[:ROWS])


def _overdue(soonest: Iterable[Appeal], now: datetime) -> list[Appeal]:
    """The first of the overdue ones: whoever's turn it is, they are the first of that list, too."""
    late = [(one.next_due_at, one.pk, one) for one in soonest if one.next_due_at and one.next_due_at < now]
    return [one for _due, _pk, one in sorted(late)[:ROWS]]


def _row(appeal: Appeal, now: datetime) -> dict[str, Any]:
    clock = needs.running(appeal)
    return {
        "appeal": appeal,
        "due": f"{wording.remaining(clock, now)}, {wording.until(clock.due_at, now)}" if clock else "",
        "late": wording.lateness(clock, now) if clock and clock.is_late(now) else "",
    }


def _kept(scope: Scope, shops: list[Shop], user: User, now: datetime) -> dict[str, dict[str, Any] | list[Any]]:
    """Whether the marketplaces replied in time: this month, and in each of the last weeks."""
    weeks = kept.last_weeks(now)
    deadlines = Deadline.objects.filter(appeal__shop__in=[scope.shop] if scope.shop else shops)
    if scope.mine:
        deadlines = deadlines.filter(appeal__assignee=user)
    shares = kept.shares(deadlines, {name: kept.span(name, now) for name in (kept.MONTH, *weeks)})
    shown = [
        {
            "start": kept.week(name).since if name != kept.MONTH else None,
            "share": share,
            "all_url": _listed(scope, replied=name),
            "kept_url": _listed(scope, replied=name, kept="yes"),
        }
        for name, share in shares.items()
    ]
    return {"month": shown[0], "weeks": shown[1:]}


def _overdue_by_marketplace(by_shop: dict[int, Counter[str]], shops: list[Shop], scope: Scope) -> list[dict[str, Any]]:
    counts: Counter[Marketplace] = Counter()
    for shop in shops:
        counts[shop.marketplace] += by_shop.get(shop.pk, Counter())["overdue"]
    return [
        {
            "name": str(place),
            "count": count,
            "url": _listed(scope, due="overdue", marketplace=place.slug),
        }
        for place, count in counts.most_common()
        if count
    ]
