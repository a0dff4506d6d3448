"""Kinds, fields and values of the directory as people read them, from the form they have in files and histories."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.db.models import DateField, DurationField, ForeignKey, ManyToManyField, Q
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from marketplaces.directory_rows import CHANNEL, KINDS, MARKETPLACE, STEP, TOPIC, Kind
from marketplaces.directory_store import Store
from marketplaces.wording import span

NOTHING = "—"


def kind_named(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.name == name)


def kind_text(kind: Kind) -> str:
    return capfirst(str(kind.model._meta.verbose_name))


def field_text(kind: Kind, column: str) -> str:
    if column == "retired":
        return _("Retired")
    if column == "marketplace":
        return capfirst(str(MARKETPLACE.model._meta.verbose_name))
    if column.startswith("provenance."):
        field = kind.field(column.removeprefix("provenance.")).verbose_name
        return _("Where it is known from: %(field)s") % {"field": field}
    return capfirst(str(kind.field(column).verbose_name))


class Said:
    """Says values. References to the rows of one marketplace are said by name: of a store that has read them, or read
    when the first is met."""

    def __init__(self, marketplace: str = "", store: Store | None = None) -> None:
        self._marketplace, self._store = marketplace, store

    def value(self, kind: Kind, column: str, value: Any) -> str:
        if isinstance(value, dict):  # the provenance of one fact of a marketplace
            return ", ".join(str(part) for name, part in value.items() if part and name != "note_en")
        if value in (None, "", []):
            return NOTHING
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        field = kind.field(column) if column in kind.columns else None
        if isinstance(field, ForeignKey | ManyToManyField):
            return self._references(field.related_model, value)
        return self._plain(field, value)

    def _plain(self, field: Any, value: Any) -> str:
        choices = dict(getattr(field, "flatchoices", None) or ())
        if isinstance(value, list):
            return ", ".join(str(item) for item in value)
        if isinstance(field, DateField):
            return date_format(date.fromisoformat(value), "DATE_FORMAT")
        if isinstance(field, DurationField):
            return span(timedelta(minutes=value))
        return str(choices.get(value, value))

    def _references(self, model: Any, value: Any) -> str:
        keys: list[str] = value if isinstance(value, list) else [value]
        return ", ".join(self._names.get((model, key), key) for key in keys)

    @cached_property
    def _names(self) -> dict[tuple[Any, str], str]:
        """Of what can be referred to; a row of the team, which has no key, by "#" and its id."""
        names: dict[tuple[Any, str], str] = {}
        for kind in (TOPIC, CHANNEL, STEP):
            for row in self._rows(kind):
                names[kind.model, getattr(row, kind.key) or f"#{row.pk}"] = row.text("name")
        return names

    def _rows(self, kind: Kind) -> Iterable[Any]:
        if self._store:
            return [*self._store.rows(kind, self._marketplace), *self._store.rows(kind, "")]
        own = Q(marketplace__slug=self._marketplace)
        return kind.model._default_manager.filter(own | Q(marketplace=None) if kind is TOPIC else own)
