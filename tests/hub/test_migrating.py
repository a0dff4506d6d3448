"""Migrations beside a hub that is at work: they give way, do not meet each other, and index without locking."""

import threading
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader

from hub import migrating

AddIndexConcurrently = import_module("appeals.migrations._concurrently").AddIndexConcurrently
LARGE = {"appeal", "deadline", "event", "reminder"}
# Made when these tables were small everywhere
EARLIER = {f"{number:04}" for number in range(1, 20)}


def locking(migration: Migration) -> Iterator[str]:
    """The operations that would keep writers of a large table waiting while an index is made."""
    for operation in migration.operations:
        name = getattr(operation, "model_name", "").lower()
        if name not in LARGE:
            continue
        indexed = getattr(getattr(operation, "field", None), "db_index", False)
        plain = isinstance(operation, operations.AddIndex) and not isinstance(operation, AddIndexConcurrently)
        if plain or (isinstance(operation, operations.AlterField) and indexed):
            yield f"{migration}: {operation.describe()}"


def test_new_indexes_on_large_tables_are_made_while_others_write() -> None:
    loader = MigrationLoader(None)
    newer = [
        one for (app, name), one in loader.disk_migrations.items() if app == "appeals" and name[:4] not in EARLIER
    ]
    found = [line for migration in newer for line in locking(migration)]
    assert found == [], "use appeals.migrations._concurrently.AddIndexConcurrently, in a migration with atomic = False"


def test_that_rule_would_find_one() -> None:
    index = models.Index(fields=["amount"], name="found")
    migration = Migration("0099_example", "appeals")
    operations_ = [operations.AddIndex("Deadline", index), AddIndexConcurrently("Deadline", index)]
    migration.operations = operations_  # type: ignore[misc]  # so says its stub
    assert len(list(locking(migration))) == 1


class Other:
    """Somebody else's connection to the same database."""

    def __init__(self) -> None:
        values = connection.get_connection_params()
        kept = {name: values[name] for name in ("dbname", "user", "password", "host", "port") if name in values}
        self.connection = psycopg.connect(**kept, autocommit=False)

    def __enter__(self) -> "psycopg.Connection[Any]":
        return self.connection

    def __exit__(self, *error: object) -> None:
        self.connection.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(migrating, "PAUSE_SECONDS", 0.1)


def change() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE appeals_savedview ADD COLUMN IF NOT EXISTS spare integer")
        cursor.execute("ALTER TABLE appeals_savedview DROP COLUMN spare")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_it_gives_way_to_those_at_work_and_tries_again(quick: None) -> None:
    attempts: list[float] = []

    def work() -> None:
        attempts.append(time.monotonic())
        if len(attempts) == 3:
            other.rollback()  # the long transaction ends
        change()

    with Other() as other:
        other.execute("SELECT count(*) FROM appeals_savedview")  # reads, in a transaction that stays open
        migrating.migrate(connection, work)
    assert len(attempts) == 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_never_free_is_told_and_nothing_stays_set(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "TRIES", 2)
    with Other() as other:
        other.execute("SELECT count(*) FROM appeals_savedview")
        with pytest.raises(CommandError, match="in use in each of 2 attempts"):
            migrating.migrate(connection, change)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database here ON here.oid = database"
            " WHERE locktype = 'advisory' AND datname = current_database()"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_processes_migrate_one_after_the_other() -> None:
    told: list[str] = []
    with Other() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [migrating._OURS])
        other.commit()

        def first() -> None:
            time.sleep(1)
            told.append("first")
            other.execute("SELECT pg_advisory_unlock(%s)", [migrating._OURS])
            other.commit()

        thread = threading.Thread(target=first)
        thread.start()
        migrating.migrate(connection, lambda: told.append("second"))
        thread.join()
    assert told == ["first", "second"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_an_index_is_made_concurrently_even_after_an_attempt_that_failed(database: str) -> None:
    state = MigrationLoader(connection).project_state()
    operation = AddIndexConcurrently("Deadline", models.Index(fields=["amount"], name="deadline_spare"))
    after = state.clone()
    operation.state_forwards("appeals", after)
    for _attempt in range(2 if database == "postgresql" else 1):
        with connection.schema_editor(atomic=False) as editor:
            operation.database_forwards("appeals", editor, state, after)
    assert "deadline_spare" in indexes()
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("appeals", editor, after, state)
    assert "deadline_spare" not in indexes()


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, "appeals_deadline"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_the_command_is_ours(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(migrating, "migrate", lambda connection, work: seen.append(connection.vendor))
    call_command("migrate", verbosity=0)
    assert seen == [database]
