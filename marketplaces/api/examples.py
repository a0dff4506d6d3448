"""Examples in the description of the API. People and companies in them are made up."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer


def example(title: str, value: dict[str, Any]) -> Callable[[Any], Any]:
    """An example of what a serializer takes."""
    return extend_schema_serializer(examples=[OpenApiExample(title, value=value, request_only=True)])
