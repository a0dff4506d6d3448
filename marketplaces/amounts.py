"""Amounts of time in words, with the right plural: "3 working days", "3 рабочих дня"."""

import re
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import ngettext_lazy

from marketplaces.working_time import Unit

_TEXTS = {
    Unit.MINUTES.value: ngettext_lazy("%(amount)d minute", "%(amount)d minutes", "amount"),
    Unit.HOURS.value: ngettext_lazy("%(amount)d hour", "%(amount)d hours", "amount"),
    Unit.WORKING_MINUTES.value: ngettext_lazy("%(amount)d working minute", "%(amount)d working minutes", "amount"),
    Unit.WORKING_HOURS.value: ngettext_lazy("%(amount)d working hour", "%(amount)d working hours", "amount"),
    Unit.WORKING_DAYS.value: ngettext_lazy("%(amount)d working day", "%(amount)d working days", "amount"),
    Unit.CALENDAR_DAYS.value: ngettext_lazy("%(amount)d calendar day", "%(amount)d calendar days", "amount"),
}


def amount_text(amount: int, unit: str) -> str:
    """`amount` of `unit` in the active language."""
    return tied(_TEXTS[Unit(unit).value] % {"amount": amount})


def tied(text: str) -> str:
    """With a space that no line breaks between a number and the word behind it."""
    return re.sub(r"(?<=\d) (?=\w)", "\u00a0", text)


def roubles(amount: Decimal | int) -> str:
    """ "12 345,60 ₽", kopecks only where there are some."""
    places = 0 if amount == int(amount) else 2
    return f"{number_format(amount, places, force_grouping=True)}\u00a0₽"
