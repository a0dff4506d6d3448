"""What keeps a row from being deleted: counted and not read, as a shop may have a hundred thousand appeals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import PROTECT, ForeignKey, Model
from django.http import HttpRequest
from django.utils.text import capfirst


def referring(rows: Sequence[Model]) -> dict[type[Model], int]:
    """How many rows of which model refer to `rows`, all of one model, by a key that protects them."""
    counts: dict[type[Model], int] = {}
    for field in _protecting(rows[0]) if rows else []:
        found = field.model._default_manager.filter(**{f"{field.name}__in": [row.pk for row in rows]}).count()
        if found:
            counts[field.model] = counts.get(field.model, 0) + found
    return counts


def _protecting(row: Model) -> list[ForeignKey[Any, Any]]:
    keys = (one.remote_field for one in row._meta.get_fields(include_hidden=True) if one.one_to_many)
    return [key for key in keys if key.remote_field.on_delete is PROTECT]  # type: ignore[union-attr,misc]


class CountsWhatRefers:
    """For an admin: the page that asks before a row is deleted says how many of what hold it, or what goes with it."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], Any, list[Any]]:
        if held := referring(list(objs)):
            said = [f"{capfirst(str(model._meta.verbose_name_plural))}: {count}" for model, count in held.items()]
            return [], {}, set(), said
        return super().get_deleted_objects(objs, request)  # type: ignore[misc,no-any-return]
