"""The trail on one page, with filters; and the same lines as a table to take out, which is a line itself."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from appeals.admin.people import colleagues, reader
from appeals.models import Shop
from hub.models import User
from hub.trail import reading
from marketplaces import sheets

SIZE = 50
DAY: dict[str, Any] = {
    "required": False,
    "widget": forms.DateInput(attrs={"type": "date", "class": "hub-day"}, format="%Y-%m-%d"),
    "validators": [
        MinValueValidator(date(2000, 1, 1), gettext_lazy("Nothing was kept before the year 2000.")),
        MaxValueValidator(date(2199, 12, 31), gettext_lazy("A day before the year 2200 is needed.")),
    ],
}


class AskedForm(forms.Form):
    """What the reader wants to see. Days are whole days in their time zone."""

    who = forms.ModelChoiceField(
        User.objects.none(),
        label=gettext_lazy("who"),
        required=False,
        empty_label=gettext_lazy("Anybody"),
        widget=UnfoldAdminSelectWidget,
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("of what kind"),
        required=False,
        choices=lambda: [("", _("Any")), *((key, capfirst(str(label))) for key, label in reading.KINDS.items())],
        widget=UnfoldAdminSelectWidget,
    )
    shop = forms.ModelChoiceField(
        Shop.objects.none(),
        label=gettext_lazy("shop"),
        required=False,
        empty_label=gettext_lazy("All shops"),
        widget=UnfoldAdminSelectWidget,
    )
    thing = forms.CharField(
        label=gettext_lazy("name or number"),
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
    )
    since = forms.DateField(label=gettext_lazy("from the day"), **DAY)
    until = forms.DateField(label=gettext_lazy("to the day"), **DAY)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.all() if user.has_perm("hub.view_user") else colleagues(user)
        self.fields["who"].queryset = people.order_by("email")  # type: ignore[attr-defined]
        self.fields["shop"].queryset = Shop.objects.led_by(user)  # type: ignore[attr-defined]

    def asked(self) -> reading.Asked:
        given = self.cleaned_data
        return reading.Asked(
            who=given["who"].pk if given["who"] else None,
            kind=given["kind"],
            thing=given["thing"],
            since=_midnight(given["since"]),
            before=_midnight(given["until"] + timedelta(days=1)) if given["until"] else None,
            shop=given["shop"].pk if given["shop"] else None,
        )


def _midnight(day: Any) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None


def trail_view(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    user = reader(request)
    if not reading.may_read(user):
        raise PermissionDenied
    form = AskedForm(request.GET or None, user=user)
    is_refused = form.is_bound and not form.is_valid()
    asked = form.asked() if form.is_bound and not is_refused else reading.Asked()
    if "table" in request.GET and not is_refused:
        return _table(user, asked)
    after = reading.decode(request.GET.get("after", ""))
    found = [] if is_refused else reading.lines(user, asked, after, SIZE + 1)
    kept = {name: str(value) for name, value in request.GET.items() if name in form.fields and value}
    context = {
        **admin.site.each_context(request),
        "title": _("Trail"),
        "form": form,
        "lines": found[:SIZE],
        "is_first": after is None,
        "first_url": f"?{urlencode(kept)}",
        "table_url": f"?{urlencode(kept | {'table': 'csv'})}",
        "next_url": _next(found, kept),
    }
    return TemplateResponse(request, "admin/hub/trail.html", context)


def _next(found: list[reading.Line], kept: dict[str, str]) -> str:
    if len(found) <= SIZE:
        return ""
    return f"?{urlencode(kept | {'after': reading.Position(*found[SIZE - 1].place).encode()})}"


def _table(user: User, asked: reading.Asked) -> StreamingHttpResponse:
    rows = _rows(reading.pages(user, asked), get_language(), timezone.get_current_timezone())
    answer = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="trail-{timezone.localdate()}.csv"'
    return answer


class _Echo:
    def write(self, value: str) -> str:
        return value


def _rows(pages: Iterator[list[reading.Line]], language: str | None, zone: Any) -> Iterator[str]:
    """A stream is read when the page's language and time zone are no longer set."""
    writer = csv.writer(_Echo())
    with override(language):
        head = [_("When"), _("Who"), capfirst(_("kind")), _("What"), _("Of what"), _("Details")]
    yield "\ufeff" + writer.writerow(head)
    while True:
        with override(language), timezone.override(zone):
            page = next(pages, [])
            rows = [writer.writerow(_cells(line)) for line in page]
        if not page:
            return
        yield "".join(rows)


def _cells(line: reading.Line) -> list[str]:
    at = timezone.localtime(line.at).strftime("%Y-%m-%d %H:%M:%S")
    cells = [at, line.who, line.kind, line.what, line.thing, "\n".join(line.details)]
    return [sheets.in_csv(sheets.guarded(cell)) for cell in cells]
