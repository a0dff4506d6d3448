"""How the facts of the directory files and the rows of the database are both written as plain JSON values.

References are written as the key of the row they lead to, so that a file can name them: a topic or a channel that the
team added has no key and is written as "#" and its id.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import DateField, DurationField, ForeignKey, Model
from pydantic import BaseModel

from marketplaces.directory_file import DirectoryFile
from marketplaces.directory_merge import Values
from marketplaces.directory_schema import MarketplaceFact, SharedFile
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Rule, Source, Topic
from marketplaces.models.directory_row import DirectoryRow

Name = tuple[str, str]  # of a row: the slug of its marketplace ("" for what all share), and its key
Shipped = dict[Name, Values]

PROVENANCE = ("source", "source_grade", "verified_on")


@dataclass(frozen=True)
class Kind:
    """One kind of rows: `columns` are the fields that a release ships."""

    name: str
    model: type[Model]
    columns: tuple[str, ...]
    key: str = "key"

    @property
    def plain(self) -> tuple[str, ...]:
        """The columns of the row's own table."""
        return tuple(name for name in self.columns if name not in self.many)

    @property
    def many(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.model._meta.many_to_many if field.name in self.columns)

    @property
    def references(self) -> tuple[tuple[str, type[Model]], ...]:
        """The columns that refer to one row of an earlier kind, with that kind's model."""
        return tuple((name, model) for name, model in self._foreign if model is not self.model)

    @property
    def own(self) -> tuple[str, ...]:
        """The columns that refer to another row of this kind."""
        return tuple(name for name, model in self._foreign if model is self.model)

    @property
    def _foreign(self) -> list[tuple[str, Any]]:
        fields = (self.field(name) for name in self.plain if "." not in name)
        return [(field.name, field.related_model) for field in fields if isinstance(field, ForeignKey)]

    @property
    def is_directory_row(self) -> bool:
        return issubclass(self.model, DirectoryRow)

    @property
    def retires(self) -> bool:
        return self.is_directory_row or self.model is Marketplace

    def link(self, column: str) -> tuple[Any, str, str]:
        """The table of a many-to-many column, and its two columns."""
        field = self.field(column)
        return field.remote_field.through, field.m2m_column_name(), field.m2m_reverse_name()

    def field(self, column: str) -> Any:
        return self.model._meta.get_field(column)

    def sources(self, column: str) -> Iterable[str]:
        """The columns that say where the value of `column` comes from."""
        if self.model is Marketplace:
            return [f"provenance.{column}"]
        return [name for name in PROVENANCE if name in self.columns and column != name]


SOURCE = Kind("source", Source, ("title", "title_en", "url", "published", "grade"))
MARKETPLACE = Kind(
    "marketplace",
    Marketplace,
    tuple(name for name in MarketplaceFact.model_fields if name not in ("slug", "provenance"))
    + tuple(f"provenance.{name}" for name in MarketplaceFact.FACTS),
    key="slug",
)
TOPIC = Kind(
    "topic",
    Topic,
    (
        *("slug", "name", "name_en", "examples", "examples_en", "required", "good_appeal", "good_appeal_en"),
        *("position", *PROVENANCE),
    ),
)
CHANNEL = Kind(
    "channel",
    Channel,
    (
        *("kind", "name", "name_en", "address", "instructions", "instructions_en", "audience", "opening_hours"),
        *("time_zone", "needs_login", "works_without_account", "state", "state_reason", "state_reason_en"),
        *("remarks", "remarks_en", "first_reply_typical", "first_reply_worst", "topics", "contradicts"),
        *("position", *PROVENANCE),
    ),
)
TARGET = Kind(
    "response_target",
    ResponseTarget,
    (
        *("kind", "topic", "channel", "priority", "is_complex", "amount", "unit", "note", "note_en"),
        *PROVENANCE,
    ),
)
RULE = Kind(
    "rule",
    Rule,
    (
        *("name", "name_en", "topic", "term_amount", "term_unit", "consequence", "consequence_en"),
        *("state", "state_reason", "state_reason_en", "position", *PROVENANCE),
    ),
)
STEP = Kind(
    "escalation_step",
    EscalationStep,
    (
        *("audience", "name", "name_en", "takes_place", "when_to_take", "when_to_take_en", "channel"),
        *("instructions", "instructions_en", "attach", "attach_en", "term_amount", "term_unit"),
        *("term_basis", "term_basis_en", "requires", "letter", "available_from", "is_proposed"),
        *("state", "state_reason", "state_reason_en", "position", *PROVENANCE),
    ),
)
KINDS = (SOURCE, MARKETPLACE, TOPIC, CHANNEL, TARGET, RULE, STEP)  # each refers only to those before it, or to itself


def shipped(kind: Kind, shared: SharedFile, files: list[DirectoryFile]) -> Shipped:
    """What the files say of one kind, as values."""
    return {name: _complete(kind, values) for name, values in _facts(kind, shared, files)}


