"""The steps of the escalation path as a choice: for each what to do, what it needs, and its letter."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from appeals import escalation, letters, review, wording
from appeals.admin.fields import explained
from appeals.letters import speech
from appeals.models import Appeal
from appeals.review import content
from marketplaces import addresses
from marketplaces.models import Channel, EscalationStep


class StepField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """The steps as a ladder: when, where and how, what to attach and what is not there yet, and the letter to send."""

    widget = forms.RadioSelect
    appeal: Appeal
    unmet: dict[int, list[escalation.Unmet]]
    lacks: str

    def look_at(self, appeal: Appeal) -> None:
        """Finds what the steps need and the appeal has not. The queryset is set before."""
        queryset: Any = self.queryset
        self.appeal = appeal
        self.unmet = escalation.unmet(appeal, queryset, timezone.now())
        self.lacks = _lacks(appeal)

    def label_from_instance(self, obj: EscalationStep) -> SafeString:
        channel = obj.channel
        parts = [
            (_("When"), obj.text("when_to_take")),
            (_("First"), speech.sentence("; ".join(map(_first, self.unmet.get(obj.pk, []))))),
            (_("Where"), _place(channel) if channel else ""),
            (_("How"), obj.text("instructions")),
            (_("Attach"), obj.text("attach")),
            (_("Check the appeal"), self.lacks if obj.attach else ""),
            (_("Letter"), self._letter(obj)),
        ]
        lines = [format_html("<span><i>{}:</i> {}</span>", name, text) for name, text in parts if text]
        return explained(obj.text("name"), SafeString("".join(lines)))

    def _letter(self, step: EscalationStep) -> SafeString | str:
        if not step.letter:
            return ""
        url = reverse("admin:appeals_appeal_letter", args=[self.appeal.pk, step.letter])
        name = letters.Offer(letters.Kind(step.letter), True).label
        return format_html('<a href="{}" data-dialog>{}</a>', url, name)


def _place(channel: Channel) -> SafeString:
    """Opened in another tab: the form with what is typed stays."""
    url, opens = addresses.link(channel), wording.open_now(channel, timezone.now())
    opened = format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', url, channel.address)
    parts = [channel.text("name"), opened if url else channel.address, opens]
    return format_html("{}.", format_html_join(", ", "{}", ((part,) for part in parts if part)))


def _first(unmet: escalation.Unmet) -> str:
    words = {"step": unmet.step.text("name")}
    if unmet.due_at is None:
        return _("“%(step)s”, which is not noted here") % words
    return _("“%(step)s”: its term runs %(until)s") % {**words, "until": wording.until(unmet.due_at)}


def _lacks(appeal: Appeal) -> str:
    """What the review misses in the appeal."""
    found = content.lacking(review.Facts.of(appeal))
    return " ".join(one.message for one in found if one.severity != review.Severity.HINT)
