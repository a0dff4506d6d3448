"""What the form says while somebody types: what would be promised, and what the text lacks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appeals import wording
from appeals.admin.fields import NumbersField
from appeals.admin.forms import PlaceForm, PromiseForm
from appeals.admin.people import reader
from appeals.models import Appeal
from appeals.promises import Promise
from appeals.review import Facts, Finding, Severity, review

if TYPE_CHECKING:
    from hub.models import User


class ReviewForm(PlaceForm):
    """The texts and numbers of an appeal as they stand in the form now, character by character.

    What is too long for the form itself is not reviewed. Of the files only their number is told.
    """

    subject = forms.CharField(required=False, strip=False, max_length=300)
    body = forms.CharField(required=False, strip=False, max_length=100_000)
    desired_outcome = forms.CharField(required=False, strip=False, max_length=5_000)
    order_numbers = NumbersField()
    product_codes = NumbersField(spaces=True)
    external_number = forms.CharField(required=False, max_length=100)
    previous: Any = forms.ModelChoiceField(Appeal.objects.none(), required=False)
    attached = forms.IntegerField(required=False, min_value=0)

    def __init__(self, *args: Any, user: User, appeal: Appeal | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.appeal = appeal
        if appeal:
            del self.fields["shop"]
        self.offer_places(user, appeal)
        self.fields["previous"].queryset = Appeal.objects.visible_to(user)  # type: ignore[attr-defined]

    def facts(self) -> Facts:
        """Lines end as the browser counts them."""
        given = self.cleaned_data
        texts = {name: given[name].replace("\r\n", "\n") for name in ("subject", "body", "desired_outcome")}
        return Facts(
            shop=self.appeal.shop if self.appeal else given["shop"],
            topic=given["topic"],
            channel=given["channel"],
            order_numbers=given["order_numbers"],
            product_codes=given["product_codes"],
            external_number=given["external_number"],
            has_files=bool(given["attached"]) or bool(self.appeal and self.appeal.attachments.exists()),
            previous=given["previous"],
            pk=self.appeal.pk if self.appeal else None,
            **texts,
        )


class Row(NamedTuple):
    """A finding as it is drawn: `text` is the place itself, `start` and `end` where it is."""

    severity: str
    label: str
    field: str
    field_label: str
    message: str
    mend: str
    start: int | None
    end: int | None
    appeal: int | None


def promise_view(request: HttpRequest) -> TemplateResponse:
    """The line “the answer is promised by ...” for the form as it is filled in now."""
    form, now = PromiseForm(request.GET, user=reader(request)), timezone.now()
    context: dict[str, Any] = {"asked": form.is_valid()}
    if form.is_valid():
        try:
            context["lines"] = _promise_lines(form.promises(now), now)
            context["proposed"] = form.proposed_channel(reader(request), now)
        except ValueError as error:
            context["problem"] = str(error)
    return TemplateResponse(request, "admin/appeals/appeal/promise.html", context)


def review_view(request: HttpRequest, appeal: Appeal | None) -> TemplateResponse:
    """The findings for the form as it is filled in now, or why there are none yet."""
    form = ReviewForm(request.POST, user=reader(request), appeal=appeal)
    if form.is_valid():
        said = drawn(review(form.facts(), reader=reader(request), now=timezone.now()))
    else:
        said = {"rows": [], "summary": _unchecked(form)}
    return TemplateResponse(request, "admin/appeals/appeal/findings.html", {"review": said})


def of_draft(appeal: Appeal, user: User, now: datetime) -> dict[str, Any] | None:
    """The findings for the page of a draft; None for what was sent."""
    if appeal.status != Appeal.Status.DRAFT:
        return None
    return drawn(review(Facts.of(appeal), reader=user, now=now))


def drawn(found: Iterable[Finding]) -> dict[str, Any]:
    """The rows, and one sentence that says how many there are and how grave."""
    rows = [_row(one) for one in found]
    grave = sum(row.severity == Severity.ERROR for row in rows)
    if not rows:
        summary = _("Nothing to remark.")
    else:
        summary = ngettext("%(count)d remark", "%(count)d remarks", len(rows)) % {"count": len(rows)}
        if grave:
            summary += ngettext(", %(grave)d must be mended", ", %(grave)d must be mended", grave) % {"grave": grave}
    return {"rows": rows, "summary": summary}


def _unchecked(form: ReviewForm) -> str:
    """Why the form cannot be reviewed as it is: no shop, or a field that would be refused."""
    if "shop" in form.errors:
        return _("Choose a shop, and the text is checked as you type.")
    field, errors = next(iter(form.errors.items()))
    return _("The text is not checked yet. %(field)s: %(problem)s") % {"field": _label(field), "problem": errors[0]}


def _label(field: str) -> str:
    named = _("files") if field in ("attachments", "attached") else Appeal._meta.get_field(field).verbose_name  # type: ignore[union-attr]
    return capfirst(str(named)) or ""


def _row(finding: Finding) -> Row:
    start, end = finding.place or (None, None)
    return Row(
        severity=finding.severity,
        label=str(finding.severity.label),
        field=finding.field,
        field_label=_label(finding.field),
        message=finding.message,
        mend=finding.mend,
        start=start,
        end=end,
        appeal=finding.appeal,
    )


def _promise_lines(promised: dict[str, Promise | None], now: datetime) -> list[dict[str, str]]:
    return [
        {"kind": kind, "until": wording.until(promise.due_at, now), "why": promise.why}
        for kind, promise in promised.items()
        if promise
    ]
