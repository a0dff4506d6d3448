"""Export and import of the directory as CSV and XLSX, for its editors, with a look at it before it is written."""

from __future__ import annotations

from typing import Any, cast

import tablib
from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV, XLSX
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from marketplaces import sheets
from marketplaces.exchange import RESOURCES, columns
from marketplaces.signals import place_of, tell_of_promises

LARGEST = 5 * 1024 * 1024
MOST = 10_000


class GuardedCSV(CSV):
    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> Any:
        dataset.add_formatter(None, sheets.in_csv)
        return super().export_data(dataset, **kwargs)

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> tablib.Dataset:
        headings, rows = sheets.read_csv(in_stream, most=MOST)
        return tablib.Dataset(*rows, headers=headings)


class BoundedXLSX(XLSX):
    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        headings, rows = sheets.read(in_stream, most=MOST)
        return tablib.Dataset(*rows, headers=headings)


class TableForm(ImportForm):
    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > LARGEST:
            raise forms.ValidationError(gettext_lazy("A file of the directory has at most 5 MB."))
        return file


class ExchangeAdmin(ImportExportMixin):
    import_form_class = TableForm
    export_form_class = ExportForm
    formats = [GuardedCSV, BoundedXLSX]
    to_encoding = "utf-8-sig"  # without the mark, spreadsheets take Cyrillic for something else

    def get_resource_classes(self, request: HttpRequest) -> list[Any]:
        return [RESOURCES[self.model]]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_change_permission(request))

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self._with_columns(request, super().import_action(request, **kwargs))

    def export_action(self, request: HttpRequest) -> HttpResponse:
        return self._with_columns(request, super().export_action(request))

    def _with_columns(self, request: HttpRequest, answer: HttpResponse) -> HttpResponse:
        if isinstance(answer, TemplateResponse) and answer.context_data is not None:
            answer.context_data["columns"] = columns(RESOURCES[self.model])
        return answer

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        linked = [field.name for field in self.model._meta.many_to_many]
        return cast("QuerySet[Any]", super().get_export_queryset(request)).prefetch_related(*linked)

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """All or nothing, also where a row has become wrong since it was shown."""
        return {**super().get_import_data_kwargs(**kwargs), "rollback_on_validation_errors": True}

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        form.add_error(
            "import_file",
            str(e) if isinstance(e, sheets.SheetError) else gettext("The file cannot be read as a table."),
        )

    def add_success_message(self, result: Any, request: HttpRequest) -> None:
        counts = {"new": result.totals["new"], "changed": result.totals["update"]}
        messages.success(request, gettext("Written. New rows: %(new)d, changed: %(changed)d.") % counts)

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        if result.has_errors() or result.has_validation_errors():
            messages.error(request, gettext("The directory has changed meanwhile. Nothing was imported; try again."))
            return HttpResponseRedirect(request.path.replace("process_import", "import"))
        places = set().union(*(place_of(row.instance) for row in result.rows if row.instance))
        tell_of_promises(self.model, places, actor=cast(Any, request.user), request=request)
        return cast(HttpResponse, super().process_result(result, request))
