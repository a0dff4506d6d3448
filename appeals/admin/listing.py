"""The list of appeals: its columns, filters, search, and what can be done to many at once."""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from appeals import chain, wording
from appeals.admin import bulk, filters, needs, verbs
from appeals.admin.people import own_shops, reader
from appeals.models import Appeal, SavedView
from marketplaces.amounts import roubles

TONES = {
    Appeal.Status.DRAFT: "default",
    Appeal.Status.WAITING: "info",
    Appeal.Status.OUR_TURN: "warning",
    Appeal.Status.RESOLVED: "success",
}
OUTCOMES = {
    Appeal.Outcome.GRANTED: "success",
    Appeal.Outcome.PARTLY_GRANTED: "success",
    Appeal.Outcome.REFUSED: "danger",
    Appeal.Outcome.IGNORED: "danger",
    Appeal.Outcome.WITHDRAWN: "default",
}

LONGEST = 1000  # what a view keeps of an address

# A number that a browser would break at its hyphens
_HYPHENED = re.compile(r"(\d[\d-]{3,22}\d)")


def whole_numbers(text: str) -> SafeString:
    """The text with each of its numbers in one line."""
    parts = _HYPHENED.split(text)
    shown = (("hub-number" if place % 2 else "", part) for place, part in enumerate(parts))
    return format_html_join("", '<span class="{}">{}</span>', shown) if len(parts) > 1 else format_html("{}", text)


def two_lines(first: str, second: str, tone: str = "") -> SafeString:
    return format_html('<span class="hub-two {}"><span>{}</span><small>{}</small></span>', tone, first, second)


class AppealList(ChangeList):
    """The rows with their running clocks and first promises: four more queries, however many rows."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Appeal]:
        found: QuerySet[Appeal] = super().get_queryset(request, *args, **kwargs)
        return found.prefetch_related(needs.CLOCKS).defer(*needs.LONG)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        promises, now = chain.first_promises(self.result_list), timezone.now()
        for appeal in self.result_list:
            promise = promises.get(appeal.pk)
            appeal.first_promise = promise.text(appeal, now) if promise and promise.is_owed else ""


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than anybody pages: the length of a longer list costs a full scan and helps nobody."""

    limit = 10_000

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Appeal]", self.object_list)
        return rows.order_by()[: self.limit].count()


