"""What each move of an appeal's life takes."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from appeals.models import Appeal, Event
from marketplaces.api.examples import example
from marketplaces.api.fields import Key, KnownFields, Moment, Roubles, Text
from marketplaces.models import Channel, EscalationStep

AT = _("When it happened; without it: now. It may lie in the past, never in the future or before the last move.")
LONGEST_TEXT = 100_000


def _at() -> Moment:
    return Moment(required=False, help_text=AT)


def _number() -> Text:
    return Text(required=False, allow_blank=True, max_length=100, help_text=_("Number that the marketplace gave."))


def _note(**kwargs: Any) -> Text:
    return Text(max_length=10_000, **kwargs)


@example("sent yesterday", {"external_number": "7-123456", "at": "2026-10-05T10:00:00+03:00"})
class SubmitSerializer(KnownFields):
    channel = Key(queryset=Channel.objects.all(), required=False, help_text=_("The channel it went out through."))
    external_number = _number()
    at = _at()


@example("a question", {"kind": "question", "text": "Which order is it about?", "at": "2026-10-05T12:30:00+03:00"})
class ReplySerializer(KnownFields):
    kind = serializers.ChoiceField(choices=Event.ReplyKind.choices)
    text = Text(max_length=LONGEST_TEXT)
    at = _at()


@example("our answer", {"text": "Order 12345678-0001."})
class MessageSerializer(KnownFields):
    text = Text(max_length=LONGEST_TEXT)
    at = _at()


@example("a complaint", {"step": 3, "external_number": "C-77", "note": "No answer in 3 working days."})
class EscalateSerializer(KnownFields):
    step = Key(queryset=EscalationStep.objects.all())
    external_number = _number()
    at = _at()
    note = _note(required=False, allow_blank=True)


@example("half of it", {"outcome": "partly_granted", "amount_recovered": "6250.00", "note": "Half was paid."})
class ResolveSerializer(KnownFields):
    outcome = serializers.ChoiceField(choices=Appeal.Outcome.choices)
    amount_recovered = Roubles(required=False, allow_null=True)
    note = _note(required=False, allow_blank=True)


@example("not paid after all", {"note": "The payment did not come."})
class ReopenSerializer(KnownFields):
    note = _note(help_text=_("Why the matter was not over."))


@example("until Monday", {"until": "2026-10-12T09:00:00+03:00", "note": "They asked for a week."})
class SnoozeSerializer(KnownFields):
    until = Moment(allow_null=True, help_text=_("Nobody is reminded before; null ends the silence."))
    note = _note(required=False, allow_blank=True)


@example("the last change", {})
class UndoSerializer(KnownFields):
    event = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=10**18 - 1,
        help_text=_("Number of the event to undo; without it: the last change."),
    )
