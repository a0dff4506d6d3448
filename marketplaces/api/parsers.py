"""Reading what was sent: no more of it than allowed, only what can be stored and sent back, and all of that."""

import json
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, UnsupportedMediaType, ValidationError
from rest_framework.parsers import DataAndFiles
from rest_framework.parsers import JSONParser as PlainJSONParser
from rest_framework.parsers import MultiPartParser as PlainMultiPartParser
from rest_framework.settings import api_settings
from rest_framework.utils.json import strict_constant


class TooLargeError(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = _("This is more than the hub takes in one request.")


class JSONParser(PlainJSONParser):
    """JSON in UTF-8 up to HUB's limit. Refuses half surrogates and NaN, which no database and no answer can hold."""

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        _check_headers(parser_context, settings.API_MAX_BODY_BYTES)
        try:
            text = stream.read().decode("utf-8")
            data = json.loads(text, parse_constant=strict_constant, object_pairs_hook=_each_once)
            if "\\ud" in text.lower():
                json.dumps(data, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise ParseError(
                _("The body is no JSON that can be read: %(reason)s") % {"reason": _reason(error)}
            ) from error
        if not isinstance(data, dict):  # the framework's own sentence is half English in Russian
            text = _('The body must be a JSON object: {"field": value, ...}.')
            raise ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [ErrorDetail(str(text), code="invalid")]})
        return data


class MultiPartParser(PlainMultiPartParser):
    """A form with files. One that breaks off before its announced end is refused, not kept in part."""

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> "DataAndFiles[Any, Any]":
        announced = _check_headers(parser_context, settings.API_MAX_UPLOAD_BYTES)
        counting = _Counting(stream)
        parsed = super().parse(counting, media_type, parser_context)  # type: ignore[arg-type]
        if counting.read_so_far + len(stream.read()) < announced:
            raise ParseError(_("The upload broke off before its end."))
        _each_once([(name, part) for one in (parsed.data, parsed.files) for name in one for part in one.getlist(name)])
        return parsed


class _Counting:
    def __init__(self, stream: IO[Any]) -> None:
        self.stream, self.read_so_far = stream, 0

    def read(self, size: int | None = None) -> bytes:
        chunk: bytes = self.stream.read(size) if size is not None else self.stream.read()
        self.read_so_far += len(chunk)
        return chunk


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a name that is there twice, one value would be passed over in silence: ValidationError on it."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        repeated = next(name for name in names if names.count(name) > 1)[:100].encode(errors="replace").decode()
        raise ValidationError({repeated: [ErrorDetail(str(_("This field may be given once only.")), code="repeated")]})
    return found


def _check_headers(parser_context: Any, limit: int) -> int:
    """The announced length. The server reads no further than this, so that nothing longer can arrive.

    Bodies are taken as they are: 415 for one that was packed, by gzip say.
    """
    meta = parser_context["request"].META
    if (encoding := meta.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()) not in ("", "identity"):
        raise UnsupportedMediaType(encoding[:100])
    try:
        length = int(meta.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > limit:
        raise TooLargeError
    return length


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return str(_("too deeply nested"))
    if isinstance(error, UnicodeError):
        return str(_("not UTF-8, or half a surrogate pair"))
    return str(error)
