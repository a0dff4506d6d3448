"""Incidents: one page that shows all appeals of a fault, and the form that makes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Sum, When
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display

from appeals import incidents, state, wording
from appeals.admin import bulk, needs
from appeals.admin.fields import zone_text
from appeals.admin.incident_form import IncidentForm
from appeals.admin.listing import TONES
from appeals.admin.people import own_shops, reader
from appeals.models import Appeal, Incident, Shop
from appeals.models.appeal import AppealQuerySet
from marketplaces.working_time import UNCOUNTABLE

PAGE = 100
LONG = {*needs.LONG} - {"order_numbers"}
# What somebody has to do something with comes first, what is closed last
FIRST = Case(
    When(status=Appeal.Status.OUR_TURN, then=0),
    When(status=Appeal.Status.RESOLVED, then=2),
    default=1,
    output_field=IntegerField(),
)
VERBS = ("record_reply", "message", "escalate", "resolve", "snooze", "assign")


@admin.register(Incident)
class IncidentAdmin(ModelAdmin):
    """Whoever may see and make appeals may see and make incidents of their shops."""

    shows_moments = True
    list_display = ["name", "hit", "open_now", "created_at", "ended_at"]
    search_fields = ["title__folded", "description__folded"]
    show_full_result_count = False
    empty_hint = gettext_lazy("Many orders hit by one failure are an incident: one text makes an appeal of each.")
    empty_for_readers = gettext_lazy("The incidents of your shops will stand here.")
    fields = ["title", "description", "began_at", "ended_at"]

    def has_view_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        return bool(request.user.has_perm("appeals.view_appeal"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("appeals.add_appeal"))

    def has_change_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        return bool(request.user.has_perm("appeals.change_appeal"))

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [path("<int:pk>/more/", view(self.more_view), name="appeals_incident_more"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        """Their appeals are counted as far as the person sees them."""
        user = reader(request)
        theirs = Q(appeals__shop__in=[shop.pk for shop in own_shops(request)])
        still = theirs & Q(appeals__status__in=[Appeal.Status.WAITING, Appeal.Status.OUR_TURN])
        counted = {"count": Count("appeals", filter=theirs), "open": Count("appeals", filter=still)}
        return Incident.objects.visible_to(user).select_related("created_by").annotate(**counted)

    @display(description=gettext_lazy("name of the incident"), ordering="title")
    def name(self, obj: Incident) -> str:
        return obj.title

    @display(description=gettext_lazy("appeals"))
    def hit(self, obj: Incident) -> int:
        return int(obj.count)  # type: ignore[attr-defined]

    @display(description=gettext_lazy("open appeals"))
    def open_now(self, obj: Incident) -> int:
        return int(obj.open)  # type: ignore[attr-defined]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Moments say in whose zone they are, and the title is what the form of a new incident calls it."""
        said = {"help_text": zone_text()} if db_field.name in ("began_at", "ended_at") else {}
        if db_field.name == "title":
            said["label"] = capfirst(_("name of the incident"))
        return super().formfield_for_dbfield(db_field, request, **said, **kwargs)

    def save_model(self, request: HttpRequest, obj: Incident, form: ModelForm[Incident], change: bool) -> None:
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        incidents.edit(incident=obj, **changed)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"no_shop": not own_shops(request), **(extra_context or {})})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return self._make(request, None)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        context = {"show_save_and_add_another": False, "show_history": False, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The timelines of its appeals tell it."""
        answer = super().history_view(request, object_id, extra_context)  # refuses whom it is not for
        return redirect("admin:appeals_incident_change", object_id) if answer.status_code == 200 else answer

    def more_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """More appeals of an incident that there is."""
        incident = self.get_object(request, str(pk))
        if incident is None:
            return self._gone(request, pk)
        return self._make(request, incident)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method == "POST" or "edit" in request.GET:
            usual: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
            return usual
        incident = self.get_object(request, object_id) if self.has_view_permission(request) else None
        if incident is None:
            return self._gone(request, object_id)
        return self._show(request, incident)

    def _gone(self, request: HttpRequest, pk: object) -> HttpResponse:
        gone: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))
        return gone

    def _show(self, request: HttpRequest, incident: Incident) -> HttpResponse:
        now, appeals = timezone.now(), Appeal.objects.visible_to(reader(request)).filter(incident=incident)
        rows = appeals.select_related("shop__marketplace").defer(*LONG).prefetch_related(needs.CLOCKS)
        page = Paginator(rows.order_by(FIRST, "pk"), PAGE).get_page(request.GET.get("p"))
        may_change, figures = self.has_change_permission(request), _figures(appeals, now)
        states = {figure["key"] for figure in figures}
        return self._render(
            request,
            "page.html",
            incident.title,
            incident=incident,
            figures=figures,
            shops=_by_shop(appeals, now),
            at_stake=appeals.at_stake(),
            page=page,
            rows=[_row(appeal, now) for appeal in page],
            verbs=[bulk.FORMS[verb] for verb in VERBS if _fits(verb, states)] if may_change else [],
            may_add=self.has_add_permission(request),
            may_edit=may_change,
        )

    def _make(self, request: HttpRequest, incident: Incident | None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        title = _("More appeals of the incident") if incident else _("Log an incident")
        if not own_shops(request):
            return self._render(request, "no_shop.html", title)
        user, now = reader(request), timezone.now()
        form = IncidentForm(request.POST if request.method == "POST" else None, user=user, incident=incident)
        context: dict[str, Any] = {"form": form, "incident": incident}
        if request.method == "POST" and form.is_valid():
            chosen = "_sent" in request.POST or "_draft" in request.POST
            if chosen and form.cleaned_data["seen"] == form.fingerprint():
                if done := self._made(request, form, now):
                    return done
            else:
                context["changed"] = chosen
            context |= {} if form.errors else _preview(form, now)
        elif request.method == "POST" and hasattr(form, "readings"):
            context["problems"] = form.problems()
        return self._render(request, "form.html", title, **context)

    def _made(self, request: HttpRequest, form: IncidentForm, now: datetime) -> HttpResponse | None:
        """To the page of what was made; None when it was refused, and then the form says why."""
        try:
            batch = form.make(user=reader(request), now=now, sent="_sent" in request.POST)
        except UNCOUNTABLE as error:
            form.add_error(None, str(error))
            return None
        except ValidationError as error:
            for field, errors in getattr(error, "error_dict", {None: [error]}).items():
                form.add_error(field if field in form.fields else None, errors)
            return None
        text = ngettext("%(count)d appeal is made.", "%(count)d appeals are made.", batch.count)
        messages.success(request, text % {"count": batch.count})
        return HttpResponseRedirect(batch.incident.get_absolute_url())

    def _render(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context |= {**self.admin_site.each_context(request), "title": title}
        return TemplateResponse(request, f"admin/appeals/incident/{template}", context)


def _preview(form: IncidentForm, now: datetime) -> dict[str, Any]:
    """What would be made, to be looked at, and its fingerprint for the next press."""
    looks = form.look(now)
    form.take_note()
    return {
        "looks": looks,
        "appeals": sum(look.appeals for look in looks),
        "orders": sum(look.orders for look in looks),
        "left_out": sum(len(look.problems) for look in looks),
    }


def _figures(appeals: AppealQuerySet, now: datetime) -> list[dict[str, Any]]:
    """How many there are of each state, and where the list of them is."""
    incident = {"total": Count("pk"), "overdue": Count("pk", filter=needs.overdue(now))}
    states = {status.value: Count("pk", filter=Q(status=status)) for status in Appeal.Status}
    found = appeals.aggregate(**incident, **states)
    each = [("total", _("Appeals in all"), ""), ("overdue", _("Overdue"), "&due=overdue")]
    labels = {status: str(capfirst(status.label)) for status in Appeal.Status} | {Appeal.Status.DRAFT: _("Drafts")}
    each += [(status.value, label, f"&status={status.value}") for status, label in labels.items()]
    return [
        {"key": key if found[key] else "", "label": label, "count": found[key], "query": query}
        for key, label, query in each
        if found[key] or key in ("total", "overdue")
    ]


def _fits(verb: str, states: set[str]) -> bool:
    """Whether at least one of the appeals takes it."""
    return verb == "assign" or bool(states & set(state.STATES[verb]))


def _by_shop(appeals: AppealQuerySet, now: datetime) -> list[dict[str, Any]]:
    names = {
        shop.pk: shop for shop in Shop.objects.filter(appeals__in=appeals).select_related("marketplace").distinct()
    }
    counted = (
        appeals.order_by()
        .values("shop")
        .annotate(
            total=Count("pk"),
            open=Count("pk", filter=needs.OPEN),
            late=Count("pk", filter=needs.overdue(now)),
            recovered=Sum("amount_recovered"),
        )
    )
    rows = [row | {"shop": names[row["shop"]], "pk": row["shop"]} for row in counted]
    return sorted(rows, key=lambda row: (row["shop"].marketplace.slug, row["shop"].name))


def _row(appeal: Appeal, now: datetime) -> dict[str, Any]:
    clock = needs.running(appeal)
    return {
        "appeal": appeal,
        "tone": TONES[Appeal.Status(appeal.status)],
        "state": appeal.get_outcome_display() or appeal.get_status_display(),
        "due": wording.until(clock.due_at, now) if clock else "",
        "late": wording.lateness(clock, now) if clock and clock.is_late(now) else "",
    }
