"""Rows as lines of JSON: one spelling that both databases read and write without loss."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connection, models
from django.utils.dateparse import parse_duration
from django.utils.duration import duration_iso_string

NOT_COPIED = {"sessions.session"}  # who is logged in logs in again
BATCH = 2000

Row = list[Any]


def tables(registry: Apps) -> dict[str, type[models.Model]]:
    """Every table of the hub by its label, link tables too, in a fixed order."""
    there = set(connection.introspection.table_names())
    found = registry.get_models(include_auto_created=True)
    ours = (one for one in found if one._meta.managed and not one._meta.proxy and one._meta.db_table in there)
    return {one._meta.label_lower: one for one in sorted(ours, key=lambda one: one._meta.label_lower)}


def copied(registry: Apps) -> dict[str, type[models.Model]]:
    return {label: model for label, model in tables(registry).items() if label not in NOT_COPIED}


def columns(model: type[models.Model]) -> list[Any]:
    """The fields that a row keeps, under their column names."""
    return [field for field in model._meta.concrete_fields if not field.generated]


def file_fields(registry: Apps) -> Iterator[tuple[type[models.Model], models.FileField]]:
    for model in copied(registry).values():
        for field in columns(model):
            if isinstance(field, models.FileField):
                yield model, field


def line(row: Sequence[Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=_plain).encode() + b"\n"


def _plain(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_iso_string(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no spelling in a backup")


def _duration(text: str) -> timedelta:
    value = parse_duration(text)
    if value is None:
        raise ValueError(f"{text!r} is no duration")
    return value


# What JSON has no word for, by the field's kind; anything else is written as it was read
_READ: dict[str, Callable[[str], Any]] = {
    "BinaryField": base64.b64decode,
    "DateField": date.fromisoformat,
    "DateTimeField": datetime.fromisoformat,
    "DecimalField": Decimal,
    "DurationField": _duration,
    "TimeField": time.fromisoformat,
    "UUIDField": UUID,
    "JSONField": lambda value: value,
}


def _reader(field: Any) -> Callable[[Any], Any] | None:
    """From JSON to what the database driver takes; None where that is the same."""
    target = field
    while target.remote_field:
        target = target.target_field
    read = _READ.get(target.get_internal_type())
    if read is None:
        return None
    return lambda value: None if value is None else target.get_db_prep_save(read(value), connection)


class Table:
    """Where the rows of one table go: their columns in the order of the file."""

    def __init__(self, model: type[models.Model], names: Sequence[str]) -> None:
        known = {field.column: field for field in columns(model)}
        if set(known) != set(names):
            differing = ", ".join(sorted(set(known) ^ set(names)))
            raise ValueError(f"the columns of {model._meta.label} differ: {differing}")
        self.name, self.label = model._meta.db_table, model._meta.label_lower
        self._names = ", ".join(connection.ops.quote_name(name) for name in names)
        self._places = ", ".join(["%s"] * len(names))
        self._readers = [(place, read) for place, name in enumerate(names) if (read := _reader(known[name]))]

    def insert(self, lines: Iterable[bytes]) -> int:
        """Writes the rows of these lines; how many."""
        rows = [self._read(text) for text in lines]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                statement = f"COPY {self.name} ({self._names}) FROM STDIN"
                with connection.wrap_database_errors, cursor.copy(statement) as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                cursor.executemany(f"INSERT INTO {self.name} ({self._names}) VALUES ({self._places})", rows)  # noqa: S608
        return len(rows)

    def _read(self, text: bytes) -> Row:
        row: Row = json.loads(text)
        for place, read in self._readers:
            row[place] = read(row[place])
        return row


def clear(models_: Iterable[type[models.Model]]) -> None:
    """Empties these tables at once, whatever refers to what; undone with the transaction."""
    names = [connection.ops.quote_name(model._meta.db_table) for model in models_]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL lock_timeout = '10s'")  # somebody may be at work on it
            cursor.execute(f"TRUNCATE {', '.join(names)}")
        else:
            for name in names:
                cursor.execute(f"DELETE FROM {name}")  # noqa: S608


def reset_sequences(models_: Sequence[type[models.Model]]) -> None:
    """The next row gets a number after the last."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models_):
            cursor.execute(statement)
