"""Letters on the page of an appeal: which fit now, one to look at, to copy, to save and to keep among the files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from appeals import documents, letters, lifecycle
from appeals.admin import page, verbs
from appeals.admin.dialogs import go
from appeals.admin.people import reader
from appeals.models import Appeal, Event
from marketplaces.models import Channel, EscalationStep

Render = Callable[..., HttpResponse]
_BRACKETED = re.compile(r"\[[^][\n]+\]")


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
    now, missing = timezone.now(), letter.missing
    spoken = [get_language_info(code) for code in letters.languages(appeal, kind)]
    return render(
        request,
        "letter.html",
        letter.title,
        appeal=appeal,
        letter=letter,
        marked=_marked(letter.plain),
        to_enter=[gap for gap in missing if gap.url],
        by_hand=[gap for gap in missing if not gap.url],
        notes=documents.plain(letter.notes),
        place=page.place(_channel(appeal, letter), now),
        noting=_noting(appeal, letter),
        languages=spoken if len(spoken) > 1 else [],
        may_edit=may_edit,
        problem=problem,
    )


def _marked(plain: str) -> SafeString:
    """What stands in brackets is still to be written or compared: it must not be overlooked."""
    return SafeString(_BRACKETED.sub(r"<mark>\g<0></mark>", escape(plain)))


def _channel(appeal: Appeal, letter: letters.Letter) -> Channel | None:
    """Without a step, letters that go on with the appeal go where it went; a complaint or a claim does not."""
    if letter.step:
        return letter.step.channel
    return appeal.channel if letter.kind in (letters.Kind.FOLLOW_UP, letters.Kind.STOCK_REPLY) else None


def _noting(appeal: Appeal, letter: letters.Letter) -> dict[str, Any]:
    """The verb that notes the letter as sent: its step, the first time, and then a message."""
    fit = lifecycle.verbs(appeal)
    form: type[verbs.VerbForm]
    if letter.step and not letter.is_taken and "escalate" in fit:
        form, query = verbs.EscalateForm, f"?step={letter.step.pk}"
    elif "message" in fit:
        form, query = verbs.MessageForm, ""
    else:
        return {}
    return {"form": form, "url": reverse("admin:appeals_appeal_verb", args=[appeal.pk, form.verb]) + query}


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
