"""`Idempotency-Key`: a request that is sent again, because its answer was lost, is done once.

The key is written in the transaction that does the work. So a crash leaves neither, and of two requests at once the
second waits for the first at the unique constraint and then finds its answer. A request that was refused has done
nothing and leaves no key: it may be mended and sent again.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from appeals.api.people import caller
from hub.api.etags import etag
from hub.api.rendering import JSONRenderer
from hub.models import IdempotencyKey

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT = timedelta(hours=48)


class KeyReusedError(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = _("This Idempotency-Key was used for another request. Take a new key for a new request.")


def once(request: Request, do: Callable[[], Response]) -> Response:
    """What `do` answers, or what it answered the first time that this user sent this key."""
    key = request.headers.get(HEADER)
    if key is None:
        return do()
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        text = str(_("One key is needed, of 1 to 255 printable ASCII characters without spaces."))
        raise ValidationError({HEADER: [ErrorDetail(text, code="invalid")]})
    fingerprint = fingerprint_of(request)
    with transaction.atomic():
        row = _claim(request, key, fingerprint)
        if row.fingerprint != fingerprint:
            raise KeyReusedError
        if row.status is not None:
            return _replay(row)
        response = do()
        _keep(row, response)
        return response


def purge(now: datetime) -> int:
    """Deletes the keys that are older than KEPT; how many there were."""
    return IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()[0]


def fingerprint_of(request: Request) -> str:
    """SHA-256 of method, path and body. A form counts by its parts: each sending draws its boundary anew."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    files, body = request.FILES, request.data
    fields = {name: value for name, value in body.items() if name not in files} if isinstance(body, dict) else body
    digest.update(json.dumps(fields, sort_keys=True, default=str).encode())
    for name, file in sorted(files.items()):
        digest.update(f"\n{name} {file.name}\n".encode())
        for chunk in file.chunks():
            digest.update(chunk)
        file.seek(0)
    return digest.hexdigest()


def _claim(request: Request, key: str, fingerprint: str) -> IdempotencyKey:
    """The row of this key: the new one, or the one of the request before. Waits for one that is being written."""
    claim = IdempotencyKey(user=caller(request), key=key, fingerprint=fingerprint, created_at=timezone.now())
    IdempotencyKey.objects.bulk_create([claim], ignore_conflicts=True)
    return IdempotencyKey.objects.get(user=caller(request), key=key)


def _keep(row: IdempotencyKey, response: Response) -> None:
    instance = getattr(getattr(response.data, "serializer", None), "instance", None)
    row.status, row.etag = response.status_code, etag(instance) or ""
    row.answer = JSONRenderer().render(response.data).decode() if response.data is not None else ""
    row.save(update_fields=["status", "answer", "etag"])


def _replay(row: IdempotencyKey) -> Response:
    data: Any = json.loads(row.answer) if row.answer else None
    headers = {REPLAYED: "true"} | ({"ETag": row.etag} if row.etag else {})
    return Response(data, status=row.status, headers=headers)
