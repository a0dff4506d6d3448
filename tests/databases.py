"""The database of a test: SQLite, or PostgreSQL for tests that are marked so, under the same alias."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import environ
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.db.utils import ConnectionHandler

from hub.environment import POSTGRESQL
from tests import services

Settings = dict[str, Any]
# What the migrations wrote, for tests with `serialized_rollback`: it belongs to a connection, which `use` replaces
SERIALIZED: dict[str, str] = {}
SQLITE: Settings = connections.settings["default"]


@cache
def postgres() -> Settings:
    config = environ.Env.db_url_config(services.POSTGRES_URL) | {"TEST": {"NAME": f"test_hub_{os.getpid()}"}}
    config["OPTIONS"] = dict(POSTGRESQL)
    settings: Settings = ConnectionHandler({"default": dict(config)}).settings["default"]
    return settings


def use(settings: Settings) -> None:
    """From now on the alias "default" is this database, in this thread and in those started later."""
    connections["default"].close()
    del connections["default"]
    connections.settings["default"] = settings
    if (contents := SERIALIZED.get(str(settings["NAME"]))) is not None:
        connections["default"]._test_serialized_contents = contents  # type: ignore[attr-defined]
    ContentType.objects.clear_cache()


@contextmanager
def created(settings: Settings) -> Iterator[None]:
    """The test database of these settings, migrated; removed at the end."""
    name = settings["NAME"]
    with using(settings):
        connection = connections["default"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=True)
        SERIALIZED[str(settings["NAME"])] = connection._test_serialized_contents  # type: ignore[attr-defined]
    yield
    with using(settings):
        connections["default"].creation.destroy_test_db(name, verbosity=0)


@contextmanager
def using(settings: Settings) -> Iterator[None]:
    before = connections.settings["default"]
    use(settings)
    yield
    use(before)
