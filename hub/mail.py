"""Mail into files, for a machine without a mail server."""

import uuid
from pathlib import Path

from django.core.mail.backends.filebased import EmailBackend
from django.core.mail.message import EmailMessage
from django.utils import timezone


class EmlFileBackend(EmailBackend):
    """One `.eml` file a message in EMAIL_FILE_PATH, which any mail program opens.

    The file appears under its name only when it is whole.
    """

    def write_message(self, message: EmailMessage) -> None:
        path = Path(self._get_filename())
        partial = path.with_suffix(".partial")
        partial.write_bytes(message.message().as_bytes())
        partial.rename(path)

    def _get_filename(self) -> str:
        stamp = timezone.now().strftime("%Y%m%dT%H%M%S")
        return str(Path(self.file_path) / f"{stamp}-{uuid.uuid4().hex[:8]}.eml")

    def open(self) -> bool:
        return False

    def close(self) -> None:
        return None
