"""Appeals on the wire, and what belongs to them."""

from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from appeals import story
from appeals.api.people import EmailOfPerson
from appeals.escalation import Paths
from appeals.models import Appeal, Attachment, Deadline, Event, Shop
from marketplaces.api.examples import example
from marketplaces.api.fields import (
    Flag,
    Key,
    KnownFields,
    Moment,
    OrNull,
    Roubles,
    RowSerializer,
    Shown,
    Slug,
    Text,
    now_of,
)
from marketplaces.citing import Citations
from marketplaces.models import Channel, EscalationStep, Topic
from marketplaces.working_time import Unit

STEP_SHOWN = ("marketplace", "position", "name", "name_en", "takes_place", "channel", "term_amount", "term_unit")


class ShopOfCaller(Key):
    """A shop that the caller works for; the others are not there for them."""

    def get_queryset(self) -> QuerySet[Shop]:
        return Shop.objects.visible_to(self.context["request"].user)

    def found(self, pk: int) -> Shop:
        return Shop.objects.one_visible_to(self.context["request"].user, pk) or self.fail(
            "does_not_exist", pk_value=pk
        )


class AppealOfCaller(Key):
    def get_queryset(self) -> QuerySet[Appeal]:
        return Appeal.objects.visible_to(self.context["request"].user)


class TargetSerializer(Shown):
    """An amount of time as it was promised."""

    amount = serializers.IntegerField(read_only=True)
    unit = serializers.ChoiceField(choices=Unit.choices, read_only=True)


class DeadlineSerializer(RowSerializer):
    target = TargetSerializer(source="*", read_only=True)
    overdue_seconds = serializers.SerializerMethodField(help_text="How late it is, or was when it ended; 0: not late.")

    class Meta:
        model = Deadline
        fields = ("kind", "state", "started_at", "due_at", "met_at", "target", "overdue_seconds")
        read_only_fields = fields

    def get_overdue_seconds(self, deadline: Deadline) -> int:
        return _seconds(deadline.overdue_by(now_of(self)))


class TakenStepSerializer(Shown):
    """A step of the escalation path that was taken."""

    id = serializers.IntegerField(source="step_id", allow_null=True, read_only=True, help_text="Number of the step.")
    name = serializers.SerializerMethodField()
    at = Moment(read_only=True)
    external_number = serializers.SerializerMethodField(help_text="Number that the marketplace gave it.")

    def get_name(self, event: Event) -> str:
        return str(event.step or "")

    def get_external_number(self, event: Event) -> str:
        return str(event.data.get("external_number", ""))


class NextStepSerializer(RowSerializer):
    """The step that the path proposes next."""

    name = serializers.SerializerMethodField()
    channel = serializers.IntegerField(
        source="channel_id", allow_null=True, read_only=True, help_text="Number of its channel."
    )
    term_unit = OrNull(choices=Unit.choices, read_only=True)

    class Meta:
        model = EscalationStep
        fields = ("id", "position", "name", "takes_place", "channel", "term_amount", "term_unit")
        read_only_fields = fields

    def get_name(self, step: EscalationStep) -> str:
        return step.text("name")

    def get_attribute(self, appeal: Any) -> EscalationStep | None:
        paths: Paths = self.top.context["paths"]
        return paths.next(appeal, appeal.escalations)

    def to_representation(self, step: EscalationStep) -> dict[str, Any]:
        context: Any = self.top.context
        shown: dict[int, Any] = context.setdefault("steps", {})  # the same few are next for all appeals of a page
        if step.pk not in shown:
            shown[step.pk] = super().to_representation(step)
        found: dict[str, Any] = shown[step.pk]
        return found


class EscalationSerializer(Shown):
    taken = TakenStepSerializer(many=True, source="escalations", read_only=True)
    next = NextStepSerializer(read_only=True, allow_null=True)


