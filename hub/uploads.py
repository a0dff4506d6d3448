"""Tables that were looked at wait in the file storage for their confirmation: not for ever."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.core.files.storage import default_storage

FOLDERS: Final = ("tables", "django-import-export")
KEPT: Final = timedelta(days=1)
logger = logging.getLogger(__name__)


def forget(now: datetime) -> None:
    """A file that the storage does not let go of is told in the log, and holds up no other."""
    for folder in FOLDERS:
        for name in _names(folder):
            try:
                if default_storage.get_modified_time(name) < now - KEPT:
                    default_storage.delete(name)
            except Exception:  # each storage has its own errors
                logger.exception("An upload could not be deleted: %s", name)


def _names(folder: str) -> list[str]:
    try:
        _folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    return [f"{folder}/{name}" for name in files if name]
