"""Numbers that marketplaces give to requests: pointed at when they look wrong or stand twice, never forbidden."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from appeals.models import Appeal, Shop
from appeals.models.appeal import AppealQuerySet


@dataclass(frozen=True)
class NumberWarning:
    """What is odd about a number. `appeal` is the other one that has it."""

    code: str
    message: str
    appeal: int | None = None
    field: str = "external_number"


def same(shop: Shop | int, number: str, *, but: int | None = None) -> AppealQuerySet:
    """Other appeals of the shop with this number, the latest first. A shop is an account on one marketplace."""
    found = Appeal.objects.filter(shop=shop, external_number=number).exclude(external_number="")
    return (found.exclude(pk=but) if but else found).order_by("-pk")


def warnings(shop: Shop, number: str, *, twin: int | None) -> list[NumberWarning]:
    """What is odd about `number` in this shop; `twin` is another appeal that has it, see `same`."""
    found = []
    if number and not fits(shop, number):
        example = shop.marketplace.ticket_number_example
        text = _("“%(number)s” does not look like a number of %(marketplace)s, for example %(example)s.")
        words = {"number": number, "marketplace": shop.marketplace, "example": example or "—"}
        found.append(NumberWarning("number_format", text % words))
    if number and twin:
        text = _("The number “%(number)s” stands on appeal No. %(twin)s already.")
        found.append(NumberWarning("number_duplicate", text % {"number": number, "twin": twin}, twin))
    return found


def of(appeal: Appeal) -> list[NumberWarning]:
    """What is odd about the number of an appeal."""
    number = appeal.external_number
    twin = same(appeal.shop, number, but=appeal.pk).values_list("pk", flat=True).first() if number else None
    return warnings(appeal.shop, number, twin=twin)


def fits(shop: Shop, number: str) -> bool:
    """Whether the platform could have given this number, as far as its pattern is known."""
    pattern = shop.marketplace.ticket_number_pattern
    return not pattern or re.search(pattern, number.strip()) is not None
