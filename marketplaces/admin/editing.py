"""How a row of the directory is edited by hand: nobody overwrites a colleague unawares, every fact has a source."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite, action
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import models
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RadioFilter
from unfold.decorators import action as button
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from marketplaces import history
from marketplaces.admin.past import past_of, stale_text
from marketplaces.admin.provenance import LATER, Provenance
from marketplaces.admin.referring import CountsWhatRefers
from marketplaces.amounts import amount_text
from marketplaces.citing import entered_by
from marketplaces.directory_merge import Values
from marketplaces.history import Action
from marketplaces.models.directory_row import DirectoryRow
from marketplaces.pages.parts import TONES
from marketplaces.signals import place_of, tell_of_promises
from marketplaces.upkeep import check, delete, mark_checked, set_retired

if TYPE_CHECKING:
    from hub.models import User


RELIABLE = gettext_lazy("Whether it can be relied on")
HOW_TO_CITE = gettext_lazy("Keys of the section “Sources”, separated by commas, or in words where this is known from.")


def two_lines(first: str, second: str) -> SafeString:
    return format_html('<span class="hub-two"><span>{}</span><small>{}</small></span>', first, second)


class LinesField(forms.CharField):
    """A list of short texts, one per line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class Searched(AutocompleteSelect):
    """A choice that is searched for, and says what it means while it is empty."""

    def __init__(self, field: Any, site: AdminSite, said: Any) -> None:
        super().__init__(field, site)
        self._said = said

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        return super().build_attrs(base_attrs, extra_attrs) | {"data-placeholder": self._said}


