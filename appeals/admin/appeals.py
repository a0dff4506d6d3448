"""The form that logs an appeal, its page, and the doors of its verbs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NoReturn

from django.contrib import admin, messages
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.forms import BaseForm
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appeals import evidence, lifecycle, story, wording
from appeals.admin import advice, bulk, letters, matter, page, undoing, verbs
from appeals.admin.dialogs import add_errors, files_again, go, proposed
from appeals.admin.exchange import AppealExchange
from appeals.admin.filters import NUMBER
from appeals.admin.forms import AppealForm, quoting
from appeals.admin.listing import TONES
from appeals.admin.people import reader
from appeals.models import Appeal, Event, Shop
from marketplaces.citing import Keys
from marketplaces.working_time import UNCOUNTABLE

LAST_SHOP = "last_shop"


@admin.register(Appeal)
class AppealAdmin(AppealExchange):
    def has_delete_permission(self, request: HttpRequest, obj: Appeal | None = None) -> bool:
        """Only a draft is ever deleted, and a verb does it."""
        return False

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> NoReturn:
        raise PermissionDenied(_("An appeal that was sent stays. A draft is deleted by the button on its page."))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("promise/", view(require_GET(self.promise_view)), name="appeals_appeal_promise"),
            path("review/", view(require_POST(self.review_view)), name="appeals_appeal_review"),
            path("<int:pk>/review/", view(require_POST(self.review_view)), name="appeals_appeal_review_of"),
            path("<int:pk>/undo/", view(require_POST(self.undo_view)), name="appeals_appeal_undo"),
            path("<int:pk>/do/<slug:verb>/", view(self.verb_view), name="appeals_appeal_verb"),
            path("<int:pk>/letter/<slug:kind>/", view(self.letter_view), name="appeals_appeal_letter"),
            path("<int:pk>/evidence/", view(require_GET(self.evidence_view)), name="appeals_appeal_evidence"),
            path("<int:pk>/files/<int:file>/", view(require_GET(self.file_view)), name="appeals_appeal_file"),
            path("export/<slug:kind>/", view(require_GET(self.export_view)), name="appeals_appeal_export"),
            path("import/", view(self.import_view), name="appeals_appeal_import"),
            path("views/", view(require_POST(self.save_view)), name="appeals_appeal_save_view"),
            path("views/<int:pk>/", view(require_POST(self.forget_view)), name="appeals_appeal_forget_view"),
            path("help/", view(self.help_view), name="appeals_appeal_help"),
            path("many/<slug:verb>/", view(self.many_view), name="appeals_appeal_many"),
            *super().get_urls(),
        ]

    def many_view(self, request: HttpRequest, verb: str) -> HttpResponse:
        return bulk.view(request, verb, self.get_queryset(request), self.render)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not Shop.objects.visible_to(reader(request)).exists():
            return self.render(request, "no_shop.html", _("Log an appeal"))
        asked = request.GET.dict()
        again = quoting(reader(request), asked.get("previous", ""))
        initial = {"assignee": request.user.pk, **_last_shop(request), **again, **asked}
        form = AppealForm(*_sent(request), user=reader(request), initial=initial)
        if _ready(request, form) and (appeal := self._attempt(form, lambda now: self._log(request, form, now))):
            request.session[LAST_SHOP] = appeal.shop_id
            sent = appeal.status != Appeal.Status.DRAFT
            self._say(request, _("Logged as sent: the clocks run.") if sent else _("The draft is saved."), appeal)
            return HttpResponseRedirect(appeal.get_absolute_url())
        form.focus_first()
        files_again(form)
        url = reverse("admin:appeals_appeal_review")
        return self.render(request, "form.html", _("Log an appeal"), form=form, review_url=url)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        appeal = self._appeal(request, object_id)
        if appeal is None:
            gone: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return gone
        if request.method != "POST" and "edit" not in request.GET:
            return self._show(request, appeal)
        if not self.has_change_permission(request, appeal):
            raise PermissionDenied
        form = AppealForm(*_sent(request), user=reader(request), instance=appeal)
        if _ready(request, form) and self._attempt(form, lambda now: self._edit(request, appeal, form, now)):
            self._say(request, _("Saved.") if form.facts() else _("Nothing was changed."), appeal)
            return HttpResponseRedirect(appeal.get_absolute_url())
        form.focus_first()
        draft = appeal.status == Appeal.Status.DRAFT
        url = reverse("admin:appeals_appeal_review_of", args=[appeal.pk]) if draft else ""
        return self.render(request, "form.html", str(appeal), form=form, appeal=appeal, review_url=url)

    def verb_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """One small form for one verb; as a dialog where there is JavaScript, as a page where there is none."""
        appeal = self._appeal(request, pk)
        form_class = verbs.FORMS.get(verb)
        if appeal is None or form_class is None:
            raise Http404
        if not self.may(request, form_class):
            raise PermissionDenied
        if request.method != "POST" and (unfit := page.unfit(appeal, verb)):
            title = _("“%(verb)s” cannot be done now") % {"verb": form_class.label}
            return self.render(request, "unfit.html", title, appeal=appeal, unfit=unfit)
        form = form_class(*_sent(request), appeal=appeal, actor=reader(request), initial=proposed(request))
        if _ready(request, form) and self._attempt(form, form.run):
            self._say(request, form.said(), appeal)
            gone = verb == "delete_draft"
            return go(request, reverse("admin:appeals_appeal_changelist") if gone else appeal.get_absolute_url())
        files_again(form)
        return self.render(request, "verb.html", str(form.label), form=form, appeal=appeal, subtitle=str(appeal))

    def promise_view(self, request: HttpRequest) -> HttpResponse:
        return advice.promise_view(request)

    def review_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """What the text lacks, for the form of a new appeal or of a saved one."""
        appeal = self._appeal(request, pk) if pk is not None else None
        if pk is not None and appeal is None:
            raise Http404
        if not (self.has_change_permission(request, appeal) if appeal else self.has_add_permission(request)):
            raise PermissionDenied
        return advice.review_view(request, appeal)

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        appeal = self._appeal(request, pk)
        if appeal is None:
            raise Http404
        if not self.has_change_permission(request, appeal):
            raise PermissionDenied
        return undoing.view(request, appeal)

    def help_view(self, request: HttpRequest) -> HttpResponse:
        """The keys, and the four kinds of a reply."""
        keys = [
            ("Alt+N", _("Log an appeal")),
            ("Ctrl+Enter", _("Send the form")),
            ("Ctrl+S", _("Save the draft")),
            ("/", _("Search in a list")),
            *((f"Alt+{form.key}", form.label) for form in verbs.FORMS.values() if form.key),
        ]
        kinds = verbs.ReplyForm.base_fields["kind"].choices  # type: ignore[attr-defined]
        return self.render(request, "help.html", _("Keys and words"), keys=keys, kinds=kinds)

    def file_view(self, request: HttpRequest, pk: int, file: int) -> HttpResponse | FileResponse:
        appeal = self._appeal(request, pk)
        if appeal is None:
            raise Http404
        attachment = get_object_or_404(appeal.attachments, pk=file)
        try:
            content = attachment.file.open("rb")
        except FileNotFoundError as error:
            raise Http404 from error
        return FileResponse(
            content,
            as_attachment=True,
            filename=attachment.name,
            content_type=attachment.content_type,
            headers={"X-Content-Type-Options": "nosniff"},
        )

    def letter_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse | FileResponse:
        appeal = self._appeal(request, pk)
        if appeal is None:
            raise Http404
        return letters.view(request, appeal, kind, self.render, may_edit=self.has_change_permission(request, appeal))

    def evidence_view(self, request: HttpRequest, pk: int) -> FileResponse:
        """The pack of one appeal, or of its matter."""
        appeal = self._appeal(request, pk)
        if appeal is None:
            raise Http404
        packed = matter.of(appeal, reader(request)) if "matter" in request.GET else [appeal]
        file = evidence.take(appeals=packed, actor=reader(request), now=timezone.now())
        return FileResponse(file, as_attachment=True, filename=evidence.name(packed), content_type="application/zip")

    def may(self, request: HttpRequest, form: type[verbs.VerbForm]) -> bool:
        return bool(request.user.has_perm(f"appeals.{form.permission}_appeal"))

    def _appeal(self, request: HttpRequest, pk: int | str) -> Appeal | None:
        related = [
            "shop__marketplace",
            "topic",
            "channel__marketplace",
            "assignee",
            "created_by",
            "previous",
            "incident",
        ]
        if not self.has_view_permission(request) or not NUMBER.fullmatch(str(pk)):
            return None
        return self.get_queryset(request).select_related(*related).filter(pk=pk).first()

    def _say(self, request: HttpRequest, text: str, appeal: Appeal) -> None:
        messages.success(request, undoing.with_way_back(text, appeal, reader(request), timezone.now()))

    def _show(self, request: HttpRequest, appeal: Appeal) -> TemplateResponse:
        now = timezone.now()
        prefetch_related_objects([appeal], "attachments")  # the review of a draft asks for them, too
        may_edit = self.has_change_permission(request, appeal)
        channel = appeal.channel
        story = matter.of(appeal, reader(request))
        cite = Keys()
        lines, clocks = page.timeline(appeal, story, cite), page.clocks(appeal, now, cite)
        own = [line.event for line in lines if not line.other]
        step = lifecycle.next_step(appeal, now, own)
        return self.render(
            request,
            "page.html",
            str(appeal),
            appeal=appeal,
            **matter.context(appeal, story, [line.event for line in lines], now),
            clocks=clocks,
            timeline=lines,
            sources=cite.cited,
            next_step=page.next_step(appeal, step, now) if "escalate" in lifecycle.verbs(appeal) else None,
            verbs=[form for form in verbs.fitting(appeal) if self.may(request, form)],
            first_verb=page.likely(appeal, now),
            may_edit=may_edit,
            **(undoing.context(appeal, reader(request), now, own) if may_edit else {}),
            **letters.context(appeal, step, own),
            review=advice.of_draft(appeal, reader(request), now),
            may_add=self.has_add_permission(request),
            attachments=appeal.attachments.all(),
            channel_open=wording.open_now(channel, now) if channel else "",
            zone=wording.zone(now),
            tone=TONES[Appeal.Status(appeal.status)],
        )

    def _attempt(self, form: BaseForm, run: Any) -> Any:
        """What the verb gave, or True; None when it refused, and then the form says why."""
        try:
            with transaction.atomic():
                return run(timezone.now()) or True
        except (lifecycle.StateError, *UNCOUNTABLE) as error:
            form.add_error(None, str(error))
        except ValidationError as error:
            add_errors(form, error)
        return None

    def _log(self, request: HttpRequest, form: AppealForm, now: datetime) -> Appeal:
        facts = form.facts()
        appeal = lifecycle.create(actor=reader(request), now=now, shop=form.cleaned_data["shop"], **facts)
        sent_at = form.cleaned_data["sent_at"]
        if "_sent" in request.POST:
            appeal = lifecycle.submit(
                appeal=appeal, actor=reader(request), now=now, at=sent_at, external_number=facts["external_number"]
            )
        elif sent_at:
            raise ValidationError({"at": _("A draft was not sent yet. Press “I have sent it”, or clear this field.")})
        for file in form.cleaned_data["attachments"]:
            lifecycle.attach(appeal=appeal, actor=reader(request), now=now, file=file, name=file.name)
        return appeal

    def _edit(self, request: HttpRequest, appeal: Appeal, form: AppealForm, now: datetime) -> Appeal:
        """Refuses a form that was opened before somebody else changed the appeal, and says who and what."""
        current = Appeal.objects.select_for_update(of=("self",)).get(pk=appeal.pk)
        if form.cleaned_data["version"] != current.version:
            touched = set(form.changed_data)
            differ = form.take_present(AppealForm(user=reader(request), instance=current))
            now_is = {name: _("Now it is: %(value)s") % {"value": story.value(current, name)} for name in differ}
            both = {name: said for name, said in now_is.items() if name in touched}
            raise ValidationError({NON_FIELD_ERRORS: _stale(current, differ), **both})
        return lifecycle.edit(appeal=appeal, actor=reader(request), now=now, **form.facts())


def _sent(request: HttpRequest) -> tuple[Any, Any]:
    """What the browser sent for a form; nothing when it only opens the page."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _ready(request: HttpRequest, form: BaseForm) -> bool:
    return request.method == "POST" and form.is_valid()


def _last_shop(request: HttpRequest) -> dict[str, Any]:
    """The shop for which the person logged an appeal last, or the only one that there is."""
    if last := request.session.get(LAST_SHOP):
        return {"shop": last}
    shops = list(Shop.objects.visible_to(reader(request)).values_list("pk", flat=True)[:2])
    return {"shop": shops[0]} if len(shops) == 1 else {}


def _stale(appeal: Appeal, differ: Iterable[str]) -> str:
    """Who changed the appeal meanwhile, and what it is now where it is no longer what the form was opened with."""
    last = Event.objects.filter(appeal=appeal).select_related("actor").order_by("recorded_at", "id").last()
    words = {"who": "", "what": "", "at": ""}
    if last:
        at = wording.near(last.recorded_at, timezone.now())
        words = {"who": str(last.actor or "—"), "what": str(last.get_kind_display()), "at": at}
    text = (
        _(
            "While you were editing, the appeal was changed: %(what)s, %(who)s, %(at)s. Nothing was saved."
            " Check your values below; save again to keep them."
        )
        % words
    )
    values = "; ".join(f"{story.name(field)}: {story.value(appeal, field)}" for field in differ)
    return text + " " + _("Now it is: %(value)s") % {"value": values} if values else text
