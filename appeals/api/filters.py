"""Filters of the lists of appeals and reminders."""

import json
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django_filters import rest_framework as filters

from appeals import chain
from appeals.models import Appeal, Deadline, Incident, Reminder, Shop
from marketplaces.api.filters import Asked, FlagFilter, KeyFilter, MomentFilter, SlugFilter, TextFilter
from marketplaces.models import Channel, Marketplace, Priority, Topic


def shops_of_caller(request: Any) -> QuerySet[Shop]:
    return Shop.objects.visible_to(request.user) if request else Shop.objects.none()


def appeals_of_caller(request: Any) -> QuerySet[Appeal]:
    return Appeal.objects.visible_to(request.user) if request else Appeal.objects.none()


def incidents_of_caller(request: Any) -> QuerySet[Incident]:
    return Incident.objects.visible_to(request.user) if request else Incident.objects.none()


class Appeals(Asked):
    marketplace = SlugFilter(
        queryset=Marketplace.objects.all(), method="on_marketplace", help_text="Slug of the marketplace."
    )
    shop = KeyFilter(queryset=shops_of_caller, help_text="Number of the shop.")
    status = filters.ChoiceFilter(choices=Appeal.Status.choices)
    turn = filters.ChoiceFilter(choices=Appeal.Turn.choices, method="whose_turn", help_text="Whose move it is.")
    topic = SlugFilter(queryset=Topic.objects.all(), help_text="Slug of the topic.")
    channel = KeyFilter(queryset=Channel.objects.all(), help_text="Number of the channel.")
    priority = filters.ChoiceFilter(choices=Priority.choices)
    assignee = TextFilter(method="assigned_to", max_length=254, help_text="E-mail of the assignee.")
    overdue = FlagFilter(method="late_or_not", help_text="Whether some running deadline is late now.")
    due_before = MomentFilter(field_name="next_due_at", lookup_expr="lt", help_text="Due before this time.")
    submitted_after = MomentFilter(
        field_name="submitted_at", lookup_expr="gte", help_text="Sent at this time or later."
    )
    submitted_before = MomentFilter(field_name="submitted_at", lookup_expr="lt", help_text="Sent before this time.")
    external_number = TextFilter(max_length=100, help_text="The number at the marketplace, whole.")
    matter = KeyFilter(
        queryset=appeals_of_caller,
        method="of_matter",
        help_text="Number of an appeal: all of its matter, those that it continues and those that continue it.",
    )
    incident = KeyFilter(queryset=incidents_of_caller, help_text="Number of the incident.")
    order_number = TextFilter(method="of_order", max_length=100, help_text="One of the order numbers, whole.")
    search = TextFilter(
        method="matching", help_text="Words that all stand in the subject, the body or a number; in any case."
    )

    class Meta:
        model = Appeal
        fields: list[str] = []

    def on_marketplace(self, rows: QuerySet[Appeal], name: str, marketplace: Marketplace) -> QuerySet[Appeal]:
        return rows.filter(shop__in=list(marketplace.shops.values_list("pk", flat=True)))

    def whose_turn(self, rows: QuerySet[Appeal], name: str, turn: str) -> QuerySet[Appeal]:
        return rows.filter(status__in=[status for status, whose in Appeal.TURNS.items() if whose == turn])

    def assigned_to(self, rows: QuerySet[Appeal], name: str, email: str) -> QuerySet[Appeal]:
        people = get_user_model()._default_manager.filter(email=email.lower())
        return rows.filter(assignee__in=list(people.values_list("pk", flat=True)))

    def late_or_not(self, rows: Any, name: str, is_late: bool) -> QuerySet[Appeal]:
        now: datetime = timezone.now()
        late: QuerySet[Appeal] = rows.overdue(now)
        return late if is_late else rows.filter(Q(next_due_at=None) | Q(next_due_at__gte=now))

    def of_order(self, rows: QuerySet[Appeal], name: str, number: str) -> QuerySet[Appeal]:
        if connections[rows.db].features.supports_json_field_contains:
            return rows.filter(order_numbers__contains=[number])
        # SQLite cannot look into a list; it holds it as the text that json.dumps made of it
        as_text = rows.alias(_orders=Cast("order_numbers", TextField()))
        return as_text.filter(_orders__contains=json.dumps(number))

    def of_matter(self, rows: QuerySet[Appeal], name: str, appeal: Appeal) -> QuerySet[Appeal]:
        return rows.filter(pk__in=list(chain.members(appeal).values_list("pk", flat=True)))

    def matching(self, rows: Any, name: str, text: str) -> QuerySet[Appeal]:
        found: QuerySet[Appeal] = rows.search(text)
        return found


class Reminders(Asked):
    appeal = KeyFilter(queryset=appeals_of_caller, field_name="deadline__appeal", help_text="Number of the appeal.")
    deadline = filters.ChoiceFilter(
        choices=Deadline.Kind.choices, field_name="deadline__kind", help_text="Kind of the deadline."
    )
    state = filters.ChoiceFilter(choices=Reminder.State.choices)

    class Meta:
        model = Reminder
        fields: list[str] = []
