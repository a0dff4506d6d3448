"""What keeps a row from being deleted: counted and not read, as a shop may have a hundred thousand appeals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import site
from django.db.models import PROTECT, ForeignKey, Model, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst


def referring(rows: Sequence[Model]) -> dict[type[Model], int]:
    """How many rows of which model refer to `rows`, all of one model, by a key that protects them."""
    held: dict[type[Model], QuerySet[Any, Any]] = {}
    for field in _protecting(rows[0]) if rows else []:
        found = field.model._default_manager.filter(**{f"{field.name}__in": [row.pk for row in rows]})
        model, ids = _with_a_page(found)
        held[model] = held[model].union(ids) if model in held else ids
    return {model: count for model, ids in held.items() if (count := ids.count())}


def _with_a_page(found: QuerySet[Any]) -> tuple[type[Model], QuerySet[Any, Any]]:
    """What people know of it: in place of events and terms, which have no page, the appeals that they belong to."""
    about: Any = {field.name: field for field in found.model._meta.fields}.get("appeal")
    if about is None or site.is_registered(found.model):
        return found.model, found.order_by().values_list("pk").distinct()
    return about.related_model, found.order_by().values_list(about.attname).distinct()


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
