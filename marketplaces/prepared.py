"""Queries that are put together once. Of a small one the ORM writes the SQL for longer than the database reads it.

    topics = Prepared(lambda: Topic.objects.filter(slug=Given("slug")))
    topics(slug="finance")

What is asked is the same each time but for the values that are `Given`; they are sent as they are.
"""

import copy
import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import connection, connections
from django.db.models import BooleanField, Func, QuerySet, Value

Rows = QuerySet[Any, Any]


class Given(Value):
    """The value of this name, which comes with each call."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class Among(Func):
    """Whether a number is in a list that is given: the same SQL for a list of any length."""

    output_field = BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s)", arg_joiner=" = ANY(")

    def as_sqlite(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        joiner = " IN (SELECT value FROM json_each("
        return self.as_sql(compiler, connection, template="%(expressions)s))", arg_joiner=joiner)


class Prepared:
    """Asks as the query set would that `make` makes, and answers with the same rows."""

    def __init__(self, make: Callable[[], Rows]) -> None:
        self._make = make
        self._written: dict[str, _Written] = {}

    def __call__(self, **given: Any) -> list[Any]:
        rows = self._rows
        written = self._written.get(connection.vendor)
        if written is None:
            written = self._written[connection.vendor] = _Written(rows)
        asked: Any = type(rows)(rows.model, query=_Asked(written, given))
        asked._iterable_class, asked._fields = rows._iterable_class, rows._fields
        return list(asked)

    @cached_property
    def _rows(self) -> Any:
        return self._make()


class _Written:
    """The query with its SQL as one kind of database wants it."""

    def __init__(self, rows: Any) -> None:
        self.query, self.compiler = rows.query, rows.query.get_compiler(rows.db)
        self.sql, self.values = self.compiler.as_sql()


class _Asked:
    """Stands where a query set has its query, and knows the values of this call."""

    def __init__(self, written: _Written, given: dict[str, Any]) -> None:
        self._written, self._given = written, given

    def __getattr__(self, name: str) -> Any:
        return getattr(self._written.query, name)

    def get_compiler(self, using: str) -> Any:
        compiler = copy.copy(self._written.compiler)
        compiler.connection = connections[using]
        values = [self._value(one, compiler.connection.vendor) for one in self._written.values]
        compiler.as_sql = lambda: (self._written.sql, values)
        return compiler

    def _value(self, value: Any, vendor: str) -> Any:
        if not isinstance(value, Given):
            return value
        given = self._given[value.value]
        if not isinstance(given, list):
            return given
        return json.dumps(given) if vendor == "sqlite" else f"{{{','.join(map(str, given))}}}"
