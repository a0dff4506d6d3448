"""How a line of the trail is said to its reader: what was named, and each field from which value to which."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import DateTimeField, ForeignKey, Model
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from appeals.models import Appeal, Membership, ReminderRule, Shop
from hub import days_off
from hub.forms import permission_text
from hub.models import ApiToken, User
from hub.trail.models import TrailEntry
from marketplaces import facts_text
from marketplaces.directory_rows import KINDS
from marketplaces.models import DirectoryChange
from marketplaces.models.directory_row import Bilingual

MODELS: dict[str, type[Model]] = {
    TrailEntry.Kind.PERSON: User,
    TrailEntry.Kind.ROLE: Group,
    TrailEntry.Kind.TOKEN: ApiToken,
    TrailEntry.Kind.SHOP: Shop,
    TrailEntry.Kind.MEMBER: Membership,
    TrailEntry.Kind.RULE: ReminderRule,
    TrailEntry.Kind.DRAFT: Appeal,
}
LONGEST = 200
DAYS_OFF = User._meta.get_field("days_off")
OF_TOKEN = {
    "token_key": gettext_noop("begins with"),
    "user": gettext_noop("person"),
    "expiry": gettext_noop("valid until"),
}
"""The columns that the library of tokens made, and that have no name in our languages."""


class Names:
    """Rows of the directory by their names in both languages: a line keeps the one that whoever did it read; of a
    marketplace, by its slug too."""

    def __init__(self) -> None:
        self._known: dict[type[Bilingual], dict[str, Bilingual]] = {}

    def of(self, model: type[Bilingual], name: str) -> str:
        if model not in self._known:
            rows: Iterable[Any] = model._default_manager.all()
            called = [(row, (row.name, row.name_en, getattr(row, "slug", ""))) for row in rows]
            self._known[model] = {one: row for row, names in called for one in names if one}
        row = self._known[model].get(name)
        return row.text("name") if row else name


def thing(entry: TrailEntry) -> str:
    """A rule from before its parts were kept is called what whoever did it read."""
    if entry.kind == TrailEntry.Kind.ROLE:
        return _(entry.object_repr)
    rule = (entry.additional_data or {}).get("rule")
    return str(ReminderRule(**rule)) if rule else entry.object_repr


def facts(change: DirectoryChange, said: facts_text.Said) -> Iterator[str]:
    """The fields of a row of the directory."""
    kind = next((one for one in KINDS if one.name == change.kind), None)
    for field, pair in change.changes.items():
        was, now = (said.value(kind, field, value) if kind else str(value) for value in pair)
        yield f"{facts_text.field_text(kind, field) if kind else field}: {_cut(was)} → {_cut(now)}"


def changes(entry: TrailEntry, names: Names) -> Iterator[str]:
    model = MODELS.get(entry.kind)
    for name, change in sorted((entry.changes or {}).items()):
        field = _field(model, name) if model else None
        label = capfirst(_(OF_TOKEN[name])) if model is ApiToken and name in OF_TOKEN else _label(field, name)
        if isinstance(change, dict):
            sign = "+" if change["operation"] == "add" else "−"
            yield f"{label}: {', '.join(f'{sign} {_listed(name, one)}' for one in change['objects'])}"
        elif entry.action == TrailEntry.Action.UPDATE:
            yield f"{label}: {_said(field, change[0], names)} → {_said(field, change[1], names)}"
        elif value := _said(field, change[entry.action == TrailEntry.Action.CREATE], names):
            yield f"{label}: {value}"


def _field(model: type[Model], name: str) -> Any:
    return next((one for one in model._meta.get_fields() if one.name == name), None)


def _label(field: Any, name: str) -> str:
    return capfirst(str(getattr(field, "verbose_name", None) or _(name))) or name


def _listed(field: str, name: str) -> str:
    if field in ("permissions", "user_permissions"):
        app, _dot, codename = name.partition(".")
        return permission_text(app, codename) or name
    return _(name) if field == "groups" else name


def _said(field: Any, value: Any, names: Names) -> str:
    """What was chosen is said as it was on offer, an empty list not at all."""
    if isinstance(field, ForeignKey) and issubclass(field.related_model, Bilingual):
        return _short(names.of(field.related_model, str(value)))
    if isinstance(field, DateTimeField):
        return _moment(str(value))
    if field is DAYS_OFF:
        return _days_off(str(value))
    offered = dict(getattr(field, "flatchoices", ()))
    return _short("" if value in ("[]", "{}") else offered.get(str(value), value))


def _moment(kept: str) -> str:
    """Kept in UTC, without saying so."""
    try:
        at = parse_datetime(kept)
    except ValueError:
        at = None
    return date_format(localtime(at.replace(tzinfo=UTC)), "DATETIME_FORMAT") if at else _short(kept)


def _days_off(kept: str) -> str:
    try:
        return _cut(days_off.said(days_off.read(json.loads(kept))))
    except ValueError:
        return _short(kept)


def _short(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if isinstance(value, str) and value in ("True", "False"):
        value = _("yes") if value == "True" else _("no")
    return _cut("" if value in (None, "None") else str(value))


def _cut(text: str) -> str:
    return f"{text[:LONGEST]}…" if len(text) > LONGEST else text
