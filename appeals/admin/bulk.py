"""One verb for many appeals: first a preview of what it would do to each, then a result for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from appeals import lifecycle, undo
from appeals.admin import undoing, verbs
from appeals.admin.dialogs import go, proposed
from appeals.admin.filters import NUMBER
from appeals.admin.people import colleagues, reader
from appeals.escalation import Paths
from appeals.models import Appeal, Event
from marketplaces.working_time import UNCOUNTABLE

LIMIT = 200


class TooManyError(ValueError):
    """More appeals than one request may change; str() says what to do instead."""


class Row(NamedTuple):
    """What a verb would do to one appeal, or has done: `problem` where it cannot or could not.

    `line` is what it left on the timeline, if that can be taken back.
    """

    appeal: Appeal
    effect: str
    problem: str
    line: Event | None = None


class BulkAssign(verbs.AssignForm):
    def prepare(self) -> None:
        """None of many is kept on offer for its own sake: they differ."""
        self.fields["assignee"].queryset = colleagues(self.actor)  # type: ignore[attr-defined]
        self.initial["assignee"] = self.appeal.assignee_id

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
    named = visible.filter(pk__in=ids) if ids else visible.order_by("pk")
    rows = named.select_related("shop__marketplace", "assignee")
    return list(rows.prefetch_related(Prefetch("events", queryset=taken, to_attr="taken")))


def view(
    request: HttpRequest, verb: str, visible: QuerySet[Appeal], render: Callable[..., HttpResponse]
) -> HttpResponse:
    form_class = FORMS.get(verb)
    if form_class is None and (verb, request.method) != ("undo", "POST"):
        raise Http404
    if not request.user.has_perm("appeals.change_appeal"):
        raise PermissionDenied
    if form_class is None:
        return _done(render, request, pgettext("take back", "Undo"), _taken_back(request, visible))
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
    if request.method == "POST" and form.is_valid():
        return _done(render, request, str(form.label), [_run(form, appeal) for appeal in appeals])
    paths = Paths(timezone.localdate())
    rows = [_preview(form, appeal, paths) for appeal in appeals]
    return render(
        request, "bulk.html", str(form.label), form=form, rows=rows, fitting=sum(not r.problem for r in rows)
    )


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


def _run(form: Any, appeal: Appeal) -> Row:
    """One appeal, one transaction: what fails leaves the others as they are."""
    form.appeal, now = appeal, timezone.now()
    if unfit := _unfit(form, appeal):
        return Row(appeal, "", unfit)
    try:
        with transaction.atomic():
            form.run(now)
    except (lifecycle.StateError, *UNCOUNTABLE) as error:
        return Row(appeal, "", str(error))
    except ValidationError as error:
        return Row(appeal, "", " ".join(error.messages))
    line = undo.undoable(appeal, actor=form.actor, now=now)
    return Row(appeal, str(form.done), "", line if line and line.recorded_at == now else None)


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


def _done(render: Callable[..., HttpResponse], request: HttpRequest, title: str, rows: list[Row]) -> HttpResponse:
    """What became of each, with one button that takes all of it back."""
    lines = [row.line for row in rows if row.line]
    button = undoing.button(lines, timezone.now()) if lines else ""
    done = sum(not row.problem for row in rows)
    return render(request, "bulk_done.html", title, rows=rows, done=done, undo_button=button)
