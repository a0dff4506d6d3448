"""The pages of tables: the filtered list as a file, and past appeals from one."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import get_valid_filename
from django.utils.translation import ngettext

from appeals.admin import past, tables
from appeals.admin.listing import AppealListing
from appeals.admin.people import reader

SHOWN = 20
UPLOADED = "appeals_table"


class AppealExchange(AppealListing):
    """Doors of the list. A file that was looked at waits in the media folder until it is brought in or replaced."""

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Exactly what is filtered: the same address as the list's, with the same filters."""
        writers: dict[str, Any] = {"csv": tables.as_csv, "xlsx": tables.as_xlsx}
        if kind not in writers:
            raise Http404
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            listed = self.get_changelist_instance(request)
        except IncorrectLookupParameters:  # the list says what is wrong with the address
            return HttpResponseRedirect(f"{reverse('admin:appeals_appeal_changelist')}?e=1")
        answer: HttpResponse = writers[kind](
            listed.queryset.prefetch_related(None).defer(None), f"appeals-{timezone.localdate()}"
        )
        return answer

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST" and "confirm" in request.POST:
            return self._bring_in(request)
        form = past.FileForm(*((request.POST, request.FILES) if request.method == "POST" else (None, None)))
        context: dict[str, Any] = {"form": form}
        if request.method == "POST" and form.is_valid():
            try:
                context |= self._look(request, form.cleaned_data["file"])
            except past.UnreadableError as error:
                form.add_error("file", str(error))
        return self.render(request, "import.html", str(past.TITLE), **context)

    def _look(self, request: HttpRequest, file: UploadedFile[bytes]) -> dict[str, Any]:
        rows = past.read(file)
        looked = past.look(rows, actor=reader(request), now=timezone.now())
        if not looked.problems:
            self._forget(request)
            file.seek(0)
            name = f"tables/{uuid4().hex}-{get_valid_filename(file.name or 'table')}"
            request.session[UPLOADED] = default_storage.save(name, file)
        return _shown(rows, looked)

    def _bring_in(self, request: HttpRequest) -> HttpResponse:
        kept, again = request.session.get(UPLOADED), "again" in request.POST
        with transaction.atomic():
            # Whoever presses twice waits here for the first time, and finds the file gone
            get_user_model().objects.select_for_update(no_key=True).get(pk=reader(request).pk)
            if not kept or not default_storage.exists(kept):
                raise Http404
            with default_storage.open(kept) as file:
                rows = past.read(UploadedFile(file, name=kept))
            looked = past.bring_in(rows, actor=reader(request), now=timezone.now(), again=again)
            if looked.problems or (looked.doubles and not again):
                context = {"form": past.FileForm(), **_shown(rows, looked)}
                return self.render(request, "import.html", str(past.TITLE), **context)
            self._forget(request)
        text = ngettext("%(count)d appeal is brought in.", "%(count)d appeals are brought in.", len(rows))
        messages.success(request, text % {"count": len(rows)})
        return HttpResponseRedirect(reverse("admin:appeals_appeal_changelist"))

    def _forget(self, request: HttpRequest) -> None:
        if kept := request.session.pop(UPLOADED, None):
            default_storage.delete(kept)


def _shown(rows: list[dict[str, Any]], looked: past.Looked) -> dict[str, Any]:
    return {**looked._asdict(), "rows": rows[:SHOWN], "total": len(rows), "more": max(0, len(rows) - SHOWN)}
