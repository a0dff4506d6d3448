"""Who was told of what, and the rules of telling."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db.models import Field, ForeignKey, ManyToManyField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from appeals import reminders, wording
from appeals.admin.filters import NUMBER
from appeals.admin.listing import CappedPaginator
from appeals.models import Reminder, ReminderRule, Shop
from marketplaces.admin.editing import LinesField
from marketplaces.amounts import amount_text

STATES = {
    Reminder.State.PENDING: "info",
    Reminder.State.SENT: "success",
    Reminder.State.FAILED: "danger",
    Reminder.State.SUPERSEDED: "default",
    Reminder.State.CANCELLED: "default",
}


@admin.register(Reminder)
class ReminderAdmin(ModelAdmin):
    list_display = ["appeal", "clock", "address", "shown_state", "why", "moment"]
    list_display_links = ["moment"]
    shows_moments = True
    change_form_outer_before_template = "admin/appeals/reminder/why.html"
    fieldsets = [
        (None, {"fields": ["appeal", "clock", "due_at", "address", "role", "state", "reason", "sent_at"]}),
        (
            _("Technical details"),
            {
                "fields": [
                    *("level", "rung_at", "created_at", "send_after"),
                    *("attempts", "resends", "message_id", "detail"),
                ],
                "classes": ["collapse"],
            },
        ),
    ]
    list_filter = [("state", ChoicesDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["deadline__appeal"]
    search_fields = ["address"]
    search_help_text = _("Number of the appeal or address")
    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50
    list_after_template = "admin/appeals/appeal/capped.html"
    empty_hint = _("Nobody was told of anything yet. The first reminder comes when an answer is late, by the rules.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reminder]:
        shops = Shop.objects.visible_to(request.user)
        rows: QuerySet[Reminder] = super().get_queryset(request)
        return rows.filter(deadline__appeal__shop__in=shops)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Reminder], search_term: str
    ) -> tuple[QuerySet[Reminder], bool]:
        """A number is that of an appeal, as people see it everywhere."""
        if number := NUMBER.fullmatch(search_term.strip(" №#")):
            return queryset.filter(deadline__appeal__pk=int(number[0])), False
        found: tuple[QuerySet[Reminder], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Reminder | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Reminder | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        again = self.admin_site.admin_view(require_POST(self.send_again))
        return [path("<int:pk>/send-again/", again, name="appeals_reminder_send_again"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        reminder = self.get_object(request, object_id)
        why = self._why(request, reminder) if reminder else {}
        why["show_history"] = False  # the page itself tells all of it
        answer: HttpResponse = super().change_view(request, object_id, form_url, (extra_context or {}) | why)
        return answer

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        answer = super().history_view(request, object_id, extra_context)  # refuses whom it is not for
        return redirect("admin:appeals_reminder_change", object_id) if answer.status_code == 200 else answer

    def send_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        reminder = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self._may_send(request):
            raise PermissionDenied
        try:
            reminders.send_again(reminder=reminder, now=timezone.now())
        except ValidationError as error:
            messages.error(request, error.messages[0])
        else:
            messages.success(request, _("It goes out with the next sweep, within a minute or so."))
        return redirect("admin:appeals_reminder_change", pk)

    def _why(self, request: HttpRequest, reminder: Reminder) -> dict[str, Any]:
        silence = reminders.silent(reminder, timezone.now())
        may = self._may_send(request) and not silence
        return {"why": reminders.explain(reminder), "silence": silence, "may_send_again": may}

    @staticmethod
    def _may_send(request: HttpRequest) -> bool:
        return request.user.has_perm("appeals.change_appeal")

    @display(description=_("appeal"))
    def appeal(self, obj: Reminder) -> SafeString:
        appeal = obj.deadline.appeal
        url = reverse("admin:appeals_appeal_change", args=[appeal.pk])
        return format_html('<a class="hub-link" href="{}">{}</a>', url, appeal)

    @display(description=_("deadline"))
    def clock(self, obj: Reminder) -> str:
        deadline = obj.deadline
        return f"{deadline.get_kind_display()}, {amount_text(deadline.amount, deadline.unit)}"

    @display(description=_("state"), ordering="state", label=STATES)
    def shown_state(self, obj: Reminder) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("reason"), ordering="reason")
    def why(self, obj: Reminder) -> str | None:
        """Only where it tells more than the state: a later one takes the place of each that is superseded."""
        return None if obj.reason == Reminder.Reason.LATER_RUNG else obj.get_reason_display() or None

    @display(description=_("when"))
    def moment(self, obj: Reminder) -> str:
        return wording.moment(obj.sent_at or obj.created_at, timezone.now())


class AddressesField(LinesField):
    def validate(self, value: list[str]) -> None:
        for address in value:
            validate_email(address)


_SAME = (
    *("deadline_kind", "moment", "amount", "is_active"),
    *("marketplace", "topic", "priority", "tell_assignee", "tell_lead"),
)
"""In what two rules agree that are one, besides the people whom they name."""


def _twin(rule: ReminderRule) -> SafeString:
    url = reverse("admin:appeals_reminderrule_change", args=[rule.pk])
    link = format_html('<a class="hub-link" href="{}">{}</a>', url, rule)
    return format_html(gettext("Such a rule is there already, and tells the same people: {}. Change that one."), link)


class ReminderRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        help_texts = {"amount": _("Zero after it was due: the very moment when the term runs out.")}

    extra_addresses = AddressesField(
        label=capfirst(_("tell these addresses")), required=False, help_text=_("One per line. No account is needed.")
    )

    def clean(self) -> dict[str, Any] | None:
        """A rule that nobody hears, or that tells the same people of the same a second time, is refused while the
        people are still a choice in the form."""
        found = super().clean()
        told: dict[str, Any] = {name: self.cleaned_data.get(name) for name in ("tell_assignee", "tell_lead")}
        told["extra_addresses"] = self.cleaned_data.get("extra_addresses", self.instance.extra_addresses)
        if "people" in self.cleaned_data and "extra_addresses" not in self.errors:
            ReminderRule(**told).check_heard(self.cleaned_data["people"])
            self._refuse_twin(told["extra_addresses"])
        return found

    def _refuse_twin(self, addresses: list[str]) -> None:
        given = self.cleaned_data
        if not given.keys() >= {*_SAME, "unit"} or not given["is_active"]:
            return
        rules = ReminderRule.objects.filter(**{name: given[name] for name in _SAME}).exclude(pk=self.instance.pk)
        if given["amount"] and given["moment"] != ReminderRule.Moment.SHARE:
            rules = rules.filter(unit=given["unit"])
        told = {person.pk for person in given["people"]}, {address.casefold() for address in addresses}
        for rule in rules.prefetch_related("people"):
            if ({person.pk for person in rule.people.all()}, set(rule.extra_addresses)) == told:
                raise ValidationError(_twin(rule))


@admin.register(ReminderRule)
class ReminderRuleAdmin(ModelAdmin):
    form = ReminderRuleForm
    list_display = ["__str__", "marketplace", "topic", "priority", "told", "is_active"]
    empty_value_display = _("all of them")
    list_filter = ["is_active", ("deadline_kind", ChoicesDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["marketplace", "topic"]

    fieldsets = [
        (_("When"), {"fields": ["deadline_kind", "moment", ("amount", "unit"), "is_active"]}),
        (
            _("For which appeals"),
            {
                "fields": ["marketplace", "topic", "priority"],
                "description": _("It serves the appeals that fit all that is chosen here."),
            },
        ),
        (_("Who is told"), {"fields": [("tell_assignee", "tell_lead"), "people", "extra_addresses"]}),
        (
            _("Telling again"),
            {
                "fields": [("repeat_amount", "repeat_unit"), "repeat_limit"],
                "description": _("Leave zeros to remind once."),
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReminderRule]:
        rules: QuerySet[ReminderRule] = super().get_queryset(request)
        return rules.prefetch_related("people")

    @display(description=_("who is told"))
    def told(self, obj: ReminderRule) -> str:
        roles = [(obj.tell_assignee, Reminder.Role.ASSIGNEE), (obj.tell_lead, Reminder.Role.LEAD)]
        named = [str(role.label) for is_told, role in roles if is_told]
        return ", ".join([*named, *map(str, obj.people.all()), *obj.extra_addresses])

    def get_readonly_fields(self, request: HttpRequest, obj: ReminderRule | None = None) -> list[str]:
        """An address is told of the appeals of every shop: it is chosen by somebody who leads them all."""
        if request.user.is_superuser:
            return []
        if not hasattr(request, "hub_leads_all"):  # the page asks several times
            led = Shop.objects.led_by(request.user).values("pk")
            request.hub_leads_all = not Shop.objects.exclude(pk__in=led).exists()  # type: ignore[attr-defined]
        return [] if request.hub_leads_all else ["extra_addresses"]  # type: ignore[attr-defined]

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        field.empty_label = self.empty_value_display
        return field

    def formfield_for_choice_field(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.blank:
            kwargs["choices"] = [("", self.empty_value_display), *db_field.flatchoices]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "people":
            kwargs["queryset"] = get_user_model().objects.filter(is_active=True)
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """The people are boxes to tick: no button beside them adds one more."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "people" and field is not None:
            field.widget = field.widget.widget
        return field
