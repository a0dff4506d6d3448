"""Reading what was sent: no more of it than allowed, and only what can be stored and sent back."""

import json
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import DataAndFiles
from rest_framework.parsers import JSONParser as PlainJSONParser
from rest_framework.parsers import MultiPartParser as PlainMultiPartParser
from rest_framework.utils.json import strict_constant


class TooLargeError(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = _("This is more than the hub takes in one request.")


class JSONParser(PlainJSONParser):
    """JSON in UTF-8 up to HUB's limit. Refuses half surrogates and NaN, which no database and no answer can hold."""

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        _check_length(parser_context, settings.API_MAX_BODY_BYTES)
        try:
            text = stream.read().decode("utf-8")
            data = json.loads(text, parse_constant=strict_constant)
            if "\\ud" in text.lower():
                json.dumps(data, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise ParseError(
                _("The body is no JSON that can be read: %(reason)s") % {"reason": _reason(error)}
            ) from error
        return data


class MultiPartParser(PlainMultiPartParser):
    """A form with files. One that breaks off before its announced end is refused, not kept in part."""

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> "DataAndFiles[Any, Any]":
        announced = _check_length(parser_context, settings.API_MAX_UPLOAD_BYTES)
        counting = _Counting(stream)
        parsed = super().parse(counting, media_type, parser_context)  # type: ignore[arg-type]
        if counting.read_so_far + len(stream.read()) < announced:
            raise ParseError(_("The upload broke off before its end."))
        return parsed


class _Counting:
    def __init__(self, stream: IO[Any]) -> None:
        self.stream, self.read_so_far = stream, 0

    def read(self, size: int | None = None) -> bytes:
        chunk: bytes = self.stream.read(size) if size is not None else self.stream.read()
        self.read_so_far += len(chunk)
        return chunk


def _check_length(parser_context: Any, limit: int) -> int:
    """The announced length. The server reads no further than this, so that nothing longer can arrive."""
    try:
        length = int(parser_context["request"].META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > limit:
        raise TooLargeError
    return length


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "too deeply nested"
    if isinstance(error, UnicodeError):
        return "not UTF-8, or half a surrogate pair"
    return str(error)
