"""Mail into files, for a machine without a mail server."""

import uuid
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.utils import timezone


class EmlFileBackend(BaseEmailBackend):
    """One `.eml` file a message in EMAIL_FILE_PATH, which any mail program opens."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            self._write(folder, message.message().as_bytes(linesep="\r\n"))  # type: ignore[call-arg]  # Django's own
        return len(email_messages)

    @staticmethod
    def _write(folder: Path, content: bytes) -> None:
        """The file appears under its name only when it is whole."""
        path = folder / f"{timezone.now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}.eml"
        partial = path.with_suffix(".partial")
        partial.write_bytes(content)
        partial.rename(path)
