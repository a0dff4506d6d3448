"""The number that the marketplace gave: it looks wrong, or stands on another appeal of the shop already."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from appeals import numbers
from appeals.review.facts import Facts, Finding, Severity


def odd(facts: Facts) -> Iterator[Finding]:
    """Nothing is asked of the database where there is no number."""
    mends = {
        "number_format": _("Compare it with the number in the marketplace's own list."),
        "number_duplicate": _("If it is the same request, go on there; if not, correct the number."),
    }
    for one in numbers.odd(facts.shop, facts.external_number, but=facts.pk):
        yield Finding(one.code, Severity.WARNING, one.message, one.field, mends[one.code], appeal=one.appeal)
