"""Pages of a list: by the position of the last row seen, never by a count, so that new rows move nothing."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import DateTimeField, Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from marketplaces.api.moments import read_moment

if TYPE_CHECKING:  # the settings name this module to the framework, which is still loading then
    from rest_framework.views import APIView

DEFAULT_SIZE = 50
MAX_SIZE = 200


class Cursor(NamedTuple):
    """The row at the edge of a page: its value of the ordering, or None, its key, and the way to go."""

    ordering: str
    value: Any
    pk: int
    backwards: bool

    def encode(self) -> str:
        packed = json.dumps([self.ordering, None if self.value is None else str(self.value), self.pk, self.backwards])
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


class Pages(BasePagination):
    """`{next, previous, results}`. Rows that have no value of the ordering come last, whichever way it goes.

    Rows are ordered by (value, key). Rows with and without a value are read by two queries, each of which an index
    answers; a page needs the second one only where the first runs out.
    """

    ordering = "id"

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.request = request
        self.order = str(getattr(view, "chosen_ordering", None) or getattr(view, "ordering", None) or self.ordering)
        self.field, self.descending = self.order.lstrip("-"), self.order.startswith("-")
        self.cursor = self._read_cursor(queryset)
        size = page_size(request)
        rows = self._rows(queryset, size + 1)
        self.has_more = len(rows) > size
        backwards = bool(self.cursor and self.cursor.backwards)
        self.page: list[Any] = rows[:size][::-1] if backwards else rows[:size]
        return self.page

    def get_paginated_response(self, data: Any) -> Response:
        backwards = bool(self.cursor and self.cursor.backwards)
        has_next = backwards or self.has_more
        has_previous = self.has_more if backwards else self.cursor is not None
        return Response(
            {
                "next": self._link(self.page[-1], backwards=False) if self.page and has_next else None,
                "previous": self._link(self.page[0], backwards=True) if self.page and has_previous else None,
                "results": data,
            }
        )

    def _rows(self, queryset: QuerySet[Any], count: int) -> list[Any]:
        rows: list[Any] = []
        for without_value in self._segments(queryset):
            if len(rows) < count:
                rows += self._segment(queryset, without_value)[: count - len(rows)]
        return rows

    def _segments(self, queryset: QuerySet[Any]) -> Sequence[bool]:
        """Which rows are left to read, in the order of reading: those with a value (False), those without (True)."""
        if not queryset.model._meta.get_field(self.field).null:
            return [False]
        if self.cursor is None:
            return [False, True]
        if self.cursor.backwards:
            return [True, False] if self.cursor.value is None else [False]
        return [True] if self.cursor.value is None else [False, True]

    def _segment(self, queryset: QuerySet[Any], without_value: bool) -> QuerySet[Any]:
        """One of the two kinds of rows, from the cursor on if it lies there."""
        up = self.descending == bool(self.cursor and self.cursor.backwards)
        here = self.cursor if self.cursor and (self.cursor.value is None) == without_value else None
        if queryset.model._meta.get_field(self.field).null:
            queryset = queryset.filter(**{f"{self.field}__isnull": without_value})
        sign = "" if up else "-"
        queryset = queryset.order_by(*([] if without_value else [sign + self.field]), f"{sign}id")
        if here is None:
            return queryset
        after = self._beyond("id", here.pk, up)
        if without_value:
            return queryset.filter(after)
        # The first condition is what an index can start from; the second cuts off the rows of an equal value
        bound = Q(**{f"{self.field}__{'gte' if up else 'lte'}": here.value})
        return queryset.filter(bound, self._beyond(self.field, here.value, up) | after)

    @staticmethod
    def _beyond(field: str, value: Any, up: bool) -> Q:
        return Q(**{f"{field}__{'gt' if up else 'lt'}": value})

    def _link(self, row: Model, *, backwards: bool) -> str:
        value = getattr(row, self.field)
        position = value.isoformat() if hasattr(value, "isoformat") else value
        cursor = Cursor(self.order, position, row.pk, backwards).encode()
        return str(replace_query_param(self.request.build_absolute_uri(), "cursor", cursor))

    def _read_cursor(self, queryset: QuerySet[Any]) -> Cursor | None:
        text = self.request.query_params.get("cursor")
        if text is None:
            return None
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            ordering, value, pk, backwards = json.loads(base64.urlsafe_b64decode(padded))
            if type(pk) is not int or abs(pk) >= 2**63 or type(backwards) is not bool or type(ordering) is not str:
                _refuse_cursor()
            if ordering == self.order:
                value = self._read_position(queryset, value)
        except (ValueError, TypeError, OverflowError, RecursionError, DjangoValidationError):
            _refuse_cursor()
        if ordering != self.order:
            words = {"ordering": ordering[:50]}
            raise _refusal("cursor", _("This cursor belongs to another ordering: %(ordering)s.") % words)
        return Cursor(ordering, value, pk, backwards)

    def _read_position(self, queryset: QuerySet[Any], value: Any) -> Any:
        """The value of the ordering that a cursor holds. Raises ValueError or ValidationError for what is none."""
        field: Any = queryset.model._meta.get_field(self.field)
        if value is None and field.null:
            return None
        if "\x00" in str(value).encode().decode():
            raise ValueError
        return read_moment(value) if isinstance(field, DateTimeField) else field.clean(value, None)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": link | {"description": "Address of the next page; null on the last one."},
                "previous": link | {"description": "Address of the page before; null on the first one."},
                "results": schema | {"description": "The rows of this page."},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": "Rows on a page.",
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE},
            },
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where the page begins: taken from `next` or `previous`, never made by hand.",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
            },
        ]


def page_size(request: Request) -> int:
    text = request.query_params.get("page_size", str(DEFAULT_SIZE))
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_SIZE:
        raise _refusal("page_size", _("A whole number from 1 to %(max)d is needed.") % {"max": MAX_SIZE})
    return int(text)


def _refusal(name: str, text: str) -> ValidationError:
    return ValidationError({name: [ErrorDetail(text, code="invalid")]})


def _refuse_cursor() -> NoReturn:
    raise _refusal("cursor", _("This is no cursor of this list. Take it from `next` or `previous`."))
