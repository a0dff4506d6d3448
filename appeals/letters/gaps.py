"""What a letter needs and nobody has entered: named in a list, and seen in the text as a placeholder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appeals.models import Appeal

Lazy = str | Any  # Any stands for what gettext_lazy gives


@dataclass(frozen=True)
class Place:
    """Where something is entered: said to people, and as an address; by hand there is none."""

    words: Lazy
    url: Callable[[Appeal], str]


SHOP = Place(
    gettext_lazy("enter it in the shop's card"),
    lambda appeal: reverse("admin:appeals_shop_change", args=[appeal.shop_id]),
)
APPEAL = Place(gettext_lazy("enter it in the appeal"), lambda appeal: f"{appeal.get_absolute_url()}?edit=1")
MONEY = Place(gettext_lazy("enter it in the appeal, or delete this part"), APPEAL.url)
SENDING = Place(
    gettext_lazy("note when it was sent"),
    lambda appeal: reverse("admin:appeals_appeal_verb", args=[appeal.pk, "submit"]),
)
REPLY = Place(
    gettext_lazy("note what they replied"),
    lambda appeal: reverse("admin:appeals_appeal_verb", args=[appeal.pk, "record_reply"]),
)
DIRECTORY = Place(
    gettext_lazy("take it from the contract and enter it in the directory"),
    lambda appeal: reverse("admin:marketplaces_marketplace_change", args=[appeal.shop.marketplace_id]),
)
PAPER = Place(gettext_lazy("write it into the letter by hand"), lambda appeal: "")

FIELDS: dict[str, tuple[Lazy, Place]] = {
    "legal_name": (gettext_lazy("legal name"), SHOP),
    "inn": (gettext_lazy("INN"), SHOP),
    "ogrn": (gettext_lazy("OGRN"), SHOP),
    "postal_address": (gettext_lazy("postal address"), SHOP),
    "seller_id": (gettext_lazy("seller number"), SHOP),
    "external_number": (gettext_lazy("number at the marketplace"), APPEAL),
    "body": (gettext_lazy("what happened"), APPEAL),
    "wish": (gettext_lazy("desired outcome"), APPEAL),
    "sum": (gettext_lazy("sum of the claim"), MONEY),
    "sent_on": (gettext_lazy("date of sending"), SENDING),
    "reply": (gettext_lazy("reply of the marketplace"), REPLY),
    "addressee": (gettext_lazy("legal entity of the marketplace"), DIRECTORY),
    "addressee_address": (gettext_lazy("postal address of the marketplace"), DIRECTORY),
    "contract": (gettext_lazy("number and date of the contract or offer"), PAPER),
    "clause": (gettext_lazy("the clause of the contract or of the law that was broken"), PAPER),
    "article": (gettext_lazy("which of these articles, and why"), PAPER),
    "office": (gettext_lazy("office of FAS and its address, from the site of FAS"), PAPER),
    "term": (gettext_lazy("term, from the contract or the law"), PAPER),
    "signatory": (gettext_lazy("position and name of who signs"), PAPER),
}


@dataclass(frozen=True)
class Gap:
    """One thing that is missing. Texts are in the reader's language when they are asked for."""

    field: str
    appeal: Appeal

    @property
    def name(self) -> str:
        return str(FIELDS[self.field][0])

    @property
    def where(self) -> str:
        return str(FIELDS[self.field][1].words)

    @property
    def url(self) -> str:
        """The page where it is entered, without the host; empty where it is written by hand."""
        return FIELDS[self.field][1].url(self.appeal)

    def __str__(self) -> str:
        return _("%(what)s: %(where)s") % {"what": self.name, "where": self.where}


class Needed:
    """Gives a template what it needs by name: the value, or a placeholder; what is missing is noted in `gaps`."""

    def __init__(self, appeal: Appeal, give: Callable[[str], str]) -> None:
        self.appeal, self.give = appeal, give
        self.gaps: dict[str, Gap] = {}

    def __getitem__(self, field: str) -> str:
        if field not in FIELDS:
            raise KeyError(field)
        if value := self.give(field):
            return value
        self.gaps[field] = Gap(field, self.appeal)
        return f"[{self.gaps[field]}]"
