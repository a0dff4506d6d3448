"""The form that logs an appeal and edits it, and the question "what would be promised?"."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from appeals import lifecycle
from appeals.admin.fields import FilesField, GroupedChoiceField, MomentField, NumbersField, zone_text
from appeals.admin.filters import NUMBER
from appeals.admin.people import AssigneeField
from appeals.contact import where_to_write
from appeals.letters import again
from appeals.models import Appeal, Shop
from appeals.promises import Promise, promise
from marketplaces.models import Channel, Priority, Topic

if TYPE_CHECKING:
    from hub.models import User


class PlaceForm(forms.Form):
    """Where an appeal goes: the shop, topic and channel among which `user` may choose."""

    shop = GroupedChoiceField(queryset=Shop.objects.none(), label=_("shop"))
    topic = GroupedChoiceField(queryset=Topic.objects.none(), label=_("topic"), required=False)
    channel = GroupedChoiceField(queryset=Channel.objects.none(), label=_("channel"), required=False)
    priority = forms.ChoiceField(
        choices=Priority.choices,
        label=_("priority"),
        required=False,
        initial=Priority.NORMAL,
        widget=UnfoldAdminSelectWidget,
    )
    is_complex = forms.BooleanField(
        label=_("complex case"),
        required=False,
        help_text=_("The marketplace must look at several orders or ask other departments."),
        widget=UnfoldBooleanWidget,
    )
    sent_at = MomentField(label=_("sent at"))

    def offer_places(self, user: User, appeal: Appeal | None = None) -> None:
        """Fills the choices; what `appeal` has already stays among them, retired or not."""
        chosen_topic, chosen_channel = (appeal.topic_id, appeal.channel_id) if appeal else (None, None)
        shops = Shop.objects.visible_to(user).select_related("marketplace")
        if "shop" in self.fields:
            self.fields["shop"].queryset = shops.order_by("marketplace__slug", "name")  # type: ignore[attr-defined]
            here = Q(marketplace__in=shops.values("marketplace"))
        else:
            here = Q(marketplace=appeal.shop.marketplace_id) if appeal else Q()
        self.fields["topic"].widget.attrs["data-common"] = gettext("All marketplaces")
        self.fields["topic"].queryset = (  # type: ignore[attr-defined]
            Topic.objects.filter((Q(retired_at=None) & (here | Q(marketplace=None))) | Q(pk=chosen_topic or 0))
            .select_related("marketplace")
            .order_by("marketplace__slug", "position", "slug")
        )
        self.fields["channel"].queryset = (  # type: ignore[attr-defined]
            (Channel.objects.usable_by_sellers().filter(here) | Channel.objects.filter(pk=chosen_channel or 0))
            .select_related("marketplace")
            .order_by("marketplace__slug", "position", "id")
        )


class PromiseForm(PlaceForm):
    """What the marketplace would promise for the appeal as it is filled in now."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_places(user)

    def promises(self, now: datetime) -> dict[str, Promise | None]:
        """ValueError where a channel never opens, say."""
        facts = self.cleaned_data
        return promise(
            marketplace=facts["shop"].marketplace,
            at=facts["sent_at"] or now,
            topic=facts["topic"],
            channel=facts["channel"],
            priority=facts["priority"] or Priority.NORMAL,
            is_complex=facts["is_complex"],
        )

    def proposed_channel(self, reader: User, now: datetime) -> dict[str, Any] | None:
        """Where the directory would write now: the best channel for the topic at this moment."""
        facts, at = self.cleaned_data, self.cleaned_data["sent_at"] or now
        places, _promises = where_to_write(facts["shop"].marketplace, reader=reader, at=at, topic=facts["topic"])
        if not places.write:
            return None
        best = places.write[0]
        return {"pk": best.channel.pk, "name": best.channel.text("name"), "why": best.why}