class MinutesField(forms.IntegerField):
    """A length of time in whole minutes, as the files and tables of the directory have it."""

    widget = UnfoldAdminIntegerFieldWidget

    def __init__(self, **kwargs: Any) -> None:
        wrong = gettext_lazy("Write whole minutes from 1 to 100000, for example 90.")
        kwargs["error_messages"] = dict.fromkeys(("invalid", "min_value", "max_value"), wrong)
        kwargs["help_text"] = gettext_lazy("In minutes: 90 is 1 h 30 min.")
        super().__init__(min_value=1, max_value=100_000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return -(-value // timedelta(minutes=1)) if isinstance(value, timedelta) else value

    def clean(self, value: Any) -> Any:
        minutes = super().clean(value)
        return None if minutes is None else timedelta(minutes=minutes)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(super().has_changed(self.prepare_value(initial), data))


class VersionedForm(forms.ModelForm):  # type: ignore[type-arg]
    """Refuses a form that was opened before somebody else changed the row, and says who changed what.

    `opened` is the version of the row when the page was opened.
    """

    opened = forms.CharField(required=False, widget=forms.HiddenInput, label="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "opened" in self.fields:
            self.fields["opened"].initial = version_of(self.instance) if self.instance.pk else ""
        if "verified_on" in self.fields:  # its default is a function, for which Django would ask the browser
            self.fields["verified_on"].show_hidden_initial = False
        if "source" in self.fields:
            self.fields["source"].help_text = HOW_TO_CITE

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk and self.cleaned_data.get("opened") != (now := version_of(self.instance)):
            self.data = again = cast(QueryDict, self.data).copy()
            again[self.add_prefix("opened")] = now
            raise forms.ValidationError(stale_text(self.instance))
        return cleaned


def version_of(row: Model) -> str:
    """What differs after every change of the row."""
    if isinstance(row, DirectoryRow):
        return str(row.version)
    return sha256(json.dumps(history.values_of(row), sort_keys=True).encode()).hexdigest()


class InUseFilter(RadioFilter):
    """Retired rows are kept for the appeals that refer to them, and are out of sight."""

    title = gettext_lazy("use")
    parameter_name = "use"
    all_option = ["", gettext_lazy("in use")]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("retired", gettext_lazy("retired ones")), ("any", gettext_lazy("both"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "any":
            return queryset
        return queryset.filter(retired_at__isnull=self.value() != "retired")


class HasPast:
    """For an admin: the page of a row's history has the directory's own lines, field by field."""

    object_history_template = "admin/marketplaces/history.html"

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        row = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        past = past_of(row) if row is not None else []
        return super().history_view(request, object_id, {**(extra_context or {}), "past": past})  # type: ignore[misc]


class DirectoryAdmin(Provenance, CountsWhatRefers, HasPast, ModelAdmin):
    """Lists, forms and actions that all rows of the directory share. Each change has its line in the history."""

    form = VersionedForm
    list_select_related = ["marketplace"]
    list_per_page = 50
    list_filter_submit = True
    show_full_result_count = False
    readonly_fields = ["shown_sources", "shown_check", "key", "updated_at", "retired_at"]
    actions = ["check_today", "retire", "bring_back"]
    actions_submit_line = ["save_as_checked"]
    formfield_overrides = {models.TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})}}
    # What is shown instead of a field to those who may not change it: as people read it, not as it is typed
    READ: dict[Any, str] = {}
    # What a choice means that is left empty
    EMPTY: dict[str, Any] = {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(*self.list_select_related)

    @display(description=gettext_lazy("name"), ordering="name")
    def named(self, obj: Any) -> str:
        """In the reader's language."""
        name: str = obj.text("name")
        return name

    @display(description=gettext_lazy("term"))
    def term(self, obj: Any) -> str | None:
        return amount_text(obj.term_amount, obj.term_unit) if obj.term_amount and obj.term_unit else None

    @display(description=gettext_lazy("state"), label=TONES, ordering="state")
    def shown_state(self, obj: Any) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Django takes any text for a length of time, and fails of it."""
        column = {field.name: field for field in self.model._meta.fields}.get(lookup.partition("__")[0])
        return not isinstance(column, models.DurationField) and super().lookup_allowed(lookup, value, request)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without what a new row cannot have yet, and without the day of retiring of a row that is in use."""
        hidden = LATER if obj is None else set() if obj.retired_at else {"retired_at"}
        read = self.READ if obj and not self.has_change_permission(request, obj) else {}
        sets = [
            (name, options | {"fields": [read.get(one, one) for one in _without(hidden, options["fields"])]})
            for name, options in super().get_fieldsets(request, obj)
        ]
        return [(name, options) for name, options in sets if options["fields"]]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        said = self.EMPTY.get(db_field.name)
        if said and db_field.name in self.autocomplete_fields:
            kwargs["widget"] = Searched(db_field, self.admin_site, said)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if said and field:
            field.empty_label = said
        return field

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """A row that is being saved is locked, so that of two people who save at once the second is told."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None and request.method == "POST":
            row = self.model._default_manager.select_for_update(of=("self",)).filter(pk=row.pk).first()
        if row is not None:
            row._opens_sources = request.user.has_perm("marketplaces.view_source")
        return row

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        context = {"show_save_and_add_another": False, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        source = entered_by(request.user)  # type: ignore[arg-type]
        return {"source": source, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        form.before = history.values_of(self.model._default_manager.get(pk=obj.pk)) if change else None
        self.attribute(request, obj, form)
        super().save_model(request, obj, form, change)

    def attribute(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """Who stands behind the row that is about to be saved."""
        if form.before is None or "verified_on" in form.changed_data:
            obj.verified_by = request.user

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        action = getattr(form.instance, "done", Action.CHANGED)
        self._record(request, form.instance, form.before, action if change else Action.CREATED)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete(row=obj, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
        self._tell(request, place_of(obj))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    @button(description=gettext_lazy("Save as checked today"), permissions=["change"])
    def save_as_checked(self, request: HttpRequest, obj: Any) -> None:
        mark_checked(row=obj, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
        obj.done = Action.CHECKED

    @action(description=gettext_lazy("Checked today"), permissions=["change"])
    def check_today(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            check(row=row, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
        text = ngettext(
            "%(count)d row is marked as checked today.", "%(count)d rows are marked as checked today.", len(queryset)
        )
        messages.success(request, text % {"count": len(queryset)})

    @action(description=gettext_lazy("Retire: keep, but out of sight"), permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._set_retired(request, queryset.filter(retired_at=None), True)

    @action(description=gettext_lazy("Bring back into use"), permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._set_retired(request, queryset.exclude(retired_at=None), False)

    def _set_retired(self, request: HttpRequest, queryset: QuerySet[Any], retired: bool) -> None:
        rows = list(queryset)
        for row in rows:
            set_retired(row=row, retired=retired, actor=request.user, now=timezone.now())  # type: ignore[arg-type]
        self._tell(request, set().union(*map(place_of, rows)))
        text = ngettext("%(count)d row is changed.", "%(count)d rows are changed.", len(rows))
        messages.success(request, text % {"count": len(rows)})

    def _record(self, request: HttpRequest, row: Any, before: Values | None, action: Action) -> None:
        now, actor = timezone.now(), cast("User", request.user)
        if before is None:
            history.entered(row=row, now=now, actor=actor)
        elif not history.record(row=row, before=before, action=action, now=now, actor=actor):
            return
        self._tell(request, place_of(row))

    def _tell(self, request: HttpRequest, places: set[int]) -> None:
        """Those who count by the directory ask the editor what to do about running deadlines."""
        tell_of_promises(self.model, places, actor=cast("User", request.user), request=request)


def _without(hidden: set[str], fields: Any) -> list[Any]:
    """A line of several fields keeps those that are left."""
    lines = [(line,) if isinstance(line, str) else tuple(line) for line in fields]
    left = [tuple(field for field in line if field not in hidden) for line in lines]
    return [line[0] if len(line) == 1 else line for line in left if line]
