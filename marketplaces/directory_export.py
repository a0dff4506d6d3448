"""The rows of a marketplace as a `directory.toml`, which another installation, or this one, can read again.

What the team entered has neither a key nor a source in the list: it gets a key that this installation knows again, and
its text becomes a source of the file. An English text that is missing is written in Russian, as pages show it.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.crypto import salted_hmac
from pydantic import BaseModel

from marketplaces.directory import SHARED_FILE
from marketplaces.directory_file import read_shared
from marketplaces.directory_merge import Values
from marketplaces.directory_rows import CHANNEL, KINDS, MARKETPLACE, RULE, SOURCE, STEP, TARGET, TOPIC, Kind
from marketplaces.directory_schema import (
    ChannelFact,
    MarketplaceFact,
    Provenance,
    RuleFact,
    SourceFact,
    StepFact,
    TargetFact,
    TopicFact,
)
from marketplaces.directory_store import Row, Store

SECTIONS: tuple[tuple[Kind, str, str, type[BaseModel]], ...] = (
    (TOPIC, "topics", "slug", TopicFact),
    (CHANNEL, "channels", "key", ChannelFact),
    (TARGET, "response_targets", "key", TargetFact),
    (RULE, "rules", "key", RuleFact),
    (STEP, "escalation_steps", "key", StepFact),
)
OWN = re.compile(r"own-([0-9]{1,18})-([0-9a-f]{8})")
OWN_SOURCE = re.compile(r"own-[0-9]+")
DAYS = ("verified_on", "available_from")


def export(*, slug: str, now: datetime) -> str:
    """The text of the file. Retired rows are left out."""
    store = Store(now, to_write=False)
    store.read(*KINDS)
    return "\n".join(_Export(store, slug).lines()) + "\n"


def own_key(kind: Kind, pk: int) -> str:
    return f"own-{pk}-{_mark(kind, pk)}"


def row_of(kind: Kind, key: str) -> str:
    """The name "#12" of the row that this installation exported under `key`; any other key as it is."""
    found = OWN.fullmatch(key)
    return f"#{found[1]}" if found and found[2] == _mark(kind, int(found[1])) else key


def _mark(kind: Kind, pk: int) -> str:
    """Known to this installation only: row 12 of another one is another row."""
    return salted_hmac("marketplaces.directory_export", f"{kind.name}:{pk}").hexdigest()[:8]


class _Export:
    def __init__(self, store: Store, slug: str) -> None:
        self._store, self._slug = store, slug
        self._known = {row.key: row for row in store.rows(SOURCE, "")}
        self._shared = read_shared(SHARED_FILE).sources
        self._cited: dict[str, Values] = {}

    def lines(self) -> Iterator[str]:
        (place,) = self._store.rows(MARKETPLACE, self._slug)
        marketplace = list(self._marketplace(place))
        rows = [line for section in SECTIONS for line in self._section(*section)]
        yield "schema = 1"
        for key, source in sorted(self._cited.items()):
            yield from _table(f"[sources.{_word(key)}]", source, SourceFact)
        yield from marketplace
        yield from rows

    def _marketplace(self, place: Row) -> Iterator[str]:
        values = self._store.values(MARKETPLACE, place)
        yield from _table("[marketplace]", {"slug": place.slug, **_bilingual(values)}, MarketplaceFact)
        for field in MarketplaceFact.FACTS:
            if values[field]:
                unknown = {"source": "-", "source_grade": "E", "verified_on": "2000-01-01"}
                fact = {**unknown, **(values[f"provenance.{field}"] or {})}
                yield from _table(f"[marketplace.provenance.{field}]", _bilingual(self._sourced(fact)), Provenance)

    def _section(self, kind: Kind, section: str, key: str, fact: type[BaseModel]) -> Iterator[str]:
        rows = [row for row in self._store.rows(kind, self._slug) if row.retired_at is None]
        for row in sorted(rows, key=lambda row: (getattr(row, "position", 0), row.pk)):
            values = _bilingual(self._sourced(self._store.values(kind, row)))
            for column, model in (*kind.references, *((name, kind.model) for name in kind.own)):
                values[column] = self._key(model, values[column])
            for column in kind.many:
                values[column] = [self._key(kind.field(column).related_model, name) for name in values[column]]
            for name in ("first_reply_typical", "first_reply_worst"):
                values[f"{name}_minutes"] = values.get(name)
            values[key] = self._slug_of(row) if kind is TOPIC else row.key or own_key(kind, row.pk)
            yield from _table(f"[[{section}]]", values, fact)

    def _key(self, model: Any, name: str) -> str:
        """What the file calls a row that is called `name` here."""
        kind = next(kind for kind in KINDS if kind.model is model)
        if not name.startswith("#"):
            return name
        if kind is TOPIC:
            return self._slug_of(self._store.row(TOPIC, (self._slug, name)) or self._store.row(TOPIC, ("", name)))
        return own_key(kind, int(name[1:]))

    def _slug_of(self, topic: Row) -> str:
        """A topic of one marketplace begins with its slug in a file; what all share is in the shared file."""
        prefix = self._slug.replace("_", "-") + "-"
        shared = topic.marketplace_id is None or topic.slug.startswith(prefix)
        return str(topic.slug if shared else prefix + topic.slug)

    def _sourced(self, values: Values) -> Values:
        """With sources that the file defines, and a grade that one of them has."""
        keys = [key.strip() for key in values["source"].split(",")]
        known = [self._known[key] for key in keys if key in self._known]
        if len(known) == len(keys) and values["source_grade"] in {row.grade for row in known}:
            for row in known:
                if row.key not in self._shared:
                    self._cited[row.key] = self._store.values(SOURCE, row)
            return values
        return {**values, "source": self._own_source(values["source"], values["source_grade"], values["verified_on"])}

    def _own_source(self, text: str, grade: str, day: str) -> str:
        """The source of the file that stands for a text of the team."""
        source = {"title": text, "title_en": text, "url": "", "published": day, "grade": grade}
        for key, other in self._cited.items():
            if OWN_SOURCE.fullmatch(key) and (other["title"], other["grade"]) == (text, grade):
                return key
        key = f"own-{len(self._cited) + 1}"
        self._cited[key] = source
        return key


def _bilingual(values: Values) -> Values:
    return {
        name: value or values[name.removesuffix("_en")] if name.endswith("_en") else value
        for name, value in values.items()
    }


def _table(header: str, values: Values, fact: type[BaseModel]) -> Iterator[str]:
    """The keys that the schema knows; an empty value only where the key must be there."""
    yield f"\n{header}"
    for name, field in fact.model_fields.items():
        value = values.get(name)
        if name != "provenance" and (value not in (None, "", []) or (field.is_required() and value is not None)):
            yield f"{name} = {value if name in DAYS else _literal(value)}"


def _literal(value: Any) -> str:
    """TOML writes texts, numbers, truth values and lists of texts as JSON does, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _word(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _literal(key)
