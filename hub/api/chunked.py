"""Bodies that come without their length (`Transfer-Encoding: chunked`), as many programs send JSON unasked.

Django reads as much as Content-Length announces, which is nothing. So such a body is kept aside, no more of it than is
allowed, and then has a length. The web server does not tell one that broke off from a whole one: JSON cut short cannot
be parsed, and what came empty and a form without its last line are refused here: a sender that hangs up before its
first byte has not said that an appeal went out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.conf import settings
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

_PIECE = 1 << 16


@contextmanager
def measured(request: Request) -> Iterator[None]:
    """Within it the body can be read as any other. ParseError for one that is empty, and for a form that broke off."""
    meta: dict[str, Any] = request.META
    if "HTTP_TRANSFER_ENCODING" not in meta or meta.get("CONTENT_LENGTH") or not meta.get("wsgi.input_terminated"):
        yield
        return
    kind, parameters = parse_header_parameters(request.content_type or "")
    form = kind.startswith("multipart/")
    limit = settings.API_MAX_UPLOAD_BYTES if form else settings.API_MAX_BODY_BYTES
    with SpooledTemporaryFile(max_size=settings.API_MAX_BODY_BYTES) as body:
        size = _copy(meta["wsgi.input"], body, limit)
        if not size:
            raise ParseError(_("The body broke off, or is empty: then it needs no Transfer-Encoding."))
        if form and size <= limit and not _ends(body, size, parameters.get("boundary", "")):
            raise ParseError(_("The upload broke off before its end."))
        body.seek(0)
        meta["CONTENT_LENGTH"] = str(size)
        request._request._stream = body  # type: ignore[assignment]  # a file as good as any
        yield


def _copy(source: IO[bytes], body: IO[bytes], limit: int) -> int:
    """How much there was: up to one piece more than the limit, for the parser to refuse."""
    size = 0
    while size <= limit and (piece := source.read(_PIECE)):
        size += body.write(piece)
    return size


def _ends(body: IO[bytes], size: int, boundary: str) -> bool:
    last = f"--{boundary}--".encode()
    body.seek(max(0, size - len(last) - 1024))
    return last in body.read()
