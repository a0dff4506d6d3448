"""The form that makes many appeals from one text: what is the same for all, and for each shop its orders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from django import forms
from django.db.models import Q
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from appeals import incidents, orders, wording
from appeals.admin.fields import GroupedChoiceField, MomentField, zone_text
from appeals.admin.people import colleagues
from appeals.incidents import Facts, Part, Text
from appeals.models import Incident, IncidentBatch, Shop
from appeals.orders import Problem
from marketplaces.models import Channel, Priority, Topic

if TYPE_CHECKING:
    from hub.models import User


class Section(NamedTuple):
    """The fields of one shop."""

    shop: Shop
    channel: BoundField
    numbers: BoundField
    is_filled: bool


class Look(NamedTuple):
    """What would be made for one shop, and which numbers would be left out."""

    shop: Shop
    orders: int
    appeals: int
    problems: list[Problem]
    closed: str
    sample: str


class IncidentForm(forms.Form):
    """`seen` is what the person looked at last: another plan is shown again before it is made."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    title = forms.CharField(
        label=_("name of the incident"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("What happened, for the team: “Payments of 5 October did not come”."),
    )
    description = forms.CharField(
        label=_("description"), required=False, max_length=10_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    began_at = MomentField(label=_("began"))
    subject = forms.CharField(label=_("subject"), max_length=300, widget=UnfoldAdminTextInputWidget)
    body = forms.CharField(
        label=_("text"),
        max_length=90_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 7}),
    )
    desired_outcome = forms.CharField(
        label=_("desired outcome"),
        required=False,
        max_length=4_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    topic = GroupedChoiceField(queryset=Topic.objects.none(), label=_("topic"), required=False)
    priority = forms.ChoiceField(
        choices=Priority.choices,
        label=_("priority"),
        required=False,
        initial=Priority.NORMAL,
        widget=UnfoldAdminSelectWidget,
    )
    assignee: Any = forms.ModelChoiceField(None, label=_("assignee"), required=False, widget=UnfoldAdminSelectWidget)
    per_appeal = forms.IntegerField(
        label=_("orders in one appeal"),
        required=False,
        min_value=1,
        max_value=1000,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Empty: all orders of a shop in one appeal."),
    )
    again = forms.BooleanField(
        label=_("also orders that stand on an appeal already"), required=False, widget=UnfoldBooleanWidget
    )
    sent_at = MomentField(label=_("sent at"))

    def __init__(self, *args: Any, user: User, incident: Incident | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"token": uuid4(), "per_appeal": 1, "assignee": user.pk, **_known(incident)}
        self.incident = incident
        if incident:
            for name in ("title", "description", "began_at"):
                del self.fields[name]
        else:
            self.fields["began_at"].help_text = zone_text()
        self.shops = list(
            Shop.objects.visible_to(user).select_related("marketplace").order_by("marketplace__slug", "name")
        )
        self.fields["assignee"].queryset = colleagues(user)  # type: ignore[attr-defined]
        self.fields["topic"].widget.attrs["data-common"] = gettext("All marketplaces")
        here = Q(marketplace=None) | Q(marketplace__in={shop.marketplace_id for shop in self.shops})
        topics = Topic.objects.filter(here, retired_at=None).select_related("marketplace")
        self.fields["topic"].queryset = topics.order_by("marketplace__slug", "position", "slug")  # type: ignore[attr-defined]
        self.fields["sent_at"].help_text = zone_text(gettext("Empty: now. It may lie in the past."))
        places, text = (
            incidents.places(),
            gettext("%(numbers)s, %(shop)s, %(amount)s, %(count)s: those of each appeal."),
        )
        self.fields["subject"].help_text = text % places
        text = gettext("Put %(numbers)s where the order numbers of each appeal are to stand.")
        self.fields["body"].help_text = text % places
        self._add_shops()

    def _add_shops(self) -> None:
        usable = Channel.objects.usable_by_sellers().filter(marketplace__in={one.marketplace_id for one in self.shops})
        self.channels = {channel.pk: channel for channel in usable.select_related("marketplace").order_by("position")}
        for shop in self.shops:
            fitting = [one for one in self.channels.values() if one.marketplace_id == shop.marketplace_id]
            choices = [("", gettext("Choose")), *((one.pk, one.text("name")) for one in fitting)]
            self.fields[f"channel_{shop.pk}"] = forms.TypedChoiceField(
                label=_("channel"),
                required=False,
                choices=choices,
                coerce=int,
                empty_value=None,
                initial=fitting[0].pk if fitting else None,
                widget=UnfoldAdminSelectWidget,
            )
            self.fields[f"numbers_{shop.pk}"] = forms.CharField(
                label=_("order numbers"),
                required=False,
                max_length=200_000,
                help_text=_("In any form, or a table copied with its headings: order number, sum."),
                widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "spellcheck": "false"}),
            )

    def sections(self) -> Iterator[Section]:
        for shop in self.shops:
            numbers = self[f"numbers_{shop.pk}"]
            yield Section(shop, self[f"channel_{shop.pk}"], numbers, bool(numbers.value() or numbers.errors))

    def clean_priority(self) -> str:
        return self.cleaned_data["priority"] or Priority.NORMAL

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or self.cleaned_data
        if {"subject", "body", "desired_outcome"} <= facts.keys():
            self.text().check()
        pasted = {shop.pk: text for shop in self.shops if (text := facts.get(f"numbers_{shop.pk}"))}
        if not pasted:
            raise forms.ValidationError(gettext("Paste the order numbers of one shop at least."))
        self.readings = orders.sift(pasted, again=facts.get("again", False))
        if not any(reading.orders for reading in self.readings.values()):
            raise forms.ValidationError(gettext("Nothing is left to be made: each number below has its reason."))
        return facts

    def parts(self) -> list[Part]:
        """What is to be made for each shop."""
        return [
            Part(shop, self.readings[shop.pk].orders, self.channels.get(self.cleaned_data[f"channel_{shop.pk}"]))
            for shop in self.shops
            if shop.pk in self.readings
        ]

    def problems(self) -> list[tuple[Shop, list[Problem]]]:
        """The numbers that are left out, by shop."""
        return [(shop, self.readings[shop.pk].problems) for shop in self.shops if shop.pk in self.readings]

    def text(self) -> Text:
        return Text(*(self.cleaned_data[name] for name in ("subject", "body", "desired_outcome")))

    def look(self, now: datetime) -> list[Look]:
        """What would be made. Only for a form whose numbers could be read."""
        return [self._look(part, now) for part in self.parts()]

    def fingerprint(self) -> str:
        """Of all that would be made."""
        names = ("subject", "body", "desired_outcome", "topic", "priority", "assignee", "per_appeal")
        plan = [(part.shop.pk, part.channel and part.channel.pk, part.orders) for part in self.parts()]
        shown = repr([plan, *(str(self.cleaned_data.get(name)) for name in names)])
        return hashlib.sha256(shown.encode()).hexdigest()[:32]

    def make(self, *, user: User, now: datetime, sent: bool) -> IncidentBatch:
        """ValidationError at the field."""
        facts = self.cleaned_data
        about = {name: facts[name] for name in ("title", "description", "began_at") if name in self.fields}
        shared = Facts(
            topic=facts["topic"],
            priority=facts["priority"],
            assignee=facts["assignee"],
            per_appeal=facts["per_appeal"],
        )
        return incidents.make(
            actor=user,
            now=now,
            token=facts["token"],
            parts=self.parts(),
            text=self.text(),
            facts=shared,
            sent_at=(facts["sent_at"] or now) if sent else None,
            incident=self.incident,
            **about,
        )

    def take_note(self) -> None:
        """The next press tells what was looked at."""
        self.data = {**self.data.dict(), "seen": self.fingerprint()}  # type: ignore[attr-defined]

    def _look(self, part: Part, now: datetime) -> Look:
        reading = self.readings[part.shop.pk]
        groups = orders.grouped(part.orders, self.cleaned_data["per_appeal"])
        hours = part.channel.hours if part.channel else None
        closed = wording.open_now(part.channel, now) if part.channel and hours and not hours.is_open(now) else ""
        sample = incidents.filled(self.cleaned_data["body"], part.shop, groups[0]) if groups else ""
        return Look(part.shop, len(part.orders), len(groups), reading.problems, closed, sample)


def _known(incident: Incident | None) -> dict[str, Any]:
    return {"subject": incident.subject, "body": incident.body} if incident else {}
