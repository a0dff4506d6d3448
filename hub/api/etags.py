"""Versions on the wire: `ETag` on what can be edited, `If-Match` against writing over somebody else's change."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request


class StaleError(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "stale"
    default_detail = _("It was changed since you read it. Read it again, and write what you still want to change.")


def etag(row: Any) -> str | None:
    """The entity tag of a row that has a version; None for others."""
    version = getattr(row, "version", None)
    return None if version is None else f'"{row._meta.model_name}-{row.pk}-{version}"'


def check_if_match(request: Request, row: Any) -> None:
    """Raises StaleError unless `If-Match`, when given, names the row's version as it is now.

    A tag that a proxy made weak on its way (`W/`) still names the version.
    """
    header = request.headers.get("If-Match")
    current = etag(row)
    if header is None or current is None or header.strip() == "*":
        return
    if current not in {tag.strip().removeprefix("W/") for tag in header.split(",")}:
        raise StaleError
