"""The same text once more: the platform joins it to the first number, and no clock starts anew."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F
from django.db.models.functions import Substr
from django.utils.translation import gettext as _

from appeals import wording
from appeals.models import Appeal
from appeals.review.facts import Facts, Finding, Severity

SINCE: Final = timedelta(days=14)
LATEST: Final = 200
"""How many of the latest appeals to the same marketplace are compared with."""
READ: Final = 2000
"""How many characters of a text are compared."""
ALIKE: Final = 0.8
SIZE: Final = 0.6
SHORTEST: Final = 4
"""A text of fewer words is like any other of its kind."""

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d{5,}")


def sent_before(facts: Facts, reader: Any, now: datetime) -> Iterator[Finding]:
    """One query along the index of the time of sending; other texts with the same numbers are none of its business."""
    words = _words(facts.body[:READ])
    if len(words) < SHORTEST:
        return
    numbers = _numbers(facts.subject, facts.body, facts.order_numbers, facts.product_codes)
    for row in _sent(facts, reader, now):
        theirs = _numbers(row["subject"], row["start"], row["order_numbers"], row["product_codes"])
        quoted = row["external_number"] and row["external_number"] in facts.text
        if quoted or (numbers and theirs and not numbers & theirs):
            continue
        if _likeness(words, _words(row["start"])) >= ALIKE:
            yield _finding(row, facts, now)
            return


def _sent(facts: Facts, reader: Any, now: datetime) -> Any:
    sent = Appeal.objects.visible_to(reader).filter(
        shop__marketplace=facts.shop.marketplace_id, submitted_at__gt=now - SINCE, submitted_at__lte=now
    )
    rows = sent.exclude(pk=facts.pk) if facts.pk else sent
    return (
        rows.order_by("-submitted_at", "-id")
        .annotate(start=Substr("body", 1, READ), of_shop=F("shop"))
        .values(
            *("pk", "subject", "start", "order_numbers", "product_codes", "external_number", "submitted_at", "of_shop")
        )[:LATEST]
    )


def _finding(row: dict[str, Any], facts: Facts, now: datetime) -> Finding:
    number = row["external_number"]
    words = {"number": row["pk"], "at": wording.moment(row["submitted_at"], now), "shop": facts.shop}
    if row["of_shop"] != facts.shop.pk:
        message = _("The same text went to this marketplace from another shop: No. %(number)s, %(at)s.") % words
        mend = _("If it is one fault that hits several shops, say so and name the numbers of all.")
        return Finding("sent_before", Severity.HINT, message, "body", mend, appeal=row["pk"])
    message = (
        _(
            "The same text was sent already: No. %(number)s, %(at)s."
            " The platform joins it to the first number, and no term starts anew."
        )
        % words
    )
    mend = (
        _("Add what is new and quote the number %(number)s, or take the next step of escalation.") % {"number": number}
        if number
        else _("Add what is new and quote the first number, or take the next step of escalation.")
    )
    return Finding("sent_before", Severity.WARNING, message, "body", mend, appeal=row["pk"])


def _words(*texts: str) -> list[str]:
    return [word for text in texts for word in _WORD.findall(text.casefold().replace("ё", "е"))]


def _numbers(subject: str, body: str, orders: Any, products: Any) -> set[str]:
    return {*_NUMBER.findall(f"{subject}\n{body}"), *orders, *products}


def _likeness(one: list[str], other: list[str]) -> float:
    """The share of the shorter text's three-word sequences that stand in the longer one: 1 for the same text.

    A text that is much longer says more, and is another one.
    """
    mine, theirs = _sequences(one), _sequences(other)
    fewer, more = sorted((len(mine), len(theirs)))
    return len(mine & theirs) / fewer if fewer >= SIZE * more else 0


def _sequences(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2))}
