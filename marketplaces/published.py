"""When a source was published, as people read it: the directory keeps it in short English words and ISO dates."""

import re
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import pgettext_lazy

_WORDS = {
    "undated": pgettext_lazy("date of a source", "undated"),
    "about": pgettext_lazy("date of a source", "about"),
    "before": pgettext_lazy("date of a source", "before"),
    "after": pgettext_lazy("date of a source", "after"),
    "or later": pgettext_lazy("date of a source", "or later"),
    "and older": pgettext_lazy("date of a source", "and older"),
    "old product": pgettext_lazy("date of a source", "old product"),
}
_PART = re.compile(
    rf"(?P<day>\d{{4}}-\d\d-\d\d)|(?P<month>\d{{4}}-\d\d)(?!\d)|(?P<years>\d{{4}}-\d{{4}})|\b(?P<word>{'|'.join(_WORDS)})\b"
)


def published_text(published: str) -> str:
    """ "около 2017" for "about 2017", "10.08.2026" for "2026-08-10"; what is neither stays as it is."""
    return _PART.sub(_said, published)


def _said(part: re.Match[str]) -> str:
    text = part[0]
    try:
        if part["day"]:
            return date_format(date.fromisoformat(text), "SHORT_DATE_FORMAT")
        if part["month"]:
            return date_format(date.fromisoformat(f"{text}-01"), "m.Y")
    except ValueError:
        return text
    return text.replace("-", "–") if part["years"] else str(_WORDS[text])
