"""Letters on the page of an appeal: which fit now, one to look at, to copy, to save and to keep among the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from appeals import documents, letters, lifecycle
from appeals.admin.dialogs import go
from appeals.admin.people import reader
from appeals.models import Appeal, Event
from marketplaces.models import EscalationStep

Render = Callable[..., HttpResponse]


def context(appeal: Appeal, step: EscalationStep | None, lines: Iterable[Event]) -> dict[str, Any]:
    """The kinds of a letter for the page, those that the state asks for first; `lines` is its timeline."""
    offers = letters.offers(appeal, step, lines)
    return {
        "letters_that_fit": [one for one in offers if one.fits],
        "other_letters": [one for one in offers if not one.fits],
    }


def view(
    request: HttpRequest, appeal: Appeal, kind: str, render: Render, *, may_edit: bool
) -> HttpResponse | FileResponse:
    """The letter as it would be written now: a page, or with `as=docx` a file; a POST keeps it with the appeal."""
    letter, problem = _letter(request, appeal, kind), ""
    if request.method == "POST":
        if not may_edit:
            raise PermissionDenied
        if not (problem := _keep(request, appeal, letter)):
            messages.success(request, _("The letter is among the files of the appeal."))
            return go(request, appeal.get_absolute_url())
    if request.GET.get("as") == "docx":
        return _file(letter)
    spoken = [get_language_info(code) for code in letters.languages(appeal, kind)]
    return render(
        request,
        "letter.html",
        letter.title,
        appeal=appeal,
        letter=letter,
        notes=documents.plain(letter.notes),
        languages=spoken if len(spoken) > 1 else [],
        may_edit=may_edit,
        problem=problem,
    )


def _letter(request: HttpRequest, appeal: Appeal, kind: str) -> letters.Letter:
    if kind not in letters.Kind.values:
        raise Http404
    try:
        return letters.compose(appeal, kind, now=timezone.now(), language=request.GET.get("language", "ru"))
    except letters.NoSuchLanguageError as error:
        raise Http404 from error


def _keep(request: HttpRequest, appeal: Appeal, letter: letters.Letter) -> str:
    """The file as it goes out belongs to the appeal, as any other of its files; returns why it could not be kept."""
    file = ContentFile(letter.docx(), name=letter.file_name)
    try:
        lifecycle.attach(appeal=appeal, actor=reader(request), now=timezone.now(), file=file, name=letter.file_name)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _file(letter: letters.Letter) -> FileResponse:
    return FileResponse(
        BytesIO(letter.docx()),
        as_attachment=True,
        filename=letter.file_name,
        content_type=documents.MEDIA_TYPE,
        headers={"X-Content-Type-Options": "nosniff"},
    )
