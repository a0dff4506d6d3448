"""Filters of lists that refuse what they cannot read."""

import re
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from django_filters.fields import ModelChoiceField
from drf_spectacular.utils import extend_schema_field

from marketplaces.api.fields import FAR_YEAR
from marketplaces.api.moments import FarYearError, read_moment_of_address
from marketplaces.models import (
    Audience,
    Channel,
    EscalationStep,
    Marketplace,
    ResponseTarget,
    State,
    Topic,
)


class _MomentField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return read_moment_of_address(text) if text else None
        except FarYearError as error:
            raise ValidationError(FAR_YEAR, code="out_of_range") from error
        except ValueError as error:
            message = _("This is no time in ISO 8601 with an offset, such as 2026-01-12T10:00:00+03:00.")
            raise ValidationError(message, code="moment") from error


class _FlagField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        if value in ("", None):
            return None
        if value not in ("true", "false"):
            raise ValidationError(_("One of: true, false."), code="invalid")
        return value == "true"


class _Described(filters.Filter):
    """A filter whose form the schema tells: `schema`, and the help text of the field."""

    schema: dict[str, Any]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        extend_schema_field({**self.schema, "description": kwargs.get("help_text", "")})(self)


class MomentFilter(_Described):
    field_class = _MomentField
    schema = {"type": "string", "format": "date-time"}


class FlagFilter(_Described):
    field_class = _FlagField
    schema = {"type": "boolean"}


class SlugFilter(_Described, filters.ModelChoiceFilter):
    """By the slug of a row that there is."""

    schema = {"type": "string", "pattern": "^[-a-zA-Z0-9_]{1,60}$"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"to_field_name": "slug", **kwargs})


class _KeyField(ModelChoiceField):
    def to_python(self, value: Any) -> Any:
        if value and not re.fullmatch("[0-9]{1,18}", str(value)):
            raise ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice", params={"value": value}
            )
        return super().to_python(value)


class KeyFilter(_Described, filters.ModelChoiceFilter):
    """By the number of a row that there is. A `queryset` that takes the request names those that the caller sees."""

    field_class = _KeyField
    schema = {"type": "integer", "minimum": 1}


class TextFilter(_Described, filters.CharFilter):
    def __init__(self, *, max_length: int = 300, **kwargs: Any) -> None:
        self.schema = {"type": "string", "minLength": 1, "maxLength": max_length, "pattern": r"\S"}
        super().__init__(max_length=max_length, **kwargs)


class Asked(filters.FilterSet):
    """Only the filters that are asked for: a copy and a form of all of them cost more than the page itself."""

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        known: dict[str, filters.Filter] = self.base_filters  # type: ignore[has-type]
        self.base_filters = {name: one for name, one in known.items() if name in (data or ())}
        super().__init__(data, *args, **kwargs)


class MarketplaceRows(Asked):
    marketplace = SlugFilter(queryset=Marketplace.objects.all(), help_text="Slug of the marketplace.")


class Channels(MarketplaceRows):
    kind = filters.ChoiceFilter(choices=Channel.Kind.choices)
    audience = filters.ChoiceFilter(choices=Audience.choices)
    state = filters.ChoiceFilter(choices=State.choices)
    needs_login = FlagFilter(help_text="Whether it can be used only from the seller account.")
    topic = SlugFilter(
        queryset=Topic.objects.all(),
        method="made_for",
        help_text="Slug of a topic: channels made for it, and those made for any topic.",
    )
    open_now = FlagFilter(method="open_or_not", help_text="Whether it is open now. Where nobody knows, it is neither.")
    open_at = MomentFilter(method="is_open", help_text="Channels that are open at this time.")

    class Meta:
        model = Channel
        fields: list[str] = []

    def made_for(self, rows: QuerySet[Channel], name: str, topic: Topic) -> QuerySet[Channel]:
        bound = Channel.topics.through.objects.filter(channel=OuterRef("pk"))
        return rows.filter(Q(pk__in=topic.channels.values("pk")) | ~Exists(bound))

    def open_or_not(self, rows: QuerySet[Channel], name: str, is_open: bool) -> QuerySet[Channel]:
        return _by_openness(rows, timezone.now(), is_open)

    def is_open(self, rows: QuerySet[Channel], name: str, at: datetime) -> QuerySet[Channel]:
        return _by_openness(rows, at, True)


class Topics(Asked):
    marketplace = SlugFilter(
        queryset=Marketplace.objects.all(),
        method="serving",
        help_text="Slug of the marketplace: its topics, and those that serve all.",
    )

    class Meta:
        model = Topic
        fields: list[str] = []

    def serving(self, rows: QuerySet[Topic], name: str, marketplace: Marketplace) -> QuerySet[Topic]:
        return rows.filter(Q(marketplace=marketplace) | Q(marketplace=None))


class ResponseTargets(MarketplaceRows):
    kind = filters.ChoiceFilter(choices=ResponseTarget.Kind.choices)
    topic = SlugFilter(queryset=Topic.objects.all(), help_text="Slug of the topic that the target names.")
    channel = KeyFilter(queryset=Channel.objects.all(), help_text="Number of the channel that the target names.")

    class Meta:
        model = ResponseTarget
        fields: list[str] = []


class EscalationSteps(MarketplaceRows):
    audience = filters.ChoiceFilter(choices=Audience.choices)
    state = filters.ChoiceFilter(choices=State.choices)

    class Meta:
        model = EscalationStep
        fields: list[str] = []


def _by_openness(rows: QuerySet[Channel], at: datetime, is_open: bool) -> QuerySet[Channel]:
    """Opening hours are an expression, which no database can evaluate; the directory is some hundred rows."""
    found = [channel.pk for channel in rows.select_related("marketplace") if channel.is_open(at) is is_open]
    return rows.filter(pk__in=found)
