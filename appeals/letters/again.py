"""An appeal written again: what the new one keeps, and a text that quotes the earlier one."""

from typing import Any

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appeals.models import Appeal

KEPT = ("subject", "order_numbers", "product_codes", "desired_outcome", "amount_at_stake")


def facts(earlier: Appeal) -> dict[str, Any]:
    """What the new appeal starts with. `earlier` was sent."""
    return {name: getattr(earlier, name) for name in KEPT} | {"body": f"{_opening(earlier)}\n\n{earlier.body}"}


def _opening(earlier: Appeal) -> str:
    """In Russian, whatever the reader's language: it goes to the marketplace."""
    with translation.override("ru"):
        day = date_format(timezone.localtime(earlier.submitted_at), "j E Y")
        words = {"number": earlier.external_number, "date": day}
        if earlier.external_number:
            return _("Again on our appeal No. %(number)s of %(date)s: no answer has settled it.") % words
        return _("Again on our appeal of %(date)s: no answer has settled it.") % words