class AppealListing(ModelAdmin):
    shows_moments = True
    paginator = CappedPaginator
    list_before_template = "admin/appeals/appeal/views.html"
    list_after_template = "admin/appeals/appeal/capped.html"
    list_display = ["what", "place", "state", "due", "assignee", "money"]
    list_filter = filters.ALL
    list_filter_submit = True
    list_select_related = ["shop__marketplace", "topic", "assignee"]
    list_per_page = 50
    show_full_result_count = False
    adds_above = True
    empty_hint = gettext_lazy(
        "Log the first one: what you wrote, to whom and when. The directory knows how long they may take."
    )
    empty_for_readers = gettext_lazy("The appeals of your shops will stand here.")
    search_fields = ["search_text"]
    search_help_text = gettext_lazy("Subject, text or number")
    actions = ["reply_many", "message_many", "escalate_many", "resolve_many", "snooze_many", "assign_many"]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        views = SavedView.objects.filter(user=reader(request))
        context = {
            "title": _("Appeals"),
            "saved_views": views,
            "this_view": filters.known(request.GET),
            "no_shop": not own_shops(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def save_view(self, request: HttpRequest) -> HttpResponse:
        """The list as it is filtered now, under a name; a view of that name is replaced."""
        name = request.POST.get("name", "").strip()[:60]
        query = filters.known(QueryDict(request.POST.get("query", "")))
        if not name:
            messages.error(request, _("Give the list a name."))
        elif not query or len(query) > LONGEST:
            messages.error(request, _("There are no filters to keep, or too long ones."))
        else:
            _view, is_new = SavedView.objects.update_or_create(
                user=reader(request), name=name, defaults={"query": query}
            )
            text = _("The list “%(name)s” is kept.") if is_new else _("The list “%(name)s” is replaced.")
            messages.success(request, text % {"name": name})
        return HttpResponseRedirect(f"{reverse('admin:appeals_appeal_changelist')}?{query}")

    def forget_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = SavedView.objects.filter(user=reader(request), pk=pk).first()
        if found:
            found.delete()
            messages.success(request, _("The list “%(name)s” is deleted.") % {"name": found.name})
        query = filters.known(QueryDict(request.POST.get("query", "")))
        return HttpResponseRedirect(f"{reverse('admin:appeals_appeal_changelist')}?{query}")

    def get_ordering(self, request: HttpRequest) -> Any:
        """The most urgent first where a term is asked for, as on the home page; otherwise the newest."""
        return ["next_due_at", "id"] if request.GET.get(filters.DueFilter.parameter_name) else ["-created_at", "-id"]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The timeline tells it."""
        answer = super().history_view(request, object_id, extra_context)  # refuses whom it is not for
        return redirect("admin:appeals_appeal_change", object_id) if answer.status_code == 200 else answer

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appeal]:
        return Appeal.objects.visible_to(reader(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Appeal], search_term: str
    ) -> tuple[QuerySet[Appeal], bool]:
        return queryset.search(search_term), False  # type: ignore[attr-defined]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AppealList

    @display(description=gettext_lazy("appeal"), ordering="pk")
    def what(self, obj: Appeal) -> SafeString:
        parts = [f"№ {obj.pk}", obj.external_number, str(obj.topic or "")]
        return two_lines(whole_numbers(obj.subject), " · ".join(part for part in parts if part))

    @display(description=gettext_lazy("shop"), ordering="shop__name")
    def place(self, obj: Appeal) -> SafeString:
        return two_lines(str(obj.shop), "" if obj.shop.says_marketplace else str(obj.marketplace))

    @display(description=gettext_lazy("whose turn"), label=TONES | OUTCOMES, ordering="status")
    def state(self, obj: Appeal) -> tuple[str, str]:
        return obj.outcome or obj.status, obj.get_outcome_display() or obj.get_status_display()

    @display(description=gettext_lazy("due"), ordering=needs.SOONEST)
    def due(self, obj: Appeal) -> SafeString | None:
        now = timezone.now()
        running = needs.running(obj)
        first = getattr(obj, "first_promise", "")
        if running is None:
            return two_lines("", first, "hub-due") if first else None
        late = "hub-due hub-late" if running.is_late(now) else "hub-due"
        until = wording.until(running.due_at, now)
        return two_lines(wording.standing(running, now), f"{until}. {first}" if first else until, late)

    @display(description=gettext_lazy("at stake"), ordering="amount_at_stake")
    def money(self, obj: Appeal) -> str | None:
        return roubles(obj.amount_at_stake) if obj.amount_at_stake is not None else None

    @admin.action(description=verbs.ReplyForm.label, permissions=["change"])
    def reply_many(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> HttpResponse | None:
        return self._many(request, queryset, "record_reply")

    @admin.action(description=verbs.MessageForm.label, permissions=["change"])
    def message_many(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> HttpResponse | None:
        return self._many(request, queryset, "message")

    @admin.action(description=gettext_lazy("Assign"), permissions=["change"])
    def assign_many(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> HttpResponse | None:
        return self._many(request, queryset, "assign")

    @admin.action(description=gettext_lazy("Escalate: the next step of each"), permissions=["change"])
    def escalate_many(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> HttpResponse | None:
        return self._many(request, queryset, "escalate")

    @admin.action(description=gettext_lazy("Snooze"), permissions=["change"])
    def snooze_many(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> HttpResponse | None:
        return self._many(request, queryset, "snooze")

    @admin.action(description=gettext_lazy("Resolve"), permissions=["change"])
    def resolve_many(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> HttpResponse | None:
        return self._many(request, queryset, "resolve")

    def _many(self, request: HttpRequest, queryset: QuerySet[Appeal], verb: str) -> HttpResponse | None:
        """To the preview of what the verb would do to each."""
        ids = [str(pk) for pk in queryset.values_list("pk", flat=True)[: bulk.LIMIT + 1]]
        if len(ids) > bulk.LIMIT:
            messages.error(request, _("Choose at most %(limit)d appeals at once.") % {"limit": bulk.LIMIT})
            return None
        listed = filters.known(request.GET)
        which = urlencode({"ids": "-".join(ids), **({"list": listed} if listed else {})})
        return HttpResponseRedirect(f"{reverse('admin:appeals_appeal_many', args=[verb])}?{which}")

    def render(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context |= {**self.admin_site.each_context(request), "title": title}
        return TemplateResponse(request, f"admin/appeals/appeal/{template}", context)
