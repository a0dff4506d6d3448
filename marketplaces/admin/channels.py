"""Channels: one way each to reach a marketplace's support."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import DurationField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from marketplaces import facts_text, wording
from marketplaces.admin.editing import (
    RELIABLE,
    DirectoryAdmin,
    InUseFilter,
    MinutesField,
    VersionedForm,
    two_lines,
)
from marketplaces.admin.exchange import ExchangeAdmin
from marketplaces.admin.hours import OpeningHoursWidget, explain
from marketplaces.admin.provenance import PROVENANCE, StaleFilter, contradictions, once
from marketplaces.hours_text import describe
from marketplaces.models import Channel


class ChannelForm(VersionedForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "opening_hours" in self.fields:
            channel = self.instance
            explain(
                self.fields["opening_hours"],
                channel.marketplace if channel.marketplace_id else None,
                channel.time_zone,
            )

    class Meta:
        widgets = {"opening_hours": OpeningHoursWidget}
        help_texts = {"position": _("Smaller numbers stand first.")}


@admin.register(Channel)
class ChannelAdmin(ExchangeAdmin, DirectoryAdmin):
    form = ChannelForm
    shows_moments = True
    list_display = ["what", "place", "shown_state", "open_now", "checked"]
    list_filter = [
        InUseFilter,
        StaleFilter,
        ("marketplace", RelatedDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("audience", ChoicesDropdownFilter),
        "needs_login",
    ]
    list_select_related = ["marketplace", "contradicts"]
    search_fields = ["name__folded", "name_en__folded", "address__folded", "instructions__folded"]
    READ = {"opening_hours": "shown_hours"}
    formfield_overrides: dict[Any, Any] = {
        **DirectoryAdmin.formfield_overrides,
        DurationField: {"form_class": MinutesField},
    }
    readonly_fields = [*DirectoryAdmin.readonly_fields, "shown_contradictions", *READ.values()]
    autocomplete_fields = ["topics", "contradicts"]
    fieldsets = [
        (None, {"fields": ["marketplace", ("kind", "audience"), "name", "address", "instructions"]}),
        (
            _("When somebody is there"),
            {"fields": ["opening_hours", "time_zone", ("first_reply_typical", "first_reply_worst")]},
        ),
        (
            _("For what it can be used"),
            {"fields": [("needs_login", "works_without_account"), "topics", "position"]},
        ),
        (RELIABLE, {"fields": ["state", "state_reason", "remarks", "contradicts", "shown_contradictions"]}),
        PROVENANCE,
        (
            _("In English"),
            {"fields": ["name_en", "instructions_en", "state_reason_en", "remarks_en"], "classes": ["collapse"]},
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Channel | None = None) -> Any:
        """What contradicts the channel is shown where something does."""
        sets = super().get_fieldsets(request, obj)
        if obj and self.shown_contradictions(obj) != facts_text.NOTHING:
            return sets
        return [
            (name, options | {"fields": [one for one in options["fields"] if one != "shown_contradictions"]})
            for name, options in sets
        ]

    @display(description=_("channel"), ordering="name")
    def what(self, obj: Channel) -> SafeString:
        if not obj.contradicts:
            return two_lines(obj.text("name"), obj.address)
        believed = gettext("not believed; believed instead: %(channel)s")
        return two_lines(obj.text("name"), f"{obj.address} ({believed % {'channel': obj.contradicts.text('name')}})")

    @display(description=_("opening hours"))
    def shown_hours(self, obj: Channel) -> str:
        if not obj.opening_hours:
            return gettext("hours unknown")
        return describe(obj.opening_hours, obj.zone, get_language() or settings.LANGUAGE_CODE)

    @display(description=_("channels in dispute"))
    def shown_contradictions(self, obj: Channel) -> SafeString | str:
        return once(obj, contradictions)

    @display(description=_("marketplace"), ordering="marketplace__slug")
    def place(self, obj: Channel) -> SafeString:
        return two_lines(str(obj.marketplace), f"{obj.get_kind_display()}, {obj.get_audience_display()}")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Of a new channel nobody has said yet when somebody is there."""
        return {"opening_hours": "", **super().get_changeform_initial_data(request)}

    @display(description=_("now"))
    def open_now(self, obj: Channel) -> str:
        return wording.open_now(obj, timezone.now()) or facts_text.NOTHING

    def get_search_results(self, request: HttpRequest, queryset, search_term):  # type: ignore[no-untyped-def]
        """Autocompletes offer what is in use; the list has a filter of its own."""
        found, distinct = super().get_search_results(request, queryset, search_term)
        return (found.current() if "autocomplete" in request.path else found), distinct
