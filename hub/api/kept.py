"""Serializers that are built once and lent to one request after another: building one costs more than using it."""

import threading
from typing import Any

from django.utils import translation
from rest_framework.fields import empty
from rest_framework.serializers import BaseSerializer

Serializer = BaseSerializer[Any]
# What a serializer has found out about the row and the request that it was given
_FOUND = ("initial_data", "_data", "_errors", "_validated_data")


class Shelf(threading.local):
    """Serializers that nobody in this thread uses now: by class, one or many, and language.

    By language, because the framework keeps the sentence of a refusal as it was first read.
    """

    def __init__(self) -> None:
        self._free: dict[tuple[type[Serializer], bool, str | None], list[Serializer]] = {}

    def lend(
        self,
        kind: type[Serializer],
        instance: Any = None,
        data: Any = empty,
        *,
        many: bool = False,
        partial: bool = False,
        context: dict[str, Any],
    ) -> Serializer:
        """What `kind` would make of the same arguments."""
        place = kind, many, translation.get_language()
        free = self._free.setdefault(place, [])
        serializer: Any = free.pop() if free else kind(many=many)
        serializer.instance, serializer.partial, serializer._context = instance, partial, context
        serializer.place = place
        if data is not empty:
            serializer.initial_data = data
        lent: Serializer = serializer
        return lent

    def take_back(self, serializer: Any) -> None:
        """Its request is over: it forgets what it was given."""
        for name in _FOUND:
            serializer.__dict__.pop(name, None)
        serializer.instance, serializer._context = None, {}
        self._free[serializer.place].append(serializer)


shelf = Shelf()
