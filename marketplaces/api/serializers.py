"""Rows of the directory on the wire."""

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from marketplaces.api.examples import example
from marketplaces.api.fields import Flag, Key, KnownFields, Moment, OrNull, RowSerializer, Slug, Text, Whole, now_of
from marketplaces.api.rows import DirectoryRowSerializer
from marketplaces.hours_text import describe
from marketplaces.models import (
    Audience,
    Channel,
    EscalationStep,
    Marketplace,
    Priority,
    ResponseTarget,
    State,
    Topic,
)
from marketplaces.working_time import Unit

LONGEST = int(timedelta(days=3660).total_seconds())
PROVENANCE = ("source", "source_grade", "verified_on")


class MarketplaceSerializer(RowSerializer):
    seller_portal = Text(read_only=True, help_text="Its address; empty: not known.")

    class Meta:
        model = Marketplace
        fields = (
            "slug",
            "name",
            "seller_portal",
            "time_zone",
            "legal_entity",
            "postal_address",
            "ticket_number_pattern",
        )
        read_only_fields = fields


class Seconds(Whole):
    """A length of time in whole seconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": LONGEST, "allow_null": True, "required": False, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        seconds = super().run_validation(data)
        return seconds if seconds is None else timedelta(seconds=seconds)

    def to_representation(self, value: timedelta) -> int:  # type: ignore[override]
        return int(value.total_seconds())


class FirstReplySerializer(KnownFields):
    """How soon a first reply comes, as the sources say, in seconds."""

    typical = Seconds(source="first_reply_typical")
    worst = Seconds(source="first_reply_worst")


class OpeningHoursTextSerializer(serializers.Serializer[Any]):
    ru = serializers.CharField()
    en = serializers.CharField()


@example(
    "an address for letters",
    {
        "marketplace": "ozon",
        "kind": "email",
        "name": "Почта для претензий",
        "address": "claims@example.com",
        "opening_hours": "Mo-Fr 09:00-18:00; PH off",
        "works_without_account": True,
    },
)
class ChannelSerializer(DirectoryRowSerializer):
    marketplace = Slug(queryset=Marketplace.objects.all())
    address = Text(max_length=500, allow_blank=True)
    time_zone = Text(max_length=64, required=False, help_text="Without one: the zone of the marketplace.")
    first_reply = FirstReplySerializer(source="*", required=False)
    topics = Slug(
        queryset=Topic.objects.all(), many=True, required=False, help_text="Topics it is made for. None: any topic."
    )
    is_open = serializers.SerializerMethodField(help_text="Null where nobody knows the hours.")
    opens_at = serializers.SerializerMethodField(help_text="The next opening, if it is closed now.")
    closes_at = serializers.SerializerMethodField(help_text="The next closing, if it is open now and ever closes.")
    opening_hours_text = serializers.SerializerMethodField(help_text="Null where nobody knows the hours.")

    lists = ("topics",)

    class Meta:
        model = Channel
        fields = (
            "id",
            "marketplace",
            "kind",
            "name",
            "address",
            "instructions",
            "audience",
            "opening_hours",
            "time_zone",
            "needs_login",
            "works_without_account",
            "state",
            "first_reply",
            "topics",
            *PROVENANCE,
            "is_open",
            "opens_at",
            "closes_at",
            "opening_hours_text",
        )
        extra_kwargs: dict[str, dict[str, Any]] = {
            "opening_hours": {
                "help_text": "An OpenStreetMap opening_hours expression, such as `Mo-Fr 09:00-18:00; PH off`."
                " Empty: nobody knows them."
            },
            "verified_on": {"help_text": "The day on which it was last compared with its source."},
            "audience": {"choices": Audience.choices},
            "state": {"choices": State.choices},
        }

    def validate_topics(self, topics: list[Topic]) -> list[Topic]:
        marketplace = (
            self.instance.marketplace if self.instance else self.fields["marketplace"].get_value(self.initial_data)
        )
        slug = marketplace.slug if isinstance(marketplace, Marketplace) else marketplace
        for topic in topics:
            if topic.marketplace and topic.marketplace.slug != slug:
                raise ValidationError(_("It belongs to another marketplace."), code="invalid")
        return topics

    def get_is_open(self, channel: Channel) -> bool | None:
        return channel.is_open(now_of(self))

    def get_opens_at(self, channel: Channel) -> datetime | None:
        return Moment().to_representation(channel.hours.opens_at(now_of(self))) if channel.hours else None

    def get_closes_at(self, channel: Channel) -> datetime | None:
        return Moment().to_representation(channel.hours.closes_at(now_of(self))) if channel.hours else None

    @extend_schema_field(OpeningHoursTextSerializer(allow_null=True))
    def get_opening_hours_text(self, channel: Channel) -> dict[str, str] | None:
        if not channel.opening_hours:
            return None
        return {language: describe(channel.opening_hours, channel.zone, language) for language in ("ru", "en")}


@example(
    "returns",
    {"slug": "lost-returns", "name": "Потерянные возвраты", "required": ["order_number"]},
)
class TopicSerializer(DirectoryRowSerializer):
    marketplace = Slug(
        queryset=Marketplace.objects.all(), allow_null=True, required=False, help_text="Null: it serves all of them."
    )
    examples = serializers.ListField(child=Text(max_length=300), max_length=50, required=False)
    required = serializers.ListField(  # type: ignore[assignment]
        child=serializers.ChoiceField(choices=Topic.Required.choices),
        max_length=20,
        required=False,
        help_text="What an appeal on this topic must carry.",
    )

    made_with = ("marketplace", "slug")

    class Meta:
        model = Topic
        fields = ("slug", "marketplace", "name", "examples", "required", *PROVENANCE)


@example(
    "three working days for an answer about money",
    {"kind": "answer", "marketplace": "ozon", "topic": "finance", "amount": 3, "unit": "working_days"},
)
class ResponseTargetSerializer(DirectoryRowSerializer):
    marketplace = Slug(queryset=Marketplace.objects.all())
    topic = Slug(queryset=Topic.objects.all(), allow_null=True, required=False)
    channel = Key(queryset=Channel.objects.all(), allow_null=True, required=False)
    priority = OrNull(choices=Priority.choices, required=False)
    is_complex = Flag(allow_null=True, required=False)
    amount = Whole(min_value=1, max_value=1_000_000)

    class Meta:
        model = ResponseTarget
        fields = (
            "id",
            "kind",
            "marketplace",
            "topic",
            "channel",
            "priority",
            "is_complex",
            "amount",
            "unit",
            *PROVENANCE,
        )


@example(
    "a formal claim",
    {"marketplace": "ozon", "position": 4, "name": "Претензия", "term_amount": 30, "term_unit": "calendar_days"},
)
class EscalationStepSerializer(DirectoryRowSerializer):
    marketplace = Slug(queryset=Marketplace.objects.all())
    channel = Key(queryset=Channel.objects.all(), allow_null=True, required=False)
    position = Whole(min_value=0, max_value=1000, help_text="Its place on the path.")
    term_amount = Whole(min_value=1, max_value=10_000, allow_null=True, required=False)
    term_unit = OrNull(choices=Unit.choices, required=False)
    letter = OrNull(choices=EscalationStep.Letter.choices, required=False, help_text="The letter that it needs.")
    requires = Key(
        queryset=EscalationStep.objects.all(), many=True, required=False, help_text="Steps that come before it."
    )

    lists = ("requires",)

    class Meta:
        model = EscalationStep
        fields = (
            "id",
            "marketplace",
            "position",
            "is_proposed",
            "audience",
            "name",
            "takes_place",
            "when_to_take",
            "channel",
            "instructions",
            "attach",
            "term_amount",
            "term_unit",
            "term_basis",
            "requires",
            "letter",
            "available_from",
            "state",
            *PROVENANCE,
        )
