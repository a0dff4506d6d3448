"""Channels: one way each to reach a marketplace's support."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from marketplaces import wording
from marketplaces.admin.editing import PROVENANCE, STATES, DirectoryAdmin, InUseFilter, two_lines
from marketplaces.models import Channel


@admin.register(Channel)
class ChannelAdmin(DirectoryAdmin):
    list_display = ["what", "marketplace", "kind", "shown_state", "audience", "open_now", "verified_on"]
    list_filter = [
        InUseFilter,
        ("marketplace", RelatedDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("audience", ChoicesDropdownFilter),
        "needs_login",
    ]
    search_fields = ["name", "name_en", "address", "instructions"]
    autocomplete_fields = ["topics", "contradicts"]
    fieldsets = [
        (None, {"fields": ["marketplace", ("kind", "audience"), "name", "address", "instructions"]}),
        (
            _("When somebody is there"),
            {"fields": [("opening_hours", "time_zone"), ("first_reply_typical", "first_reply_worst")]},
        ),
        (
            _("For what it can be used"),
            {"fields": [("needs_login", "works_without_account"), "topics", "position"]},
        ),
        (_("State"), {"fields": ["state", "state_reason", "remarks", "contradicts"]}),
        PROVENANCE,
        (
            _("In English"),
            {"fields": ["name_en", "instructions_en", "state_reason_en", "remarks_en"], "classes": ["collapse"]},
        ),
    ]

    @display(description=_("channel"), ordering="name")
    def what(self, obj: Channel) -> SafeString:
        return two_lines(obj.text("name"), obj.address)

    @display(description=_("state"), label=STATES, ordering="state")
    def shown_state(self, obj: Channel) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("now"))
    def open_now(self, obj: Channel) -> str:
        return wording.open_now(obj, timezone.now())

    def get_search_results(self, request: HttpRequest, queryset, search_term):  # type: ignore[no-untyped-def]
        """Autocompletes offer what is in use; the list has a filter of its own."""
        found, distinct = super().get_search_results(request, queryset, search_term)
        return (found.current() if "autocomplete" in request.path else found), distinct
