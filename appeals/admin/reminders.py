"""Who was told of what, and the rules of telling."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.validators import validate_email
from django.db.models import ManyToManyField, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from appeals.admin.listing import CappedPaginator
from appeals.models import Reminder, ReminderRule, Shop
from marketplaces.admin.editing import LinesField

STATES = {
    Reminder.State.PENDING: "info",
    Reminder.State.SENT: "success",
    Reminder.State.FAILED: "danger",
    Reminder.State.SUPERSEDED: "default",
    Reminder.State.CANCELLED: "default",
}


@admin.register(Reminder)
class ReminderAdmin(ModelAdmin):
    list_display = ["appeal", "clock", "address", "shown_state", "reason", "created_at", "sent_at"]
    list_display_links = None
    list_filter = [("state", ChoicesDropdownFilter)]
    list_select_related = ["deadline__appeal"]
    search_fields = ["address"]
    search_help_text = _("Address")
    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50
    list_after_template = "admin/appeals/appeal/capped.html"
    empty_hint = _("Nobody was told of anything yet. The first reminder comes when an answer is late, by the rules.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reminder]:
        shops = Shop.objects.visible_to(request.user)
        reminders: QuerySet[Reminder] = super().get_queryset(request)
        return reminders.filter(deadline__appeal__shop__in=shops)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Reminder | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Reminder | None = None) -> bool:
        return False

    @display(description=_("appeal"))
    def appeal(self, obj: Reminder) -> SafeString:
        appeal = obj.deadline.appeal
        return format_html('<a href="{}">{}</a>', reverse("admin:appeals_appeal_change", args=[appeal.pk]), appeal)

    @display(description=_("deadline"))
    def clock(self, obj: Reminder) -> str:
        return str(obj.deadline)

    @display(description=_("state"), ordering="state", label=STATES)
    def shown_state(self, obj: Reminder) -> tuple[str, str]:
        return obj.state, obj.get_state_display()


class AddressesField(LinesField):
    def validate(self, value: list[str]) -> None:
        for address in value:
            validate_email(address)


class ReminderRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    extra_addresses = AddressesField(
        label=capfirst(_("tell these addresses")), required=False, help_text=_("One per line. They need no account.")
    )


@admin.register(ReminderRule)
class ReminderRuleAdmin(ModelAdmin):
    form = ReminderRuleForm
    list_display = ["__str__", "marketplace", "topic", "priority", "tell_assignee", "tell_lead", "is_active"]
    list_filter = ["is_active", ("deadline_kind", ChoicesDropdownFilter)]
    list_select_related = ["marketplace", "topic"]

    fieldsets = [
        (_("When"), {"fields": ["deadline_kind", "moment", ("amount", "unit"), "is_active"]}),
        (
            _("For which appeals"),
            {"fields": ["marketplace", "topic", "priority"], "description": _("What is empty fits every appeal.")},
        ),
        (_("Who is told"), {"fields": [("tell_assignee", "tell_lead"), "people", "extra_addresses"]}),
        (
            _("Telling again"),
            {
                "fields": [("repeat_amount", "repeat_unit"), "repeat_limit"],
                "description": _("Zero and zero: told once."),
            },
        ),
    ]

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "people":
            kwargs["queryset"] = get_user_model().objects.filter(is_active=True)
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget
        return super().formfield_for_manytomany(db_field, request, **kwargs)
