"""Marketplaces, topics, promises, escalation paths, rules and sources."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Case, CharField, F, Func, QuerySet, Value, When
from django.db.models.functions import Concat, Left, LPad, Substr
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RadioFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from marketplaces.admin.editing import (
    RELIABLE,
    DirectoryAdmin,
    HasPast,
    InUseFilter,
    LinesField,
    VersionedForm,
    two_lines,
)
from marketplaces.admin.exchange import ExchangeAdmin
from marketplaces.admin.provenance import (
    PROVENANCE,
    StaleFilter,
    checked_text,
    facts_of_marketplace,
    grade_text,
    once,
    site_link,
)
from marketplaces.amounts import amount_text
from marketplaces.facts_text import NOTHING
from marketplaces.models import EscalationStep, Grade, Marketplace, ResponseTarget, Rule, Source, Topic
from marketplaces.models.directory_row import Audience
from marketplaces.published import published_text
from marketplaces.upkeep import restate

IN_ENGLISH = _("In English")
HTTPS = {"assume_scheme": "https"}


def _or_nothing(contents: str) -> str:
    """What the theme shows of an address to read: its own mark of nothing differs from ours."""
    return contents or NOTHING


SLUG = {"slug": _("Latin letters, digits and hyphens: programs and files know it by this.")}


class MarketplaceForm(VersionedForm):
    class Meta:
        help_texts = SLUG | {
            "ticket_number_pattern": _("A regular expression: numbers are recognised by it. Empty: not known.")
        }


@admin.register(Marketplace)
class MarketplaceAdmin(DirectoryAdmin):
    """Each fact of a marketplace has a source of its own; one that is changed by hand is the editor's."""

    form = MarketplaceForm
    actions_detail = ["download"]
    actions_list = ["upload"]
    list_display = ["named", "portal", "ticket_number_example", "checked_fact"]
    list_filter = [InUseFilter]
    list_select_related: list[str] = []
    search_fields = ["name__folded", "name_en__folded", "slug"]
    readonly_fields = ["shown_provenance", "retired_at"]
    readonly_preprocess_fields = {"seller_portal": _or_nothing}
    formfield_overrides: dict[Any, Any] = {**DirectoryAdmin.formfield_overrides, models.URLField: HTTPS}
    fieldsets = [
        (None, {"fields": ["name", "slug", "seller_portal", "country", "time_zone"]}),
        (_("For letters and claims"), {"fields": ["legal_entity", "postal_address"]}),
        (_("Request numbers"), {"fields": [("ticket_number_pattern", "ticket_number_example")]}),
        (_("About support"), {"fields": ["support_handles", "support_refuses"]}),
        (_("Where this is known from"), {"fields": ["shown_provenance", "retired_at", "opened"]}),
        (IN_ENGLISH, {"fields": ["name_en", "support_handles_en", "support_refuses_en"], "classes": ["collapse"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Marketplace | None = None) -> Any:
        """Releases, and programs, know a marketplace by its slug."""
        return [*super().get_readonly_fields(request, obj), *(["slug"] if obj else [])]

    @display(description=_("seller portal"), ordering="seller_portal")
    def portal(self, obj: Marketplace) -> SafeString | None:
        return site_link(obj.seller_portal)

    @display(description=_("sources"))
    def shown_provenance(self, obj: Marketplace) -> SafeString | str:
        return once(obj, facts_of_marketplace)

    @display(description=_("checked"))
    def checked_fact(self, obj: Marketplace) -> SafeString | str:
        """Of the fact that was checked longest ago."""
        return checked_text(obj)

    @action(description=_("Download as a file"), url_path="download", icon="download", permissions=["change"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("directory-download", slug=get_object_or_404(Marketplace, pk=object_id).slug)

    @action(description=_("Import a file"), url_path="upload", icon="upload", permissions=["change"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        return redirect("directory-upload")

    def attribute(self, request: HttpRequest, obj: Marketplace, form: Any) -> None:
        restate(marketplace=obj, before=form.before or {}, actor=request.user, now=timezone.now())  # type: ignore[arg-type]


class TopicForm(VersionedForm):
    class Meta:
        help_texts = SLUG | {"marketplace": ""}

    examples = LinesField(label=capfirst(_("examples")), required=False, help_text=_("One per line."))
    examples_en = LinesField(label=capfirst(_("examples in English")), required=False)
    required = forms.MultipleChoiceField(
        label=capfirst(_("must carry")),
        choices=[(one.value, capfirst(one.label)) for one in Topic.Required],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


@admin.register(Topic)
class TopicAdmin(ExchangeAdmin, DirectoryAdmin):
    form = TopicForm
    list_display = ["named", "whose", "checked"]
    list_filter = [InUseFilter, StaleFilter, ("marketplace", RelatedDropdownFilter)]
    search_fields = ["name__folded", "name_en__folded", "slug"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "marketplace", "position"]}),
        (_("How a good appeal looks"), {"fields": ["examples", "required", "good_appeal"]}),
        PROVENANCE,
        (IN_ENGLISH, {"fields": ["name_en", "examples_en", "good_appeal_en"], "classes": ["collapse"]}),
    ]
    EMPTY = {"marketplace": _("all marketplaces")}
    READ = {"examples": "shown_examples", "examples_en": "shown_examples_en", "required": "shown_required"}
    readonly_fields = [*DirectoryAdmin.readonly_fields, *READ.values()]

    @display(description=_("marketplace"), ordering="marketplace__name")
    def whose(self, obj: Topic) -> str:
        return str(obj.marketplace or gettext("all marketplaces"))

    @display(description=_("examples"))
    def shown_examples(self, obj: Topic) -> SafeString:
        return _lines(obj.examples)

    @display(description=_("examples in English"))
    def shown_examples_en(self, obj: Topic) -> SafeString:
        return _lines(obj.examples_en)

    @display(description=_("must carry"))
    def shown_required(self, obj: Topic) -> SafeString:
        return _lines([str(Topic.Required(one).label) for one in obj.required])


def _lines(texts: list[str]) -> SafeString:
    return format_html_join(mark_safe("<br>"), "{}", ((text,) for text in texts))


COMPLEXITY = {"unknown": _("either"), "true": _("complex case"), "false": _("simple case")}


class TargetForm(VersionedForm):
    """What it does not name fits every appeal, and is called so."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, said in {"priority": {"": _("all of them")}, "is_complex": COMPLEXITY}.items():
            if name in self.fields:
                widget = self.fields[name].widget
                widget.choices = [(key, said.get(key, label)) for key, label in widget.choices]


@admin.register(ResponseTarget)
class ResponseTargetAdmin(ExchangeAdmin, DirectoryAdmin):
    form = TargetForm
    list_display = ["marketplace", "kind", "promise", "fits", "checked"]
    list_display_links = ["marketplace", "kind"]
    list_filter = [InUseFilter, StaleFilter, ("marketplace", RelatedDropdownFilter), ("kind", ChoicesDropdownFilter)]
    list_select_related = ["marketplace", "topic", "channel"]
    search_fields = ["note__folded", "source__folded"]
    autocomplete_fields = ["topic", "channel"]
    EMPTY = {"topic": _("all of them"), "channel": _("all of them")}
    fieldsets = [
        (None, {"fields": [("marketplace", "kind"), ("amount", "unit")]}),
        (
            _("For which appeals"),
            {
                "fields": ["topic", "channel", ("priority", "is_complex")],
                "description": _("What is empty fits every appeal. The target that names most wins."),
            },
        ),
        (None, {"fields": ["note"]}),
        PROVENANCE,
        (IN_ENGLISH, {"fields": ["note_en"], "classes": ["collapse"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: ResponseTarget | None = None) -> Any:
        """Who may only read is told what an empty choice means."""
        names, *others = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return [names, *others]
        return [names, (None, {"fields": ["fits"]}), *others[1:]]

    @display(description=_("term"), ordering="amount")
    def promise(self, obj: ResponseTarget) -> str:
        return amount_text(obj.amount, obj.unit)

    @display(description=_("For which appeals"))
    def fits(self, obj: ResponseTarget) -> str:
        parts = [
            obj.topic.text("name") if obj.topic else "",
            obj.channel.text("name") if obj.channel else "",
            obj.get_priority_display() if obj.priority else "",
            "" if obj.is_complex is None else gettext("complex case") if obj.is_complex else gettext("simple case"),
        ]
        return "; ".join(part for part in parts if part) or gettext("any")


class StepForm(VersionedForm):
    class Meta:
        help_texts = {
            "is_proposed": _(
                "Turn it off for the first contact itself and for steps that are for special cases only."
            ),
            "letter": _("The letter that is drafted for this step. Empty: none."),
            "term_basis": _("What sets the term: an article of a law, a clause of the offer."),
            "requires": _("Steps to take before this one. Whoever skips one is warned; nothing is forbidden."),
            "available_from": _("The step cannot be taken before this day. Empty: it can at any time."),
        }


# The path that a seller goes, in its order; then what is for others
SELLERS_FIRST = Case(When(audience__in=[Audience.SELLERS, Audience.BOTH], then=Value("")), default=F("audience"))


@admin.register(EscalationStep)
class EscalationStepAdmin(ExchangeAdmin, DirectoryAdmin):
    form = StepForm
    list_display = ["marketplace", "what", "where", "term", "shown_state", "checked"]
    list_display_links = ["what"]
    list_filter = [
        InUseFilter,
        StaleFilter,
        ("marketplace", RelatedDropdownFilter),
        ("audience", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
    ]
    list_select_related = ["marketplace", "channel"]
    ordering = ["marketplace", SELLERS_FIRST, "position", "id"]
    search_fields = ["name__folded", "name_en__folded", "instructions__folded"]
    autocomplete_fields = ["channel", "requires"]
    fieldsets = [
        (None, {"fields": ["marketplace", ("position", "audience"), "name", "is_proposed"]}),
        (
            _("The step itself"),
            {"fields": ["when_to_take", "takes_place", "channel", "instructions", "attach", "letter"]},
        ),
        (
            _("When, and how long to wait"),
            {"fields": [("term_amount", "term_unit"), "term_basis", "requires", "available_from"]},
        ),
        (RELIABLE, {"fields": ["state", "state_reason"]}),
        PROVENANCE,
        (
            IN_ENGLISH,
            {
                "fields": [
                    "name_en",
                    "when_to_take_en",
                    "instructions_en",
                    "attach_en",
                    "term_basis_en",
                    "state_reason_en",
                ],
                "classes": ["collapse"],
            },
        ),
    ]

    @display(description=_("step"), ordering="position")
    def what(self, obj: EscalationStep) -> SafeString:
        return two_lines(f"{obj.position}. {obj.text('name')}", obj.channel.text("name") if obj.channel else "")

    @display(description=_("where"), ordering="takes_place")
    def where(self, obj: EscalationStep) -> SafeString:
        return two_lines(obj.get_takes_place_display(), obj.get_audience_display())


@admin.register(Rule)
class RuleAdmin(ExchangeAdmin, DirectoryAdmin):
    list_display = ["what", "marketplace", "term", "shown_state", "checked"]
    list_filter = [InUseFilter, StaleFilter, ("marketplace", RelatedDropdownFilter), ("state", ChoicesDropdownFilter)]
    list_select_related = ["marketplace", "topic"]
    search_fields = ["name__folded", "name_en__folded"]
    autocomplete_fields = ["topic"]
    EMPTY = {"topic": _("all topics")}
    fieldsets = [
        (None, {"fields": ["marketplace", "topic", "name", ("term_amount", "term_unit"), "consequence", "position"]}),
        (RELIABLE, {"fields": ["state", "state_reason"]}),
        PROVENANCE,
        (IN_ENGLISH, {"fields": ["name_en", "consequence_en", "state_reason_en"], "classes": ["collapse"]}),
    ]

    @display(description=_("rule"), ordering="name")
    def what(self, obj: Rule) -> SafeString:
        return two_lines(obj.text("name"), obj.topic.text("name") if obj.topic else gettext("all topics"))


class GradeFilter(RadioFilter):
    title = _("grade")
    parameter_name = "grade"
    all_option = ["", _("all of them")]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Grade.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(grade=self.value()) if self.value() in Grade.values else queryset


# L2 before L10, and S1w beside S1: a letter, a number with zeros before it, then the key itself
_NUMBER = Func(Substr("key", 2), Value(ascii_lowercase), function="RTRIM")
NATURAL = Concat(Left("key", 1), LPad(_NUMBER, 20, Value("0")), "key", output_field=CharField())


@admin.register(Source)
class SourceAdmin(HasPast, ModelAdmin):
    """Sources are read: a release ships them."""

    list_display = ["shown_key", "what", "shown_grade", "address"]
    list_display_links = ["shown_key", "what"]
    list_filter = [GradeFilter]
    list_filter_submit = True
    ordering = [NATURAL]
    search_fields = ["key", "title__folded", "title_en__folded", "url"]
    fieldsets = [
        (None, {"fields": ["key", "title", "url", "shown_published", "shown_grade"]}),
        (IN_ENGLISH, {"fields": ["title_en"], "classes": ["collapse"]}),
    ]
    readonly_fields = ["shown_published", "shown_grade"]
    readonly_preprocess_fields = {"url": _or_nothing}
    show_full_result_count = False

    @display(description=_("key"), ordering=NATURAL)
    def shown_key(self, obj: Source) -> str:
        return obj.key

    @display(description=_("title"), ordering="title")
    def what(self, obj: Source) -> SafeString:
        return two_lines(obj.text("title"), published_text(obj.published))

    @display(description=_("date of the source"))
    def shown_published(self, obj: Source) -> str:
        return published_text(obj.published)

    @display(description=_("grade"), ordering="grade")
    def shown_grade(self, obj: Source) -> str:
        return grade_text(obj.grade)

    @display(description=_("address"), ordering="url")
    def address(self, obj: Source) -> SafeString | None:
        return site_link(obj.url)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return False
