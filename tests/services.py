"""What some tests need from the machine: PostgreSQL, Redis, a browser. Found, or missed out loud."""

import os
import shutil
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import psycopg
import redis

POSTGRES_URL = os.environ.get("HUB_TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("HUB_TEST_REDIS_URL") or "redis://127.0.0.1:6379/15"


class Service(NamedTuple):
    name: str
    missing: Callable[[], str]
    """Why the service cannot be used, or nothing."""


@cache
def missing_postgres() -> str:
    try:
        psycopg.connect(POSTGRES_URL, connect_timeout=3).close()
    except psycopg.Error:
        return "no answer at HUB_TEST_DATABASE_URL or 127.0.0.1:5432"
    return ""


@cache
def missing_redis() -> str:
    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=3) as client:
            client.ping()
    except redis.RedisError:
        return "no answer at HUB_TEST_REDIS_URL or 127.0.0.1:6379"
    return ""


@cache
def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def missing_chromium() -> str:
    return "" if chromium() else "no chromium on the PATH"


SERVICES = {
    "postgres": Service("PostgreSQL", missing_postgres),
    "redis": Service("Redis", missing_redis),
    "browser": Service("Chromium", missing_chromium),
}
