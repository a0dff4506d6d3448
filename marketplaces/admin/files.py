"""A marketplace as a `directory.toml`: download, and upload with the plan before anything is written."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods
from unfold.widgets import UnfoldAdminFileFieldWidget

from marketplaces.directory_export import export
from marketplaces.directory_file import DirectoryFileError
from marketplaces.directory_import import import_text, place_of
from marketplaces.directory_report import Outcome, Report
from marketplaces.facts_text import Said, field_text, kind_named, kind_text
from marketplaces.models import Marketplace
from marketplaces.signals import tell_of_promises

if TYPE_CHECKING:
    from hub.models import User

LARGEST = 1024 * 1024


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("directory file"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".toml"}),
        help_text=gettext_lazy(
            "A directory.toml as a release ships it, or as it was downloaded from the page of its marketplace."
        ),
    )

    def clean_file(self) -> tuple[str, str]:
        """Name and text."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(_("A directory file has at most 1 MB."))
        try:
            return file.name, file.read().decode()
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("The text is not UTF-8. Save the file in UTF-8.")) from error


@permission_required("marketplaces.change_channel", raise_exception=True)
@require_GET
def download_view(request: HttpRequest, slug: str) -> HttpResponse:
    place = get_object_or_404(Marketplace, slug=slug)
    text = export(slug=place.slug, now=timezone.now())
    headers = {"Content-Disposition": f'attachment; filename="{place.slug}.toml"'}
    return HttpResponse(text, content_type="application/toml; charset=utf-8", headers=headers)


@permission_required(["marketplaces.add_channel", "marketplaces.change_channel"], raise_exception=True)
@require_http_methods(["GET", "POST"])
def upload_view(request: HttpRequest) -> HttpResponse:
    """First the file, then its plan; what is written is what was shown, or nothing."""
    context: dict[str, Any] = {}
    form = FileForm(request.POST or None, request.FILES or None)
    name, text = request.POST.get("name", ""), request.POST.get("text", "")
    if request.method == "POST" and not text and form.is_valid():
        name, text = form.cleaned_data["file"]
    if text:
        try:
            report = import_text(text=text, name=name, now=timezone.now(), actor=_person(request), dry_run=True)
            context = {"plan": _plan(report), "seen": _seen(report), "name": name, "text": text}
            if request.POST.get("seen") == context["seen"]:
                return _write(request, name, text)
            if request.POST.get("seen"):
                messages.error(request, _("This has changed meanwhile. Look again; nothing was done."))
        except DirectoryFileError as error:
            context = {"problems": error.problems}
    title = {"title": _("Import of a directory file"), "form": form}
    return TemplateResponse(
        request, "admin/marketplaces/upload.html", {**admin.site.each_context(request), **title, **context}
    )


def _write(request: HttpRequest, name: str, text: str) -> HttpResponse:
    import_text(text=text, name=name, now=timezone.now(), actor=_person(request))
    messages.success(request, _("The file is imported."))
    if place := place_of(text, name):
        tell_of_promises(Marketplace, {place.pk}, actor=_person(request), request=request)
    return HttpResponseRedirect(reverse("admin:marketplaces_marketplace_changelist"))


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)


def _seen(report: Report) -> str:
    return sha256("\n".join(str(change) for change in report.changes).encode()).hexdigest()


def _plan(report: Report) -> list[dict[str, Any]]:
    """What would change, row by row."""
    said = {change.marketplace: Said(change.marketplace) for change in report.changes}
    return [
        {
            "kind": kind_text(kind_named(change.kind)),
            "key": change.key,
            "outcome": change.outcome.label,
            "fields": [
                (
                    field_text(kind_named(change.kind), field),
                    said[change.marketplace].value(kind_named(change.kind), field, change.had.get(field)),
                    said[change.marketplace].value(kind_named(change.kind), field, value),
                )
                for field, value in change.took.items()
            ],
        }
        for change in report.changes
        if change.outcome != Outcome.UNCHANGED
    ]
