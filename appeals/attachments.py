"""What may be attached to an appeal, and how it is kept."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

import puremagic
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.translation import gettext as _

from appeals.models import Appeal, Attachment

if TYPE_CHECKING:
    from hub.models import User

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_FILES: Final = 50
_HEAD_BYTES: Final = 8192
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")

# What support desks take and people can open; HTML and SVG are not here, because they can carry scripts. Each with the
# endings by which a computer opens it as what it is
_PACKED: Final = ("zip", "docx", "xlsx", "pptx", "odt", "ods", "odp")
ACCEPTED: Final = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg", "jfif"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "application/pdf": ("pdf",),
    "application/zip": _PACKED,
    "application/msword": ("doc", "xls", "msg"),
    "application/vnd.ms-excel": ("xls", "doc", "msg"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx", *_PACKED),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx", *_PACKED),
    "video/mp4": ("mp4", "m4v", "mov"),
    "video/quicktime": ("mov", "mp4"),
    "text/plain": ("txt", "csv", "tsv", "log", "md", "json", "eml"),
}


def keep(*, appeal: Appeal, actor: User | None, now: datetime, file: File[bytes], name: str) -> Attachment:
    """Stores `file` under a name of our own. The caller holds the appeal's lock and a transaction.

    ValidationError on `file` when it is empty, larger than MAX_BYTES, of a kind not accepted, or one too many.
    """
    size = file.size or 0
    if size == 0:
        raise ValidationError({"file": _("The file is empty.")})
    if size > MAX_BYTES:
        text = _("The file is larger than %(limit)d MB.") % {"limit": MAX_BYTES // 2**20}
        raise ValidationError({"file": ValidationError(text, code="too_large")})
    if appeal.attachments.count() >= MAX_FILES:
        raise ValidationError({"file": _("An appeal has at most %(limit)d files.") % {"limit": MAX_FILES}})
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    kind = kind_of(file)
    return Attachment.objects.create(
        appeal=appeal,
        file=File(file, name="file"),
        name=named(name, kind),
        content_type=kind,
        size=size,
        sha256=digest.hexdigest(),
        uploaded_by=actor,
        created_at=now,
    )


def named(name: str, kind: str) -> str:
    """The last part of `name`. One that would be opened as something else than it is gets the ending of its kind.

    A picture may be a page at the same time, and a text a script: whoever saved it would run it by a click.
    """
    own = PurePath(name.replace("\\", "/")).name.rstrip(". ") or "file"
    ending = PurePath(own).suffix.lower().lstrip(".")
    if not ending or ending in ACCEPTED[kind]:
        return own[:255]
    return f"{own[:245]}.{ACCEPTED[kind][0]}"


def kind_of(file: File[bytes]) -> str:
    """The MIME type of what the bytes are, whatever the file is called; ValidationError when it is not accepted."""
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    try:
        kind = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        kind = ""
    if not kind and _is_text(head):  # it takes two digits at the start of a note for a format without a name
        kind = "text/plain"
    if kind not in ACCEPTED:
        raise ValidationError(
            {"file": _("This kind of file is not accepted. Send a picture, PDF, office document, video, ZIP or text.")}
        )
    return kind


def _is_text(head: bytes) -> bool:
    """Plain text in UTF-8, cut anywhere, that no browser would take for a page."""
    try:
        text = head.decode("utf-8", errors="ignore" if len(head) == _HEAD_BYTES else "strict")
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(text) and "<" not in text.lstrip()[:1]
