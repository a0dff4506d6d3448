"""The filters of the list of appeals."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter

from appeals.admin import needs
from appeals.models import Appeal, Shop
from appeals.templatetags.workplace import roubles
from marketplaces.models import Marketplace, Topic

LEAST = (1_000, 10_000, 100_000)
Lookups = list[tuple[str, Any]]


class TurnFilter(RadioFilter):
    title = _("whose turn")
    parameter_name = "turn"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        return [(str(turn.value), turn.label) for turn in needs.TURNS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        return queryset.filter(_chosen(needs.TURNS, self.value())) if self.value() else queryset


class DueFilter(RadioFilter):
    title = _("the term")
    parameter_name = "due"
    conditions = {"overdue": needs.overdue, "today": needs.due_today, "later": needs.due_later}

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        return [("overdue", _("overdue")), ("today", _("due today")), ("later", _("due later"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        if not self.value():
            return queryset
        return queryset.filter(_chosen(self.conditions, self.value())(timezone.now()))


class StatusFilter(RadioFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        return [("open", _("still open")), *Appeal.Status.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        if not self.value():
            return queryset
        if self.value() == "open":
            return queryset.filter(needs.OPEN)
        return queryset.filter(status=_chosen({value: value for value in Appeal.Status.values}, self.value()))


class MarketplaceFilter(DropdownFilter):
    title = _("marketplace")
    parameter_name = "marketplace"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        rows = Marketplace.objects.filter(shops__in=Shop.objects.visible_to(request.user)).distinct()
        return [(row.slug, str(row)) for row in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        return queryset.filter(shop__marketplace__slug=self.value()) if self.value() else queryset


class ShopFilter(DropdownFilter):
    title = _("shop")
    parameter_name = "shop"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        return [(str(row.pk), str(row)) for row in Shop.objects.visible_to(request.user)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        return queryset.filter(shop=_number(self.value())) if self.value() else queryset


class TopicFilter(DropdownFilter):
    title = _("topic")
    parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        return [(row.slug, str(row)) for row in Topic.objects.filter(retired_at=None)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        return queryset.filter(topic__slug=self.value()) if self.value() else queryset


class AssigneeFilter(DropdownFilter):
    title = _("assignee")
    parameter_name = "assignee"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        shops = Shop.objects.visible_to(request.user)
        people = get_user_model().objects.filter(Q(memberships__shop__in=shops) | Q(pk=request.user.pk)).distinct()
        rows = [(str(person.pk), str(person)) for person in people]
        return [("me", _("me")), ("nobody", _("nobody")), *rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        if not self.value():
            return queryset
        if self.value() == "nobody":
            return queryset.filter(assignee=None)
        return queryset.filter(assignee=request.user.pk if self.value() == "me" else _number(self.value()))


class MoneyFilter(RadioFilter):
    title = _("money at stake")
    parameter_name = "money"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        return [(str(least), _("from %(amount)s") % {"amount": roubles(least)}) for least in LEAST]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        if not self.value():
            return queryset
        return queryset.filter(amount_at_stake__gte=_chosen({str(least): least for least in LEAST}, self.value()))


ALL: list[Any] = [
    TurnFilter,
    DueFilter,
    StatusFilter,
    MarketplaceFilter,
    ShopFilter,
    TopicFilter,
    AssigneeFilter,
    MoneyFilter,
]


def _chosen(choices: dict[Any, Any], value: str) -> Any:
    """The choice that a link names; an unknown one shows the whole list with a note, as the admin does elsewhere."""
    if value not in choices:
        raise IncorrectLookupParameters
    return choices[value]


def _number(value: str) -> int:
    if not value.isdecimal():
        raise IncorrectLookupParameters
    return int(value)
