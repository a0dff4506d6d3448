"""What a list may be asked for. A parameter that nobody reads is refused by name, not passed over in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

if TYPE_CHECKING:  # the settings name this module to the framework, which is still loading then
    from rest_framework.serializers import BaseSerializer
    from rest_framework.viewsets import GenericViewSet

PAGING = ("cursor", "page_size")


class Filters(DjangoFilterBackend):
    """The view's `filterset_class`, on its list alone: one object is found by its address."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: GenericViewSet[Any]) -> QuerySet[Any]:
        known = getattr(getattr(view, "filterset_class", None), "base_filters", {})
        if view.action != "list" or not request.query_params.keys() & known.keys():
            return queryset
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


class Ordering(BaseFilterBackend):
    """`?ordering=` by one of the view's `ordering_fields`, with `-` for the reverse; `Pages` does the sorting."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        view.chosen_ordering = None
        if view.action == "list" and (wanted := request.query_params.get("ordering")) is not None:
            if wanted not in orderings(view):
                known = ", ".join(orderings(view))
                raise ValidationError(
                    {"ordering": [ErrorDetail(_("One of: %(known)s.") % {"known": known}, code="invalid_choice")]}
                )
            view.chosen_ordering = wanted
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        if not orderings(view):
            return []
        return [
            {
                "name": "ordering",
                "in": "query",
                "required": False,
                "description": "What the list is sorted by; rows without a value come last.",
                "schema": {"type": "string", "enum": orderings(view), "default": view.ordering},
            }
        ]


def orderings(view: Any) -> list[str]:
    return [sign + field for field in getattr(view, "ordering_fields", ()) for sign in ("", "-")]


def check_parameters(view: GenericViewSet[Any]) -> None:
    """Refuses a parameter that the view does not read, one given twice, one without a value, and one not in UTF-8."""
    known = known_parameters(view)
    errors = {}
    for name, values in view.request.query_params.lists():
        if name not in known:
            text = _("There is no such parameter. Known here: %(known)s.") % {"known": ", ".join(known) or "-"}
            errors[name] = [ErrorDetail(text, code="unknown_parameter")]
        elif len(values) > 1:
            errors[name] = [ErrorDetail(_("This parameter may be given once only."), code="repeated")]
        elif not values[0].strip():
            errors[name] = [ErrorDetail(_("This parameter has no value."), code="blank")]
        elif "\ufffd" in values[0] and not _is_utf8(view.request):
            errors[name] = [ErrorDetail(_("This is not UTF-8."), code="invalid")]
    if errors:
        raise ValidationError(errors)


def _is_utf8(request: Request) -> bool:
    """Whether the query is: what is not comes with U+FFFD in its place, which may have been meant as well."""
    try:
        unquote_to_bytes(request.META.get("QUERY_STRING", "").encode("latin-1", "replace")).decode()
    except UnicodeDecodeError:
        return False
    return True


def known_parameters(view: Any) -> list[str]:
    """The names that the view's action reads from the query."""
    query: type[BaseSerializer[Any]] | None = getattr(view, "query_serializer_class", None)
    known = list(query().fields) if query else []  # type: ignore[attr-defined]
    if view.action == "list" and view.pagination_class:
        filterset = getattr(view, "filterset_class", None)
        known += [*(filterset.base_filters if filterset else ()), *(["ordering"] if orderings(view) else ()), *PAGING]
    return known
