"""What the templates of the workplace need to say texts and money."""

from decimal import Decimal

from django import template
from django.utils.formats import number_format

from marketplaces.models.directory_row import Bilingual

register = template.Library()


@register.simple_tag
def text(row: Bilingual, field: str) -> str:
    """A text of the directory in the reader's language."""
    return row.text(field)


@register.filter
def roubles(amount: Decimal | int) -> str:
    """ "12 345,60 ₽", kopecks only where there are some."""
    places = 0 if amount == int(amount) else 2
    return f"{number_format(amount, places, force_grouping=True)}\u00a0₽"
