"""Migrating while the hub is at work: one process at a time, and nobody waits long behind a lock that we wait for.

A statement that changes a table waits for those who use it, and everybody after it waits for that statement. So it
gives up after LOCK_TIMEOUT_SECONDS, lets the queue go on, and tries again.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management import CommandError
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import LockNotAvailable

logger = logging.getLogger(__name__)
LOCK_TIMEOUT_SECONDS = 3
TRIES = 20
PAUSE_SECONDS = 3.0
OTHER_PATIENCE_SECONDS = 3600.0
_OURS = 5_213_907_426_113  # the number of the advisory lock: any, but always the same


def migrate(connection: BaseDatabaseWrapper, work: Callable[[], object]) -> None:
    """Does `work`, again and again if need be: each migration is done whole or not at all."""
    if connection.vendor != "postgresql":
        work()  # SQLite has one writer, and others wait for it as for any other
        return
    with _alone(connection), _impatient(connection):
        for attempt in range(1, TRIES + 1):
            try:
                work()
                return
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise
                logger.warning("A table is in use and cannot be changed now (attempt %d of %d)", attempt, TRIES)
                time.sleep(PAUSE_SECONDS)
    raise CommandError(
        f"A table was in use in each of {TRIES} attempts. What was migrated stays so, nothing is half done."
        " Look for long transactions in pg_stat_activity, or stop the hub, and run it again."
    )


@contextmanager
def _alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Waits for another process that migrates. It asks again and again: a statement that waits would itself be one of
    those for whom an index that is made concurrently waits."""
    give_up = time.monotonic() + OTHER_PATIENCE_SECONDS
    with connection.cursor() as cursor:
        while not _try(cursor):
            if time.monotonic() > give_up:
                raise CommandError("Another process has been migrating this database for an hour.")
            time.sleep(0.5)
        try:
            yield
        finally:
            if connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_OURS])


def _try(cursor: object) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [_OURS])  # type: ignore[attr-defined]
    return bool(cursor.fetchone()[0])  # type: ignore[attr-defined]


@contextmanager
def _impatient(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
        try:
            yield
        finally:
            if connection.is_usable():
                cursor.execute("RESET lock_timeout")
