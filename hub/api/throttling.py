"""How much one program may ask for in a minute of the clock, of all web processes together.

With Redis the calls are counted there; without it in a file for each caller in the data folder, which the web
processes of one machine share. Where nothing can be counted, because Redis is away or the disk is full, nobody is
refused.
"""

import fcntl
import hashlib
import logging
import os
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

logger = logging.getLogger(__name__)
MINUTE = 60
_LENGTH = 32  # bytes of the file of a caller


class TokenThrottle(BaseThrottle):
    """Counts by token; a person in the browser by account."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return True
        caller = str(getattr(request.auth, "digest", None) or f"user-{request.user.pk}")
        minute, self.gone = divmod(time.time(), MINUTE)
        try:
            return count(caller, int(minute)) <= int(settings.API_REQUESTS_PER_MINUTE)
        except (RedisError, OSError, ValueError) as error:
            logger.warning("Calls of the API cannot be counted: %s", error)
            return True

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return MINUTE - self.gone


def count(caller: str, minute: int) -> int:
    """Counts one more call in this minute; how many there are now."""
    name = hashlib.sha256(caller.encode()).hexdigest()
    if settings.CELERY_BROKER_URL.startswith("redis"):
        return _count_in_cache(f"api-calls-{name}-{minute}")
    return _count_in_file(name, minute)


def _count_in_cache(key: str) -> int:
    cache.add(key, 0, 2 * MINUTE)
    return cache.incr(key)


def _count_in_file(name: str, minute: int) -> int:
    """The file holds the minute and the count, always as long; whoever has it locked writes over them."""
    path = settings.DATA_DIR / "api-calls" / name
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(exist_ok=True)
        return _count_in_file(name, minute)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        then, _space, counted = os.pread(file, _LENGTH, 0).partition(b" ")
        calls = int(counted) + 1 if then == b"%d" % minute else 1
        os.pwrite(file, (b"%d %d" % (minute, calls)).ljust(_LENGTH), 0)
        return calls
    finally:
        os.close(file)
