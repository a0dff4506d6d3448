"""The reference pages for everybody who is logged in: where to write now, and the escalation path."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from appeals.admin.fields import MomentField, zone_text
from appeals.admin.people import own_shops
from appeals.contact import where_to_write
from marketplaces import wording
from marketplaces.contact import Situation
from marketplaces.models import Marketplace, Topic
from marketplaces.pages.escalation_path import ladders
from marketplaces.pages.parts import rules, support_card
from marketplaces.pages.references import References
from marketplaces.pages.where_to_write import cards, general_promises, topic_card


class AskedForm(forms.Form):
    """What is asked; the fields have the names of the API's parameters."""

    topic = forms.TypedChoiceField(
        label=gettext_lazy("topic"), required=False, empty_value=None, widget=UnfoldAdminSelectWidget
    )
    account_access = forms.ChoiceField(
        label=gettext_lazy("seller account"),
        required=False,
        choices=[("true", gettext_lazy("can be entered")), ("false", gettext_lazy("cannot be entered"))],
        widget=forms.RadioSelect,
    )
    at = MomentField(label=gettext_lazy("when to write"))

    def __init__(self, marketplace: Marketplace, given: dict[str, str]) -> None:
        super().__init__({"account_access": "true", **given})
        rows = Topic.objects.filter(Q(marketplace=None) | Q(marketplace=marketplace), retired_at=None)
        topics = {topic.slug: topic for topic in rows}
        self.fields["topic"].coerce = topics.__getitem__  # type: ignore[attr-defined]
        names = [(slug, str(topic)) for slug, topic in topics.items()]
        self.fields["topic"].choices = [("", _("Any topic")), *names]  # type: ignore[attr-defined]
        self.fields["at"].help_text = zone_text(_("Empty: now."))

    def situation(self, now: datetime) -> Situation:
        """What can be read of the form; for the rest what holds by default."""
        asked = self.cleaned_data if hasattr(self, "cleaned_data") else {}
        return Situation(asked.get("at") or now, asked.get("topic"), asked.get("account_access") != "false")


def contact_view(request: HttpRequest) -> HttpResponse:
    """Where to write now: `?marketplace=&topic=&account_access=&at=`."""
    now = timezone.now()
    marketplaces = list(Marketplace.objects.filter(retired_at=None))
    shops = sorted((shop.pk, shop.marketplace_id) for shop in own_shops(request))
    if not marketplaces:
        return _render(request, "where_to_write.html", _("Where to write"))
    marketplace = _chosen(request, marketplaces, shops)
    form = AskedForm(marketplace, request.GET.dict())
    form.is_valid()
    asked, references = form.situation(now), References()
    try:
        places, promises = _answer(request, marketplace, asked)
    except ValueError as error:
        form.add_error("at", str(error))
        asked = Situation(now, asked.topic, asked.account_access)
        places, promises = _answer(request, marketplace, asked)
    return _render(
        request,
        "where_to_write.html",
        _("Where to write"),
        form=form,
        asked=asked,
        is_now=asked.at == now,
        moment=wording.moment(asked.at, now),
        zone=wording.zone(asked.at),
        marketplace=marketplace,
        tabs=[_tab(one, form, asked, one == marketplace) for one in marketplaces],
        topic=topic_card(asked.topic, references) if asked.topic else None,
        support=support_card(marketplace, references),
        rules=rules(marketplace, references, asked.topic) if asked.topic else [],
        references=references,
        general=general_promises(promises, asked, references),
        log_url=_log_url(request, marketplace, shops, asked.topic),
        **cards(places, asked, promises, references),
    )


def escalation_view(request: HttpRequest, slug: str) -> HttpResponse:
    """The escalation path of a marketplace, its rules, and what support deals with."""
    marketplaces = list(Marketplace.objects.filter(retired_at=None))
    marketplace = get_object_or_404(Marketplace, slug=slug)
    now, references = timezone.now(), References()
    return _render(
        request,
        "escalation_path.html",
        _("Escalation path: %(marketplace)s") % {"marketplace": marketplace},
        marketplace=marketplace,
        tabs=[
            {"name": str(one), "url": reverse("escalation-path", args=[one.slug]), "current": one == marketplace}
            for one in marketplaces
        ],
        ladders=ladders(marketplace, now, references),
        rules=rules(marketplace, references),
        support=support_card(marketplace, references),
        references=references,
    )


def _answer(request: HttpRequest, marketplace: Marketplace, asked: Situation) -> Any:
    return where_to_write(
        marketplace, reader=request.user, at=asked.at, topic=asked.topic, account_access=asked.account_access
    )


def _chosen(request: HttpRequest, marketplaces: list[Marketplace], shops: list[tuple[int, int]]) -> Marketplace:
    """The one asked for, else that of the reader's first shop, else the first."""
    if slug := request.GET.get("marketplace"):
        if found := next((one for one in marketplaces if one.slug == slug), None):
            return found
        raise Http404
    mine = {marketplace for _pk, marketplace in shops[:1]}
    return next((one for one in marketplaces if one.pk in mine), marketplaces[0])


def _tab(one: Marketplace, form: AskedForm, asked: Situation, current: bool) -> dict[str, Any]:
    """The same question to another marketplace; a topic goes along where that one has it."""
    query = {"marketplace": one.slug}
    if asked.topic and asked.topic.marketplace_id in (None, one.pk):
        query["topic"] = asked.topic.slug
    if not asked.account_access:
        query["account_access"] = "false"
    if form.data.get("at") and "at" not in form.errors:
        query["at"] = form.data["at"]
    return {"name": str(one), "url": f"?{urlencode(query)}", "current": current}


def _log_url(request: HttpRequest, marketplace: Marketplace, shops: list[tuple[int, int]], topic: Topic | None) -> str:
    """The form of a new appeal for the reader's first shop there; empty where they may not log one."""
    shop = next((pk for pk, place in shops if place == marketplace.pk), None)
    if shop is None or not request.user.has_perm("appeals.add_appeal"):
        return ""
    query = {"shop": shop, **({"topic": topic.pk} if topic else {})}
    return f"{reverse('admin:appeals_appeal_add')}?{urlencode(query)}"


def _render(request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
    request.current_app = admin.site.name
    context |= {**admin.site.each_context(request), "title": title}
    return TemplateResponse(request, f"pages/{template}", context)
