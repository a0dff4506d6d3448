"""Where the files of appeals are kept: a folder, or a bucket of an S3 service."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

_FORM = "s3://key:secret@host/bucket?region=..."


def storage(url: str) -> dict[str, Any]:
    """Django's storage from HUB_MEDIA_URL; empty: a folder. ImproperlyConfigured says what the address lacks."""
    if not url:
        return {"BACKEND": "hub.media.Folder"}
    parts = urlsplit(url)
    bucket, _slash, prefix = parts.path.strip("/").partition("/")
    options = parse_qs(parts.query)
    if not (parts.username and parts.password and parts.hostname and bucket) or set(options) - {"region"}:
        raise ImproperlyConfigured(f"HUB_MEDIA_URL: the address needs the form {_FORM}; write / of a key as %2F.")
    scheme = "http" if parts.scheme == "s3+http" else "https"
    return {
        "BACKEND": "hub.media_bucket.Bucket",
        "OPTIONS": {
            "endpoint_url": f"{scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else ""),
            "access_key": unquote(parts.username),
            "secret_key": unquote(parts.password),
            "bucket_name": bucket,
            "location": prefix,
            "region_name": options.get("region", ["us-east-1"])[0],
        },
    }


class Folder(FileSystemStorage):
    """A folder in which no half of a file stays when the disk is full."""

    def _save(self, name: str, content: File[Any]) -> str:
        try:
            return super()._save(name, content)  # type: ignore[misc,no-any-return]
        except OSError:
            with contextlib.suppress(OSError):
                self.delete(name)
            raise