class AppealForm(PlaceForm, forms.ModelForm):  # type: ignore[type-arg]
    """One page for what was asked. `version` is that of the appeal when the page was opened.

    The page of an appeal that is edited also sends the values with which it was opened: what a person left alone is
    told from what they changed, even when somebody else changed the appeal meanwhile.
    """

    order_numbers = NumbersField(
        label=_("order numbers"),
        help_text=_("Paste them in any form: one per line, or separated by commas or spaces."),
    )
    product_codes = NumbersField(
        label=_("product codes"), spaces=True, help_text=_("One per line, or separated by commas.")
    )
    attachments = FilesField(label=_("files"), help_text=_("Screenshots, documents, video: at most 20 MB each."))
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Appeal
        fields = ["shop", *(name for name in lifecycle.EDITABLE if name != "client_reference")]
        field_classes = {"assignee": AssigneeField}
        widgets = {
            "subject": UnfoldAdminTextInputWidget,
            "body": UnfoldAdminTextareaWidget(attrs={"rows": 7}),
            "desired_outcome": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            "amount_at_stake": UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01", "min": "0"}),
            "external_number": UnfoldAdminTextInputWidget,
            "assignee": UnfoldAdminSelectWidget,
            "previous": forms.HiddenInput,
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["shop"], self.fields["attachments"]
        if self.instance.submitted_at:
            del self.fields["sent_at"]
        self.offer_places(user, self.instance if self.instance.pk else None)
        if self.instance.pk:
            for name in set(self.fields) & set(lifecycle.EDITABLE):
                opened = not self.is_bound or self.add_initial_prefix(name) in self.data
                self.fields[name].show_hidden_initial = opened
        self.fields["version"].initial = self.instance.version
        self.fields["assignee"].offer(user, self.instance)  # type: ignore[attr-defined]
        self.fields["assignee"].empty_label = _("nobody")  # type: ignore[attr-defined]
        self.fields["previous"].queryset = Appeal.objects.visible_to(user)  # type: ignore[attr-defined]
        if "sent_at" in self.fields:
            self.fields["sent_at"].help_text = zone_text(str(_("Empty: now. It may lie in the past.")))

    def focus_first(self) -> None:
        """The cursor stands where something is to be typed: at the first error, else at the first empty field."""
        wrong = [name for name in self.fields if name in self.errors]
        empty = [name for name in ("shop", "topic", "subject") if name in self.fields and not self[name].value()]
        if first := next(iter([*wrong, *empty]), None):
            self.fields[first].widget.attrs["autofocus"] = True

    def clean_priority(self) -> str:
        return self.cleaned_data["priority"] or Priority.NORMAL

    def facts(self) -> dict[str, Any]:
        """What a verb writes: all of it for a new appeal, what was changed for an old one."""
        names = self.changed_data if self.instance.pk else list(self.cleaned_data)
        return {name: self.cleaned_data[name] for name in names if name in lifecycle.EDITABLE}

    def take_present(self, present: AppealForm) -> list[str]:
        """Puts what the appeal is now under what was typed: fields that were left alone show it, and it is what the
        next answer is compared with. The fields that differ from what the page was opened with."""
        kept, differ, touched = QueryDict(mutable=True), [], set(self.changed_data)
        kept.update(self.data)
        kept["version"] = present["version"].value()
        for name, field in self.fields.items():
            if not field.show_hidden_initial:
                continue
            opened, now = str(kept[self.add_initial_prefix(name)]), _posted(present[name].value())
            if opened.replace("\r\n", "\n") != now:
                differ.append(name)
            kept[self.add_initial_prefix(name)] = now
            if name not in touched:
                kept[name] = "" if now == "False" else now
        self.data = kept
        return differ


def _posted(value: Any) -> str:
    """A value of a field as a browser sends it."""
    return "" if value is None else str(value).replace("\r\n", "\n")


def quoting(user: User, number: str) -> dict[str, Any]:
    """What an appeal that is written again starts with. Nothing for an appeal that is not theirs, or was not sent."""
    known = Appeal.objects.visible_to(user).exclude(submitted_at=None)
    earlier = known.filter(pk=number).first() if NUMBER.fullmatch(number) else None
    return again.facts(earlier) if earlier else {}
