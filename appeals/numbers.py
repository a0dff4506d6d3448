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


def _warnings(shop: Shop, number: str, twin: int | None) -> list[NumberWarning]:
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


def odd(shop: Shop, number: str, *, but: int | None = None) -> list[NumberWarning]:
    """What is odd about `number` in this shop; `but` is the appeal whose own it is. One query at most."""
    number = number.strip()
    twin = same(shop, number, but=but).values_list("pk", flat=True).first() if number else None
    return _warnings(shop, number, twin)


def of(appeal: Appeal) -> list[NumberWarning]:
    """What is odd about the number of an appeal."""
    return odd(appeal.shop, appeal.external_number, but=appeal.pk)


def fits(shop: Shop, number: str) -> bool:
    """Whether the platform could have given this number, as far as its pattern is known."""
    pattern = shop.marketplace.ticket_number_pattern
    return not pattern or re.search(pattern, number.strip()) is not None
