"""Writing many rows that each get values of their own."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, models

Values = Mapping[str, object]


def update_rows(model: type[models.Model], rows: Mapping[int, Values]) -> None:
    """Updates each key with its values, all sent together: many times cheaper than bulk_update's CASE for each column.

    All rows must name the same fields.
    """
    if not rows:
        return
    fields = [model._meta.get_field(name) for name in next(iter(rows.values()))]
    values = [[*_prepared(fields, row), pk] for pk, row in rows.items()]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_joined(model, fields, len(rows)), [value for row in values for value in row])
        else:
            cursor.executemany(_single(model, fields), values)


def _prepared(fields: list[Any], row: Values) -> list[Any]:
    return [field.get_db_prep_save(row[field.name], connection) for field in fields]


def _single(model: type[models.Model], fields: list[Any]) -> str:
    columns = ", ".join(f"{field.column} = %s" for field in fields)
    return f"UPDATE {model._meta.db_table} SET {columns} WHERE id = %s"  # noqa: S608


def _joined(model: type[models.Model], fields: list[Any], count: int) -> str:
    """PostgreSQL joins a list of values faster than it runs one statement after the other."""
    names = ", ".join(field.column for field in fields)
    columns = ", ".join(
        f"{field.column} = CAST(new.{field.column} AS {field.db_type(connection)})" for field in fields
    )
    row = f"({', '.join(['%s'] * (len(fields) + 1))})"
    return (
        f"WITH new ({names}, id) AS (VALUES {', '.join([row] * count)})"  # noqa: S608
        f" UPDATE {model._meta.db_table} AS old SET {columns} FROM new WHERE old.id = new.id"
    )
