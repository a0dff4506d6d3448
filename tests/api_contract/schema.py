"""The description of the API as the code now generates it."""

from typing import Any

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator


def generated() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    with translation.override("en"):
        schema: dict[str, Any] = generator().get_schema(request=None, public=True)
    return schema