def _facts(kind: Kind, shared: SharedFile, files: list[DirectoryFile]) -> Iterator[tuple[Name, Values]]:
    if kind is SOURCE:
        for sources in (shared.sources, *(file.sources for file in files)):
            yield from ((("", key), _dump(source)) for key, source in sources.items())
        return
    if kind is TOPIC:
        yield from _numbered("", "slug", shared.topics)
    for file in files:
        slug = file.marketplace.slug
        if kind is MARKETPLACE:
            yield (slug, slug), _marketplace(file.marketplace)
        elif kind is CHANNEL:
            for name, values in _numbered(slug, "key", file.channels):
                yield name, {**values, "time_zone": values["time_zone"] or file.marketplace.time_zone}
        elif kind is TOPIC:
            yield from _numbered(slug, "slug", file.topics, start=len(shared.topics))
        else:
            facts: dict[Kind, Sequence[BaseModel]] = {
                TARGET: file.response_targets,
                RULE: file.rules,
                STEP: file.steps,
            }
            yield from _numbered(slug, "key", facts[kind])


def _numbered(slug: str, key: str, facts: Iterable[BaseModel], start: int = 0) -> Iterator[tuple[Name, Values]]:
    for position, fact in enumerate(facts, start + 1):
        yield (slug, getattr(fact, key)), {**_dump(fact), "position": position}


def _dump(fact: BaseModel) -> Values:
    values = fact.model_dump(mode="json")
    for name in ("first_reply_typical", "first_reply_worst"):
        if f"{name}_minutes" in values:
            values[name] = values.pop(f"{name}_minutes")
    for name in ("topics", "requires"):
        if name in values:
            values[name] = sorted(values[name])
    return values


def _marketplace(fact: MarketplaceFact) -> Values:
    values = _dump(fact)
    provenance = values.pop("provenance")
    return {**values, **{f"provenance.{name}": provenance.get(name) for name in fact.FACTS}}


def _complete(kind: Kind, values: Values) -> Values:
    complete = {name: values[name] for name in kind.columns}
    return {**complete, "retired": False} if kind.retires else complete


class Names:
    """Who is who: rows by their names, to write and to read references."""

    def __init__(self) -> None:
        self._slugs: dict[int | None, str] = {None: ""}
        self._keys: dict[tuple[type[Model], int], str] = {}
        self._rows: dict[tuple[type[Model], str, str], int] = {}

    def add(self, kind: Kind, row: Any) -> None:
        if kind is MARKETPLACE:
            self._slugs[row.pk] = row.slug
        key = getattr(row, kind.key) or f"#{row.pk}"
        self._keys[kind.model, row.pk] = key
        self._rows[kind.model, self.slug(kind, row), key] = row.pk

    def slug(self, kind: Kind, row: Any) -> str:
        """The marketplace of a row."""
        if kind is MARKETPLACE:
            return str(row.slug)
        return self._slugs[getattr(row, "marketplace_id", None)]

    def marketplace_id(self, slug: str) -> int | None:
        return self._rows.get((Marketplace, slug, slug))

    def key(self, model: type[Model], pk: int | None) -> str:
        return "" if pk is None else self._keys[model, pk]

    def pk(self, model: type[Model], slug: str, key: str) -> int | None:
        """The row that `key` means on this marketplace, or among the shared; None when the team deleted it."""
        return self._rows.get((model, slug, key)) or self._rows.get((model, "", key))


def read(kind: Kind, row: Any, many: dict[str, list[int]], names: Names) -> Values:
    """The row as values. `many` holds the ids of its many-to-many columns."""
    values: Values = {}
    for name in kind.plain:
        if name.startswith("provenance."):
            values[name] = row.provenance.get(name.removeprefix("provenance."))
        else:
            values[name] = _to_json(kind, row, name, names)
    for name in kind.many:
        target = kind.field(name).related_model
        values[name] = sorted(names.key(target, pk) for pk in many[name])
    if kind.retires:
        values["retired"] = row.retired_at is not None
    return values


def write(kind: Kind, row: Any, values: Values, names: Names) -> None:
    """Puts plain values into the row, without saving it. A reference to what the team deleted becomes empty."""
    slug = names.slug(kind, row)
    for name, value in values.items():
        if name.startswith("provenance."):
            row.provenance = {**row.provenance, name.removeprefix("provenance."): value}
            if value is None:
                del row.provenance[name.removeprefix("provenance.")]
        elif name in kind.plain:
            field = kind.field(name)
            setattr(row, field.attname, _from_json(field, value, slug, names))


def _to_json(kind: Kind, row: Any, name: str, names: Names) -> Any:
    field = kind.field(name)
    value = getattr(row, field.attname)
    if isinstance(field, ForeignKey):
        return names.key(field.related_model, value)
    if isinstance(value, timedelta):
        minutes = value / timedelta(minutes=1)
        return int(minutes) if minutes.is_integer() else minutes
    return value.isoformat() if isinstance(value, date) else value


def _from_json(field: Any, value: Any, slug: str, names: Names) -> Any:
    if isinstance(field, ForeignKey):
        return names.pk(field.related_model, slug, value) if value else None
    if isinstance(field, DateField) and value:
        return date.fromisoformat(value)
    if isinstance(field, DurationField) and value is not None:
        return timedelta(minutes=value)
    return value
