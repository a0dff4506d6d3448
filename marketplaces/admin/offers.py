"""Where the release and the team differ: "the new release says …, you have …: take / keep"."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketplaces import directory, offers
from marketplaces.directory_rows import SOURCE
from marketplaces.facts_text import Said, field_text, kind_text
from marketplaces.models import ShippedFact
from marketplaces.offers import Offer
from marketplaces.signals import place_of, tell_of_promises

if TYPE_CHECKING:
    from hub.models import User


@permission_required("marketplaces.change_channel", raise_exception=True)
@require_http_methods(["GET", "POST"])
def offers_view(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        _decide(request)
        return HttpResponseRedirect(reverse("offers"))
    found = offers.read(timezone.now())
    said = {slug: Said(slug, found.store) for slug in {offer.fact.marketplace for offer in found.offers}}
    context = {
        **admin.site.each_context(request),
        "title": _("Changes of the new release"),
        "offers": [_shown(offer, said[offer.fact.marketplace]) for offer in found.offers],
        "retired": [{"kind": kind_text(kind), "name": str(row), "url": _address(row)} for kind, row in found.retired],
        "deleted": [{"kind": kind_text(kind), "fact": fact} for kind, fact in found.deleted],
    }
    return TemplateResponse(request, "admin/marketplaces/offers.html", context)


def _decide(request: HttpRequest) -> None:
    """Takes or keeps one field, or all fields of a row, if the row and the offer are still as they were shown."""
    number = request.POST.get("fact", "")
    fact = get_object_or_404(ShippedFact, pk=int(number) if re.fullmatch("[0-9]{1,18}", number) else 0)
    verb = directory.take_offer if request.POST.get("verb") == "take" else directory.keep_own
    fields = request.POST.getlist("field") or None
    actor = cast("User", request.user)
    with transaction.atomic():
        now = timezone.now()
        offer = next((offer for offer in offers.read(now, to_write=True).offers if offer.fact.pk == fact.pk), None)
        if offer is None or _seen(offer) != request.POST.get("seen"):
            messages.error(request, _("This has changed meanwhile. Look again; nothing was done."))
            return
        verb(fact=fact, now=now, actor=actor, fields=fields)
        taken = verb is directory.take_offer
        if taken and offer.kind is not SOURCE:
            tell_of_promises(offer.kind.model, place_of(offer.row), actor=actor, request=request)
        name = {"name": str(offer.row)}
        messages.success(request, (_("Taken from the release: %(name)s.") if taken else _("Kept: %(name)s.")) % name)


def _seen(offer: Offer) -> str:
    """What a person has decided on: the row and the offer, as they were shown."""
    return sha256(json.dumps([offer.mine, offer.fact.offer], sort_keys=True).encode()).hexdigest()


def _shown(offer: Offer, said: Said) -> dict[str, Any]:
    kind = offer.kind
    return {
        "fact": offer.fact,
        "kind": kind_text(kind),
        "name": str(offer.row),
        "url": _address(offer.row),
        "seen": _seen(offer),
        "fields": [
            {
                "column": column,
                "name": field_text(kind, column),
                "mine": said.value(kind, column, offer.mine[column]),
                "offered": said.value(kind, column, offer.fact.offer[column]),
                "source": ", ".join(
                    said.value(kind, source, value) for source, value in offer.comes_with(column).items()
                ),
            }
            for column in offer.fields
        ],
    }


def _address(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
