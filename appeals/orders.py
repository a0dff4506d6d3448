"""Order numbers as people paste them, and which of them stand on an appeal already."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from appeals.models import Appeal

LONGEST = 100
_SEPARATORS = re.compile(r"[,;\s]+")
_CELLS = re.compile(r"\t|;")
_NUMBER = ("заказ", "отправлен", "номер", "order", "number", "posting")
_AMOUNT = ("сумм", "руб", "₽", "amount", "rouble")
_AT_ONCE = 100


class Order(NamedTuple):
    number: str
    amount: Decimal | None = None


class Problem(NamedTuple):
    """What is wrong with one pasted number: it is left out."""

    number: str
    text: str
    appeal: int | None = None
    """On which it stands already."""


@dataclass
class Reading:
    """What was pasted: each order once, in its order, and what could not be taken."""

    orders: list[Order] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(text: str) -> Reading:
    """Numbers in any form, or a table copied from a spreadsheet whose headings name the order and perhaps the sum."""
    lines = [line for line in text.splitlines() if line.strip()]
    columns = _columns(lines[0]) if lines else None
    found, seen = Reading(), set[str]()
    pairs = (
        _table(lines[1:], *columns) if columns else ((one, "") for one in _SEPARATORS.split(text) if one.strip("#№"))
    )
    for cell, money in pairs:
        number = cell.strip().lstrip("#№").strip()
        problem = _wrong(number) or (_("stands here twice") if number in seen else "")
        amount = None
        if not problem:
            amount, problem = _amount(money)
        if problem:
            found.problems.append(Problem(number[:LONGEST] or cell[:LONGEST], problem))
            continue
        seen.add(number)
        found.orders.append(Order(number, amount))
    return found


def appealed(shops: Collection[int], numbers: Collection[str]) -> dict[tuple[int, str], int]:
    """By shop and number: the latest appeal on which the number stands."""
    found: dict[tuple[int, str], int] = {}
    wanted = set(numbers)
    for pk, shop, held in _holding(shops, sorted(wanted)):
        for number in wanted.intersection(held):
            found[shop, number] = max(pk, found.get((shop, number), 0))
    return found


def sift(pasted: Mapping[int, str], *, again: bool) -> dict[int, Reading]:
    """What was pasted for each shop. What is appealed already is left out, unless it is to be appealed `again`."""
    found = {shop: read(text) for shop, text in pasted.items()}
    if again:
        return found
    known = appealed(list(found), {order.number for reading in found.values() for order in reading.orders})
    for shop, reading in found.items():
        for order in [one for one in reading.orders if (shop, one.number) in known]:
            reading.orders.remove(order)
            twin = known[shop, order.number]
            text = _("stands on appeal No. %(twin)s already") % {"twin": twin}
            reading.problems.append(Problem(order.number, text, twin))
    return found


def grouped(orders: Sequence[Order], size: int | None) -> list[list[Order]]:
    """The orders of each appeal: `size` in one, or all in one."""
    step = size or max(len(orders), 1)
    return [list(orders[start : start + step]) for start in range(0, len(orders), step)]


def _holding(shops: Collection[int], numbers: Sequence[str]) -> Iterable[tuple[int, int, list[str]]]:
    """PostgreSQL looks numbers up in its index; SQLite cannot look into a list, and gives all lists of the shops."""
    rows = Appeal.objects.filter(shop__in=shops).exclude(order_numbers=[]).order_by()
    if not connection.features.supports_json_field_contains:
        yield from rows.values_list("pk", "shop", "order_numbers").iterator(1000)
        return
    for start in range(0, len(numbers), _AT_ONCE):
        any_of = Q()
        for number in numbers[start : start + _AT_ONCE]:
            any_of |= Q(order_numbers__contains=[number])
        yield from rows.filter(any_of).values_list("pk", "shop", "order_numbers")


def _columns(line: str) -> tuple[int, int | None] | None:
    """Where number and sum stand, if this line holds headings."""
    cells = [cell.strip().casefold() for cell in _CELLS.split(line)]
    if any(any(sign.isdigit() for sign in cell) for cell in cells):
        return None
    number = next((place for place, cell in enumerate(cells) if any(word in cell for word in _NUMBER)), None)
    amount = next((place for place, cell in enumerate(cells) if any(word in cell for word in _AMOUNT)), None)
    return None if number is None else (number, amount)


def _table(lines: Iterable[str], number: int, amount: int | None) -> Iterable[tuple[str, str]]:
    for line in lines:
        cells = [*(cell.strip() for cell in _CELLS.split(line)), *[""] * 50]
        yield cells[number], cells[amount] if amount is not None else ""


def _wrong(number: str) -> str:
    if not number or not any(sign.isdigit() for sign in number):
        return _("is no number of an order")
    if len(number) > LONGEST:
        return _("is too long for a number")
    return ""


def _amount(money: str) -> tuple[Decimal | None, str]:
    plain = re.sub(r"[\s\u00a0₽]|руб\.?", "", money).replace(",", ".")
    if not plain:
        return None, ""
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        return None, _("“%(value)s” is no amount of money.") % {"value": money}
    fits = amount.is_finite() and 0 <= amount < 10**12
    return (round(amount, 2), "") if fits else (None, _("“%(value)s” is no amount of money.") % {"value": money})