@example(
    "a payment that did not come",
    {
        "shop": 1,
        "topic": "finance",
        "subject": "Выплата за сентябрь не пришла",
        "body": "Заказы 12345678-0001 и 12345678-0002 доставлены, выплаты нет.",
        "desired_outcome": "Перечислить 12 500 рублей",
        "order_numbers": ["12345678-0001", "12345678-0002"],
        "amount_at_stake": "12500.00",
        "assignee": "agent@example.com",
        "client_reference": "erp:4711",
    },
)
class AppealSerializer(RowSerializer):
    shop = ShopOfCaller(help_text="Number of the shop. It stays as it was made.")
    topic = Slug(queryset=Topic.objects.all(), allow_null=True, required=False, help_text="Slug of the topic.")
    channel = Key(queryset=Channel.objects.all(), allow_null=True, required=False)
    desired_outcome = Text(required=False, allow_blank=True, max_length=5_000)
    order_numbers = serializers.ListField(child=Text(max_length=100), max_length=100, required=False)
    product_codes = serializers.ListField(child=Text(max_length=100), max_length=100, required=False)
    amount_at_stake = Roubles(allow_null=True, required=False)
    previous = AppealOfCaller(allow_null=True, required=False, help_text="Number of an earlier appeal of this shop.")
    assignee = EmailOfPerson(
        allow_null=True,
        required=False,
        help_text="E-mail of a member of the shop, who is reminded.",
        # The same for somebody else's member as for nobody: it must not tell who has an account here
        error_messages={"invalid": _("Only a member of the shop can be assigned.")},
    )
    is_complex = Flag(required=False, help_text="A complex case, for which some marketplaces promise other terms.")

    matter = serializers.IntegerField(
        source="matter_id",
        allow_null=True,
        read_only=True,
        help_text="Number of the first appeal of the matter that this one continues; null: it continues none.",
    )
    incident = serializers.IntegerField(
        source="incident_id",
        allow_null=True,
        read_only=True,
        help_text="Number of the incident that it was made for, among many.",
    )
    marketplace = serializers.SlugRelatedField[Any](slug_field="slug", source="shop.marketplace", read_only=True)
    status = serializers.ChoiceField(choices=Appeal.Status.choices, read_only=True)
    turn = serializers.ChoiceField(choices=Appeal.Turn.choices, read_only=True, help_text="Whose move it is.")
    outcome = OrNull(choices=Appeal.Outcome.choices, read_only=True)
    amount_recovered = Roubles(read_only=True, allow_null=True)
    created_by = EmailOfPerson(read_only=True)
    next_due_at = Moment(read_only=True, allow_null=True, help_text="The earliest due time of what runs.")
    is_overdue = serializers.SerializerMethodField()
    overdue_seconds = serializers.SerializerMethodField(help_text="How late it is; 0: not late.")
    escalation = EscalationSerializer(source="*", read_only=True)
    deadlines = DeadlineSerializer(many=True, source="clocks", read_only=True)
    url = serializers.SerializerMethodField(help_text="Its page for people.")

    class Meta:
        model = Appeal
        written = (
            "shop",
            "topic",
            "channel",
            "priority",
            "subject",
            "body",
            "desired_outcome",
            "order_numbers",
            "product_codes",
            "amount_at_stake",
            "external_number",
            "previous",
            "assignee",
            "is_complex",
            "client_reference",
        )
        read_only_fields = (
            "id",
            "matter",
            "incident",
            "marketplace",
            "status",
            "turn",
            "outcome",
            "amount_recovered",
            "created_by",
            "created_at",
            "submitted_at",
            "resolved_at",
            "snoozed_until",
            "next_due_at",
            "is_overdue",
            "overdue_seconds",
            "escalation",
            "deadlines",
            "url",
        )
        fields = ("id", *written, *read_only_fields[1:])

    def validate_shop(self, shop: Shop) -> Shop:
        if self.instance and self.instance.shop_id != shop.pk:
            raise ValidationError(_("An appeal stays with its shop."), code="fixed")
        return shop

    def get_is_overdue(self, appeal: Appeal) -> bool:
        return appeal.overdue_by(now_of(self)) is not None

    def get_overdue_seconds(self, appeal: Appeal) -> int:
        return _seconds(appeal.overdue_by(now_of(self)))

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, appeal: Appeal) -> str:
        return f"{settings.BASE_URL}{_page().format(appeal.pk)}"


class DataOfEvent(serializers.DictField):
    """What is kept as data is said in the caller's language."""

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        context: Any = self.context
        cite = context.setdefault("citations", Citations())  # read once for all events of a page
        told: dict[str, Any] = story.in_reader_language(value, cite)
        return super().to_representation(told)


class EventSerializer(RowSerializer):
    reply_kind = OrNull(choices=Event.ReplyKind.choices, read_only=True, help_text="Of a reply only.")
    at = Moment(read_only=True, help_text="When it happened.")
    recorded_at = Moment(read_only=True, help_text="When the hub was told.")
    actor = EmailOfPerson(read_only=True, help_text="Who did it here; null: the hub itself.")
    step = serializers.IntegerField(source="step_id", allow_null=True, read_only=True)
    undoes = serializers.IntegerField(
        source="undoes_id", allow_null=True, read_only=True, help_text="Number of the event that this one takes back."
    )
    is_undone = serializers.SerializerMethodField(help_text="It was taken back, and counts for nothing.")
    data = DataOfEvent(  # type: ignore[assignment]
        read_only=True, help_text="Details, by the kind of the event; names and sentences in the caller's language."
    )

    class Meta:
        model = Event
        fields = (
            *("id", "kind", "reply_kind", "at", "recorded_at", "actor", "text", "step", "undoes", "is_undone", "data"),
        )
        read_only_fields = fields

    def get_is_undone(self, event: Event) -> bool:
        return hasattr(event, "undone_by")


class AttachmentSerializer(RowSerializer):
    uploaded_by = EmailOfPerson(read_only=True)

    class Meta:
        model = Attachment
        fields = ("id", "name", "content_type", "size", "sha256", "uploaded_by", "created_at")
        read_only_fields = fields
        extra_kwargs: dict[str, dict[str, Any]] = {
            "content_type": {"help_text": "What the bytes are, whatever the file was called."},
            "size": {"help_text": "In bytes."},
        }


class UploadSerializer(KnownFields):
    file = serializers.FileField(
        help_text="At most 20 MB; a picture, PDF, office document, ZIP, video or plain text, by its bytes.",
    )


@cache
def _page() -> str:
    """The path of an appeal's page for people, with a place for its number: a path costs more than all the rest."""
    return Appeal(pk=0).get_absolute_url().replace("/0/", "/{}/")


def _seconds(late: timedelta | None) -> int:
    return int(late.total_seconds()) if late else 0
