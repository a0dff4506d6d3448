"""What may be attached to an appeal, and how it is kept."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.translation import gettext as _

from appeals import kinds
from appeals.models import Appeal, Attachment

if TYPE_CHECKING:
    from hub.models import User

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_FILES: Final = 50


def keep(*, appeal: Appeal, actor: User | None, now: datetime, file: File[bytes], name: str) -> Attachment:
    """Stores `file` under a name of our own. The caller holds the appeal's lock and a transaction.

    ValidationError on `file` when it is empty, larger than MAX_BYTES, of a kind not accepted, or one too many: by its
    name, since it may be one of several.
    """
    size = file.size or 0
    if size == 0:
        raise _refused(name, _("The file is empty."))
    if size > MAX_BYTES:
        text = _("The file is larger than %(limit)d MB.") % {"limit": MAX_BYTES // 2**20}
        raise _refused(name, text, code="too_large")
    if appeal.attachments.count() >= MAX_FILES:
        raise ValidationError({"file": _("An appeal has at most %(limit)d files.") % {"limit": MAX_FILES}})
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    kind = kinds.kind_of(file)
    if not kind:
        text = _("This kind of file is not accepted. Send a picture, PDF, office document, video, ZIP or text.")
        raise _refused(name, text)
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
    if not ending or ending in kinds.ACCEPTED[kind]:
        return own[:255]
    return f"{own[:245]}.{kinds.ACCEPTED[kind][0]}"


def _refused(name: str, problem: str, code: str = "invalid") -> ValidationError:
    return ValidationError({"file": ValidationError(f"{name[:100]}: {problem}", code=code)})
