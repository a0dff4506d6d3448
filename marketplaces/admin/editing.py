"""How a row of the directory is edited by hand: nobody overwrites a colleague unawares, every fact has a source."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import action
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RadioFilter
from unfold.decorators import action as button
from unfold.widgets import UnfoldAdminTextareaWidget

from marketplaces import wording
from marketplaces.models import State
from marketplaces.models.directory_row import DirectoryRow

STATES = {
    State.WORKING: "success",
    State.UNCONFIRMED: "default",
    State.DISPUTED: "warning",
    State.DEAD: "danger",
    State.HISTORIC: "default",
}
PROVENANCE = (
    gettext_lazy("Where this is known from"),
    {
        "fields": [
            ("source", "source_grade"),
            "verified_on",
            "verified_by",
            "key",
            "updated_at",
            "retired_at",
            "opened",
        ]
    },
)


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


class VersionedForm(forms.ModelForm):  # type: ignore[type-arg]
    """Refuses a form that was opened before somebody else changed the row, and says who changed what.

    `opened` is the version of the row when the page was opened.
    """

    opened = forms.IntegerField(required=False, widget=forms.HiddenInput, label="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "opened" in self.fields:
            self.fields["opened"].initial = self.instance.version
        if "verified_on" in self.fields:  # its default is a function, for which Django would ask the browser
            self.fields["verified_on"].show_hidden_initial = False

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk and self.cleaned_data.get("opened") != self.instance.version:
            self.data = again = cast(QueryDict, self.data).copy()
            again[self.add_prefix("opened")] = str(self.instance.version)
            raise forms.ValidationError(stale_text(self.instance))
        return cleaned


def stale_text(row: Model) -> str:
    """Who changed a row last, what and when, for the person who is told that their form is old."""
    kind = ContentType.objects.get_for_model(row)
    last = LogEntry.objects.filter(content_type=kind, object_id=str(row.pk)).select_related("user").first()
    who, what, when = gettext("the hub"), gettext("loaded from a release"), ""
    if last:
        who, what = str(last.user), last.get_change_message()
        when = wording.near(last.action_time, timezone.now())
    return gettext(
        "While you were editing, this row was changed: %(who)s %(when)s: %(what)s Nothing was saved."
        " Check your values below; saving again keeps yours."
    ) % {"who": who, "what": what, "when": when}


class InUseFilter(RadioFilter):
    """Retired rows are kept for the appeals that refer to them, and are out of sight."""

    title = gettext_lazy("use")
    parameter_name = "use"
    all_option = ["", gettext_lazy("in use")]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("retired", gettext_lazy("retired")), ("any", gettext_lazy("both"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "any":
            return queryset
        return queryset.filter(retired_at__isnull=self.value() != "retired")


class DirectoryAdmin(ModelAdmin):
    """Lists, forms and actions that all rows of the directory share."""

    form = VersionedForm
    list_select_related = ["marketplace"]
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ["verified_by", "key", "updated_at", "retired_at"]
    actions = ["check_today", "retire", "bring_back"]
    actions_submit_line = ["save_as_checked"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(*self.list_select_related)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """A row that is being saved is locked, so that of two people who save at once the second is told."""
        row = super().get_object(request, object_id, from_field)
        if row is None or request.method != "POST":
            return row
        return self.model._default_manager.select_for_update(of=("self",)).filter(pk=row.pk).first()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        source = gettext("entered by %(person)s") % {"person": request.user}
        return {"source": source, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: DirectoryRow, form: Any, change: bool) -> None:
        if not change or "verified_on" in form.changed_data:
            obj.verified_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    @button(description=gettext_lazy("Save as checked today"), permissions=["change"])
    def save_as_checked(self, request: HttpRequest, obj: DirectoryRow) -> None:
        self._check(request, obj)

    @action(description=gettext_lazy("Checked today"), permissions=["change"])
    def check_today(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self._check(request, row)
        text = ngettext(
            "%(count)d row is marked as checked today.", "%(count)d rows are marked as checked today.", len(queryset)
        )
        messages.success(request, text % {"count": len(queryset)})

    @action(description=gettext_lazy("Retire: keep, but out of sight"), permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._set_retired(request, queryset.filter(retired_at=None), gettext("Retired."))

    @action(description=gettext_lazy("Bring back into use"), permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._set_retired(request, queryset.exclude(retired_at=None), gettext("Brought back into use."))

    def _check(self, request: HttpRequest, row: DirectoryRow) -> None:
        row.verified_on, row.verified_by = timezone.localdate(), request.user  # type: ignore[assignment]
        row.save(update_fields=["verified_on", "verified_by"])
        self.log_change(request, row, gettext("Checked."))

    def _set_retired(self, request: HttpRequest, queryset: QuerySet[Any], note: str) -> None:
        rows = list(queryset)
        for row in rows:
            row.retired_at = None if row.retired_at else timezone.now()
            row.save(update_fields=["retired_at"])
            self.log_change(request, row, note)
        text = ngettext("%(count)d row is changed.", "%(count)d rows are changed.", len(rows))
        messages.success(request, text % {"count": len(rows)})
