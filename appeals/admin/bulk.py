"""One verb for many appeals: first a preview of what it would do to each, then a result for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from appeals import lifecycle, undo
from appeals.admin import results, undoing, verbs
from appeals.admin.dialogs import add_errors, go, proposed
from appeals.admin.filters import NUMBER, known
from appeals.admin.people import colleagues, reader
from appeals.admin.results import Result, Row
from appeals.escalation import Paths
from appeals.models import Appeal, Event
from marketplaces.working_time import UNCOUNTABLE

LIMIT = 200


class TooManyError(ValueError):
    """More appeals than one request may change; str() says what to do instead."""


class BulkAssign(verbs.AssignForm):
    def prepare(self) -> None:
        """None of many is kept on offer for its own sake: they differ."""
        self.fields["assignee"].queryset = colleagues(self.actor)  # type: ignore[attr-defined]
        self.initial["assignee"] = self.appeal.assignee_id

    def look_at(self, appeals: list[Appeal]) -> None:
        """Where they have different assignees, none of them is proposed, and neither is nobody."""
        if len({appeal.assignee_id for appeal in appeals}) > 1:
            field: Any = self.fields["assignee"]
            field.error_messages["invalid_choice"] = _("Choose who is to have them, or nobody.")
            field.widget.choices = [("-", _("Choose")), *field.choices]
            self.initial["assignee"] = "-"

    def effect(self, appeal: Appeal, paths: Paths) -> str:
        return _("now: %(person)s") % {"person": appeal.assignee or _("nobody")}


class BulkSnooze(verbs.SnoozeForm):
    def effect(self, appeal: Appeal, paths: Paths) -> str:
        return ""


class BulkResolve(verbs.ResolveForm):
    button = gettext_lazy("Resolve the appeals")
    amount_recovered = None  # type: ignore[assignment]  # each appeal has its own

    def effect(self, appeal: Appeal, paths: Paths) -> str:
        return ""


class BulkEscalate(verbs.EscalateForm):
    """Each appeal takes the step that comes next for it."""

    step = None  # type: ignore[assignment]
    external_number = None  # type: ignore[assignment]
    button = gettext_lazy("Note the steps")
    hint = gettext_lazy(
        "Each appeal takes the step that comes next for it. Take the steps yourself, then note them here."
    )

    def prepare(self) -> None:
        """There is no one path for many appeals."""

    def effect(self, appeal: Appeal, paths: Paths) -> str:
        step = paths.next(appeal, appeal.taken)  # type: ignore[attr-defined]
        return step.text("name") if step else ""

    def run(self, now: datetime) -> None:
        step = lifecycle.next_step(self.appeal, now)
        if step is None:
            raise ValidationError(_("The path has no further step."))
        self.call(lifecycle.escalate, now, step=step, **self.cleaned_data)


class BulkReply(verbs.ReplyForm):
    """The marketplace wrote the same of all of them."""

    def effect(self, appeal: Appeal, paths: Paths) -> str:
        return ""


class BulkMessage(verbs.MessageForm):
    def effect(self, appeal: Appeal, paths: Paths) -> str:
        return ""


_ALL = (BulkAssign, BulkEscalate, BulkSnooze, BulkResolve, BulkReply, BulkMessage)
FORMS: dict[str, Any] = {form.verb: form for form in _ALL}


def chosen(request: HttpRequest, visible: QuerySet[Appeal]) -> list[Appeal]:
    """The appeals that the address names, of those that the person sees; 404 for a list that nobody can mean.

    They are named one by one, or by the incident that they belong to, and perhaps the marketplace. TooManyError when
    that has more than `LIMIT`.
    """
    ids = request.GET.get("ids", "").split("-")
    incident, place = request.GET.get("incident", ""), request.GET.get("marketplace", "")
    if NUMBER.fullmatch(incident):
        visible, ids = visible.filter(incident=int(incident)), []
        visible = visible.filter(shop__marketplace__slug=place) if place else visible
        if (count := visible.count()) > LIMIT:
            words = {"limit": LIMIT, "count": count}
            raise TooManyError(
                _("Choose at most %(limit)d appeals at once. The incident has %(count)d: choose in the list.") % words
            )
    elif not all(map(NUMBER.fullmatch, ids)) or len(ids) > LIMIT:
        raise Http404
    taken = Event.objects.standing().filter(kind=Event.Kind.ESCALATED).select_related("step")
    named = visible.filter(pk__in=ids) if ids else visible
    rows = named.order_by("pk").select_related("shop__marketplace", "assignee")
    return list(rows.prefetch_related(Prefetch("events", queryset=taken, to_attr="taken")))


def view(
    request: HttpRequest, verb: str, visible: QuerySet[Appeal], render: Callable[..., HttpResponse]
) -> HttpResponse:
    form_class = FORMS.get(verb)
    if form_class is None and (verb, request.method) not in (("undo", "POST"), ("done", "GET")):
        raise Http404
    if not request.user.has_perm("appeals.change_appeal"):
        raise PermissionDenied
    if verb == "done":
        return _done(request, visible, render)
    if form_class is None:
        return _undo(request, visible)
    try:
        appeals = chosen(request, visible)
    except TooManyError as error:
        messages.error(request, str(error))
        which = urlencode({name: request.GET[name] for name in ("incident", "marketplace") if name in request.GET})
        return go(request, f"{reverse('admin:appeals_appeal_changelist')}?{which}")
    if not appeals:
        raise Http404
    sent = request.POST if request.method == "POST" else None
    form = form_class(sent, appeal=appeals[0], actor=reader(request), initial=proposed(request))
    if isinstance(form, BulkAssign):
        form.look_at(appeals)
    if request.method == "POST" and form.is_valid() and (done := _do(request, form, appeals)):
        return go(request, results.address(done))
    paths = Paths(timezone.localdate())
    rows = [_preview(form, appeal, paths) for appeal in appeals]
    fitting, back = sum(not row.problem for row in rows), _back(request)
    return render(
        request, "bulk.html", str(form.label), form=form, rows=rows, fitting=fitting, back=back, token=uuid4()
    )


def _back(request: HttpRequest) -> str:
    """Where the appeals were chosen: the page of their incident, or the list as it was filtered."""
    if NUMBER.fullmatch(incident := request.GET.get("incident", "")):
        return reverse("admin:appeals_incident_change", args=[incident])
    query = known(QueryDict(request.GET.get("list", "")))
    return f"{reverse('admin:appeals_appeal_changelist')}{'?' if query else ''}{query}"


def _do(request: HttpRequest, form: Any, appeals: list[Appeal]) -> str:
    """The name of the result; "" when nothing could be done to any for one reason, which then stands at its field."""
    name = results.key(request)
    with transaction.atomic():
        if results.of_first_press(request, name):
            tried = [_run(form, appeal) for appeal in appeals]
            if error := _of_all(tried):
                add_errors(form, error)
                return ""
            results.keep(request, name, Result(str(form.label), _back(request), [row for row, _error in tried]))
    return name


def _of_all(tried: list[tuple[Row, ValidationError | None]]) -> ValidationError | None:
    """What the verb refused at the same field with the same words for every appeal that it fits."""
    errors = [error for _row, error in tried if error]
    if not errors or any(not row.problem for row, _error in tried):
        return None
    said = [getattr(error, "error_dict", None) and error.message_dict for error in errors]
    return errors[0] if said[0] and all(one == said[0] for one in said) else None


def _unfit(form: Any, appeal: Appeal) -> str:
    if form.verb in {*lifecycle.verbs(appeal), "assign"}:
        return ""
    return _("does not fit: %(status)s") % {"status": appeal.get_status_display()}


def _preview(form: Any, appeal: Appeal, paths: Paths) -> Row:
    if unfit := _unfit(form, appeal):
        return Row(appeal, "", unfit)
    effect = form.effect(appeal, paths)
    if form.verb == "escalate" and not effect:
        return Row(appeal, "", _("the path has no further step"))
    return Row(appeal, effect, "")


def _run(form: Any, appeal: Appeal) -> tuple[Row, ValidationError | None]:
    """One appeal, and why it was refused: what fails leaves the others as they are."""
    form.appeal, now = appeal, timezone.now()
    if unfit := _unfit(form, appeal):
        return Row(appeal, "", unfit), None
    try:
        with transaction.atomic():
            form.run(now)
    except (lifecycle.StateError, *UNCOUNTABLE) as error:
        return Row(appeal, "", str(error)), None
    except ValidationError as error:
        return Row(appeal, "", " ".join(error.messages)), error
    line = undo.undoable(appeal, actor=form.actor, now=now)
    return Row(appeal, str(form.done), "", line if line and line.recorded_at == now else None), None


def _undo(request: HttpRequest, visible: QuerySet[Appeal]) -> HttpResponse:
    name, undone = results.key(request), results.find(request, request.GET.get("result", ""), visible)
    with transaction.atomic():
        if results.of_first_press(request, name):
            back = undone.back if undone else _back(request)
            rows = _taken_back(request, visible)
            results.keep(request, name, Result(pgettext("take back", "Undo"), back, rows))
    return go(request, results.address(name))


def _taken_back(request: HttpRequest, visible: QuerySet[Appeal]) -> list[Row]:
    """The lines that the button names, each by itself, with why one stays."""
    ids = request.POST.get("event", "").split("-")
    if not all(NUMBER.fullmatch(one) for one in ids) or len(ids) > LIMIT:
        raise Http404
    lines = Event.objects.filter(pk__in=ids, appeal__in=visible).select_related("appeal__shop__marketplace")
    rows, now = [], timezone.now()
    for line in lines.order_by("appeal", "-pk"):
        try:
            problem = undoing.take_back(line.appeal, line.pk, reader(request), now)
        except PermissionDenied as error:
            problem = str(error)
        rows.append(Row(line.appeal, "" if problem else _(undoing.UNDONE), problem))
    return rows


def _done(request: HttpRequest, visible: QuerySet[Appeal], render: Callable[..., HttpResponse]) -> HttpResponse:
    """What became of each, with one button that takes all of it back."""
    name, now = request.GET.get("result", ""), timezone.now()
    found = results.find(request, name, visible)
    if found is None:
        messages.info(request, _("This result is not kept any more. The timeline of each appeal tells what was done."))
        return go(request, reverse("admin:appeals_appeal_changelist"))
    lines = [row.line for row in found.rows if row.line and now < undo.until(row.line)]
    shown = {"rows": found.rows, "done": sum(not row.problem for row in found.rows), "back": found.back}
    button = undoing.button(lines, now) if lines else ""
    return render(request, "bulk_done.html", found.title, **shown, undo_button=button, result=name, token=uuid4())
