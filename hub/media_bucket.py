"""Files in a bucket of an S3 service. It stays private: every file goes through the hub, which asks who reads."""

from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage

_IN_MEMORY_BYTES = 1 << 20
_TIMEOUTS = {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 3}}
# Services other than Amazon's do not know the checksums that its client adds of late
_SUMS = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}


class Bucket(S3Storage):
    def get_default_settings(self) -> dict[str, Any]:
        config = Config(s3={"addressing_style": "path"}, signature_version="s3v4", **_TIMEOUTS, **_SUMS)
        ours = {"file_overwrite": False, "max_memory_size": _IN_MEMORY_BYTES, "client_config": config}
        return {**super().get_default_settings(), **ours}
