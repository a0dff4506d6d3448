"""What the theme writes again and again, said once.

It repeats the look of a cell and of its tick, hundreds of characters of class names, in each row of each list: two
thirds of the page. Here a cell only says that it is one, and `static/hub/workplace.css` holds the look.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import site
from django.contrib.admin.views.main import ChangeList
from django.utils.formats import localize
from django.utils.html import format_html_join
from django.utils.safestring import SafeData, mark_safe
from django.utils.text import capfirst
from django.utils.timezone import localtime
from unfold import admin, fields
from unfold.templatetags import unfold_list

from hub.days_off import DaysOffField
from marketplaces.wording import span, zone

_theirs = unfold_list.result_headers
_shown, _lines = fields.display_for_field, fields.linebreaksbr


def name_cells() -> None:
    unfold_list.ROW_CLASSES[:] = ["hub-cell"]
    unfold_list.CHECKBOX_CLASSES[:] = ["hub-cell", "action-checkbox"]
    unfold_list.LINK_CLASSES[:] = ["hub-cell-link"]
    admin.checkbox.attrs["class"] = "hub-tick action-select"
    unfold_list.result_headers = _headers
    fields.display_for_field, fields.linebreaksbr = _in_words, _zoned_lines
    fields.prettify_json = _listed
    site.empty_value_display = "—"


def _in_words(value: Any, field: Any, empty: str, *args: Any, **kwargs: Any) -> str:
    """What a form shows and nobody may type there: a moment with the zone of the reader, a length of time in words."""
    if isinstance(value, timedelta):
        return span(value)
    text = str(_shown(value, field, empty, *args, **kwargs))
    return f"{text} ({zone(value)})" if isinstance(value, datetime) else text or empty


def _listed(value: Any, _encoder: Any) -> str:
    """A list as the lines that are typed where it may be changed, instead of the JSON that it is kept as."""
    lines = DaysOffField().prepare_value(value or []).splitlines() or value
    return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines or [site.empty_value_display]))


def _zoned_lines(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{localize(localtime(value))} ({zone(value)})"
    return _lines(value)


def _headers(cl: ChangeList) -> Iterator[dict[str, Any]]:
    """With a capital letter: on a phone they stand before each value of a row."""
    for header in _theirs(cl):
        text = header["text"]
        yield header if isinstance(text, SafeData) else header | {"text": capfirst(text)}
