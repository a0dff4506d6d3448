"""The cells of a spreadsheet of past appeals as values: names as rows, texts as moments, money and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appeals.admin.fields import NumbersField
from appeals.admin.people import colleagues
from appeals.models import Appeal, Shop
from marketplaces import sheets
from marketplaces.models import Channel, Marketplace, Topic

if TYPE_CHECKING:
    from hub.models import User

# What a row may say; the rest of an exported table is read past
WRITTEN = (
    "shop",
    "topic",
    "channel",
    "subject",
    "body",
    "desired_outcome",
    "order_numbers",
    "product_codes",
    "amount_at_stake",
    "external_number",
    "assignee",
    "submitted_at",
    "outcome",
    "amount_recovered",
    "resolved_at",
)
UNKNOWN = gettext_lazy("“%(value)s” is not known here.")
FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%d.%m.%Y %H:%M", "%d.%m.%Y")


class Reader:
    """Cells as values, with what the person may name: shops, topics, channels and people are read once."""

    def __init__(self, actor: User) -> None:
        self.shops = list(Shop.objects.visible_to(actor).select_related("marketplace"))
        topics = Topic.objects.filter(retired_at=None)
        self.topics = _by_name(
            (name, topic) for topic in topics for name in (topic.name, topic.name_en, topic.slug) if name
        )
        self.channels = _by_name(
            (f"{channel.marketplace_id} {name}", channel)
            for channel in Channel.objects.current().select_related("marketplace")
            for name in (channel.name, channel.name_en)
            if name
        )
        self.people = _by_name((person.email, person) for person in colleagues(actor))
        self.outcomes = _by_name(pair for value in Appeal.Outcome for pair in _in_both(value))

    def facts(self, row: dict[str, Any]) -> dict[str, Any]:
        """What the verbs take. ValidationError at the columns that cannot be read."""
        errors: dict[str, str] = {}
        facts: dict[str, Any] = {"marketplace": row.get("marketplace")}
        for name in WRITTEN:
            try:
                facts[name] = self._read(name, row.get(name), facts)
            except ValueError as error:
                errors[name] = str(error)
        if errors:
            raise ValidationError(errors)
        del facts["marketplace"]
        return facts

    def _read(self, name: str, cell: Any, facts: dict[str, Any]) -> Any:
        text = plain(cell)
        if name == "shop":
            return self._shop(text, plain(facts["marketplace"]))
        if name == "channel":
            return self._channel(text, facts.get("shop"))
        if name in READERS:
            return READERS[name](cell)
        if name == "subject" and not text:
            raise ValueError(_("This field is required."))
        known = {"topic": self.topics, "assignee": self.people, "outcome": self.outcomes}
        if name in known and text:
            return _find(known[name], text, text)
        return None if name in ("topic", "assignee") else text

    def _channel(self, text: str, shop: Shop | None) -> Channel | None:
        return _find(self.channels, text, f"{shop.marketplace_id} {text}") if shop and text else None

    def _shop(self, name: str, marketplace: str) -> Shop:
        """By its name, with the marketplace where shops on several have one name."""
        found = [
            shop
            for shop in self.shops
            if shop.name.casefold() == name.casefold()
            and (not marketplace or marketplace.casefold() in _names(shop.marketplace))
        ]
        if len(found) == 1:
            return found[0]
        said = _("Several shops are called “%(value)s”: name the marketplace.")
        raise ValueError((said if found else _("You have no shop “%(value)s”.")) % {"value": name})


def _names(marketplace: Marketplace) -> set[str]:
    return {name.casefold() for name in (marketplace.slug, marketplace.name, marketplace.name_en) if name}


def _by_name(pairs: Any) -> dict[str, Any]:
    return {name.casefold(): value for name, value in pairs}


def _in_both(value: Appeal.Outcome) -> Iterator[tuple[str, str]]:
    yield value.value, value.value
    for language in ("ru", "en"):
        with translation.override(language):
            yield force_str(value.label), value.value


def _find(known: dict[str, Any], text: str, key: str) -> Any:
    if key.casefold() not in known:
        raise ValueError(UNKNOWN % {"value": text})
    return known[key.casefold()]


def plain(cell: Any) -> str:
    text = "" if cell is None else str(cell).strip()
    if text.endswith(".0") and text[:-2].isdecimal():  # a spreadsheet makes numbers of numbers
        text = text[:-2]
    return str(sheets.unguarded(text))


def _money(cell: Any) -> Decimal | None:
    text = plain(cell)
    try:
        return Decimal(text.replace("\u00a0", "").replace(" ", "").replace(",", ".")) if text else None
    except InvalidOperation:
        raise ValueError(_("“%(value)s” is no amount of money.") % {"value": text}) from None


def _moment(cell: Any) -> datetime | None:
    if isinstance(cell, datetime):
        return timezone.make_aware(cell)
    text = plain(cell)
    if not text:
        return None
    for shape in FORMATS:
        try:
            return timezone.make_aware(datetime.strptime(text, shape))  # noqa: DTZ007 -- the reader's zone comes next
        except ValueError:
            continue
    raise ValueError(_("“%(value)s” is no date. Write for example: 2026-10-05 14:30.") % {"value": text})


def _numbers(cell: Any, *, spaces: bool = False) -> Any:
    return NumbersField(spaces=spaces).to_python(plain(cell))


READERS: dict[str, Callable[[Any], Any]] = {
    "submitted_at": _moment,
    "resolved_at": _moment,
    "order_numbers": _numbers,
    "product_codes": partial(_numbers, spaces=True),
    "amount_at_stake": _money,
    "amount_recovered": _money,
}
