"""Amounts of time in words, with the right plural: "3 working days", "3 рабочих дня"."""

from django.utils.translation import ngettext

from marketplaces.working_time import Unit


def amount_text(amount: int, unit: str) -> str:
    """`amount` of `unit` in the active language."""
    texts = {
        Unit.MINUTES: ngettext("%(amount)d minute", "%(amount)d minutes", amount),
        Unit.HOURS: ngettext("%(amount)d hour", "%(amount)d hours", amount),
        Unit.WORKING_MINUTES: ngettext("%(amount)d working minute", "%(amount)d working minutes", amount),
        Unit.WORKING_HOURS: ngettext("%(amount)d working hour", "%(amount)d working hours", amount),
        Unit.WORKING_DAYS: ngettext("%(amount)d working day", "%(amount)d working days", amount),
        Unit.CALENDAR_DAYS: ngettext("%(amount)d calendar day", "%(amount)d calendar days", amount),
    }
    return texts[Unit(unit)] % {"amount": amount}
