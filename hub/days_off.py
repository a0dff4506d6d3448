"""The days off that a person enters: kept as pairs of ISO dates, typed as one day or one range a line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplaces.personal_hours import DaysOff, joined

_DATE = r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4}"
_LINE = re.compile(rf"({_DATE})(?:\s*(?:-|–|—|\.\.)\s*({_DATE}))?")
_MOST = 100
_YEARS = 2000, 2199


def read(stored: object) -> list[DaysOff]:
    """What is kept, as dates. Raises ValueError for what is no list of ranges."""
    if not isinstance(stored, list):
        raise ValueError("no list")
    try:
        pairs = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in stored]
    except TypeError as error:
        raise ValueError("no pair of dates") from error
    if any(last < first or first.year < _YEARS[0] or last.year > _YEARS[1] for first, last in pairs):
        raise ValueError("no range of these years")
    return pairs


def validate_days_off(stored: object) -> None:
    try:
        count = len(read(stored))
    except ValueError as error:
        raise ValidationError(_("Give days off as pairs of dates, each as 2026-12-28.")) from error
    if count > _MOST:
        raise ValidationError(_("At most %(count)d ranges; take out what is over.") % {"count": _MOST})


def kept(days_off: Iterable[DaysOff]) -> list[list[str]]:
    return [[first.isoformat(), last.isoformat()] for first, last in joined(days_off)]


class DaysOffField(forms.Field):
    """Lines such as 28.12.2026 – 09.01.2027, or one day: 2026-12-31."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        values: dict[str, Any] = {
            "label": capfirst(gettext_lazy("days off")),
            "required": False,
            "help_text": gettext_lazy(
                "One day or range a line: 31.12.2026, or 28.12.2026 – 09.01.2027. Reminders wait until you are back;"
                " what is urgent does not."
            ),
        }
        super().__init__(**values | kwargs)

    def prepare_value(self, value: Any) -> Any:
        try:
            return "\n".join(_shown(read(value)))
        except ValueError:
            return value if isinstance(value, str) else ""

    def to_python(self, value: Any) -> list[list[str]]:
        return kept(_range(line) for line in (value or "").splitlines() if line.strip())

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True


def said(days: Iterable[DaysOff]) -> str:
    """In one line."""
    return ", ".join(_shown(days))


def _shown(days: Iterable[DaysOff]) -> list[str]:
    return [f"{one:%d.%m.%Y}" if one == last else f"{one:%d.%m.%Y} – {last:%d.%m.%Y}" for one, last in days]


def _range(line: str) -> DaysOff:
    found = _LINE.fullmatch(line.strip())
    if not found:
        raise ValidationError(_("“%(line)s” cannot be read. An example: 28.12.2026 – 09.01.2027.") % {"line": line})
    first = _date(found[1])
    last = _date(found[2]) if found[2] else first
    if last < first:
        raise ValidationError(_("“%(line)s” ends before it begins.") % {"line": line})
    return first, last


def _date(text: str) -> date:
    try:
        day = datetime.strptime(text, "%d.%m.%Y" if "." in text else "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise ValidationError(_("There is no day %(day)s.") % {"day": text}) from error
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise ValidationError(_("%(day)s is too far away.") % {"day": text})
    return day
