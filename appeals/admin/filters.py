"""The filters of the list of appeals."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter

from appeals.admin import kept, needs
from appeals.admin.people import own_shops
from appeals.models import Appeal, Incident, Shop
from marketplaces.amounts import roubles
from marketplaces.models import Topic

NUMBER = re.compile("[0-9]{1,18}")
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
        places = {shop.marketplace for shop in own_shops(request)}
        return [(place.slug, str(place)) for place in sorted(places, key=str)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        return queryset.filter(shop__marketplace__slug=_text(self.value())) if self.value() else queryset


class ShopFilter(DropdownFilter):
    title = _("shop")
    parameter_name = "shop"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        return [(str(shop.pk), str(shop)) for shop in own_shops(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        return queryset.filter(shop=_number(self.value())) if self.value() else queryset


class TopicFilter(DropdownFilter):
    title = _("topic")
    parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        return [(row.slug, str(row)) for row in Topic.objects.filter(retired_at=None)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        return queryset.filter(topic__slug=_text(self.value())) if self.value() else queryset


class AssigneeFilter(DropdownFilter):
    title = _("assignee")
    parameter_name = "assignee"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        """Those who may be assigned, members with a closed account too; the reader once, as the address names them."""
        shops, own = Shop.objects.visible_to(request.user), str(request.user.pk)
        known = Q(memberships__shop__in=shops) | Q(is_superuser=True, is_active=True)
        people = get_user_model().objects.filter(known).exclude(pk=own).distinct()
        me = own if request.GET.get(self.parameter_name) == own else "me"
        return [(me, _("me")), ("nobody", _("nobody")), *((str(person.pk), str(person)) for person in people)]

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


class RepliedFilter(DropdownFilter):
    """When a promise of the marketplace ended: this month, or in the week that begins on the day of the address."""

    title = _("reply was due or came")
    parameter_name = "replied"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        weeks = dict.fromkeys(reversed(kept.last_weeks(timezone.now())))
        with suppress(ValueError):
            weeks |= {name: None for name in (_period(request),) if name and name != kept.MONTH and kept.week(name)}
        return [(kept.MONTH, _("this month")), *((name, _week(name)) for name in weeks)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        return kept.narrow(queryset, _span(self.value()), None) if self.value() else queryset


class KeptFilter(RadioFilter):
    """Whether the marketplace replied in time: then, when the other filter names a time, otherwise ever."""

    title = _("reply in time")
    parameter_name = "kept"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        return [("yes", _("in time")), ("no", _("late"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        if not self.value():
            return queryset
        late = _chosen({"yes": False, "no": True}, self.value())
        return kept.narrow(queryset, _span(_period(request)), late)


class IncidentFilter(RadioFilter):
    """Offered only where an incident is looked at already: its page leads here."""

    title = _("incident")
    parameter_name = "incident"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Appeal]) -> Lookups:
        wanted = request.GET.get(self.parameter_name, "")
        if not NUMBER.fullmatch(wanted):
            return []
        return [(str(row.pk), str(row)) for row in Incident.objects.visible_to(request.user).filter(pk=wanted)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        return queryset.filter(incident=_number(self.value())) if self.value() else queryset


ALL: list[Any] = [
    TurnFilter,
    DueFilter,
    StatusFilter,
    MarketplaceFilter,
    ShopFilter,
    TopicFilter,
    AssigneeFilter,
    MoneyFilter,
    RepliedFilter,
    KeptFilter,
    IncidentFilter,
]


def known(given: QueryDict) -> str:
    """The part of an address that a view keeps: filters, search and order, of one value each."""
    names = ("q", "o", *(one.parameter_name for one in ALL))
    return urlencode({name: given[name] for name in names if given.get(name)})


def _period(request: HttpRequest) -> str:
    return request.GET.get(RepliedFilter.parameter_name, "")


def _span(name: str) -> kept.Span | None:
    """The time that an address names; an unknown one shows the whole list with a note."""
    try:
        return kept.span(name, timezone.now()) if name else None
    except ValueError as error:
        raise IncorrectLookupParameters from error


def _week(name: str) -> str:
    return _("week from %(day)s") % {"day": date_format(kept.week(name).since, "j E Y")}


def _chosen(choices: dict[Any, Any], value: str) -> Any:
    """The choice that a link names; an unknown one shows the whole list with a note, as the admin does elsewhere."""
    if value not in choices:
        raise IncorrectLookupParameters
    return choices[value]


def _text(value: str) -> str:
    """Without what PostgreSQL refuses to compare with."""
    if "\0" in value:
        raise IncorrectLookupParameters
    return value


def _number(value: str) -> int:
    if not NUMBER.fullmatch(value):
        raise IncorrectLookupParameters
    return int(value)
