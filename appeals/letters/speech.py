"""How sums, terms and dates are said in a letter, in the active language and time zone."""

from datetime import datetime
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, ngettext, npgettext
from django.utils.translation import gettext as _
from num2words import num2words

from appeals import wording
from marketplaces.working_time import Unit

SENTENCE_ENDS = (".", "!", "?", "…", ":", ";")


def digits(amount: Decimal) -> str:
    """ "184 320,50": what stands in the column of a calculation."""
    return str(number_format(amount, 2, force_grouping=True))


def money(amount: Decimal) -> str:
    """ "15 000 (пятнадцать тысяч) рублей 00 копеек"."""
    roubles, kopecks = divmod(round(amount * 100), 100)
    said = {
        "digits": number_format(roubles, 0, force_grouping=True),
        "words": num2words(roubles, lang=(get_language() or "ru")[:2]),
        "kopecks": ngettext("%(count)02d kopeck", "%(count)02d kopecks", kopecks) % {"count": kopecks},
    }
    text = ngettext("%(digits)s (%(words)s) rouble %(kopecks)s", "%(digits)s (%(words)s) roubles %(kopecks)s", roubles)
    return text % said


def within(amount: int, unit: str) -> str:
    """ "within 30 calendar days": in Russian the amount stands in the genitive, "в течение 21 календарного дня"."""
    return _WITHIN[Unit(unit)](amount) % {"amount": amount}


_WITHIN = {
    Unit.MINUTES: lambda n: npgettext("term", "within %(amount)d minute", "within %(amount)d minutes", n),
    Unit.HOURS: lambda n: npgettext("term", "within %(amount)d hour", "within %(amount)d hours", n),
    Unit.WORKING_MINUTES: lambda n: npgettext(
        "term", "within %(amount)d working minute", "within %(amount)d working minutes", n
    ),
    Unit.WORKING_HOURS: lambda n: npgettext(
        "term", "within %(amount)d working hour", "within %(amount)d working hours", n
    ),
    Unit.WORKING_DAYS: lambda n: npgettext(
        "term", "within %(amount)d working day", "within %(amount)d working days", n
    ),
    Unit.CALENDAR_DAYS: lambda n: npgettext(
        "term", "within %(amount)d calendar day", "within %(amount)d calendar days", n
    ),
}


def instant(at: datetime) -> str:
    """ "5 октября 2026 г. в 12:00 (UTC+3)": for terms that are counted in hours."""
    words = {"day": wording.day(at), "time": date_format(localtime(at), "H:i"), "zone": wording.zone(at)}
    return _("%(day)s at %(time)s (%(zone)s)") % words


def quoted(text: str) -> str:
    """The text in quotation marks, ending a sentence: a full stop stands behind the mark, other ends before it."""
    text = text.strip()
    if text.endswith(("?", "!", "…")):
        return _("“%(text)s”") % {"text": text}
    return _("“%(text)s”.") % {"text": text.removesuffix(".")}


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends a sentence by itself."""
    text = text.strip()
    return text if not text or text.endswith(SENTENCE_ENDS) else f"{text}."
