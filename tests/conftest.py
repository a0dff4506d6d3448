import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import redis
from pytest_django import DjangoDbBlocker

from tests import databases, services

SERIALIZED = "django_db_serialized_rollback"
MISSING = "missing service: "


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="run every test on PostgreSQL, not only those marked so")


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors: tests that start hubs and browsers wait for these a third of the
    time."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Whoever asks for a service must not get a run without it."""
    asked = {"postgres": config.getoption("postgres") or "HUB_TEST_DATABASE_URL" in os.environ}
    asked["redis"] = "HUB_TEST_REDIS_URL" in os.environ
    for mark, service in services.SERVICES.items():
        if asked.get(mark) and (why := service.missing()):
            raise pytest.UsageError(f"{service.name}: {why}")


def commits(item: pytest.Function) -> bool:
    marker = item.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(item.fixturenames)
    return bool(asked or (marker and marker.kwargs.get("transaction")))


def on_postgres(item: pytest.Item) -> bool:
    return bool(item.config.getoption("postgres")) or item.get_closest_marker("postgres") is not None


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips the tests that need a service that is not here; `pytest_terminal_summary` says so out loud.

    Every test that commits gets the rows of the migrations, and leaves the database empty. A test that left it with
    the rows that Django makes after a flush would stand in the way of the next one's.
    """
    for item in items:
        if isinstance(item, pytest.Function) and commits(item) and SERIALIZED not in item.fixturenames:
            item.fixturenames.append(SERIALIZED)
    for mark, service in services.SERVICES.items():
        needing = [item for item in items if item.get_closest_marker(mark)]
        if needing and (why := service.missing()):
            for item in needing:
                item.add_marker(pytest.mark.skip(reason=f"{MISSING}{service.name} ({why})"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Told from the reports, which come from every process of a run in parallel.

    A test that can do without a part of what it needs names it as its property `MISSING`.
    """
    skipped: dict[str, list[str]] = {}
    for report in terminalreporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if MISSING in reason:
            skipped.setdefault(reason.partition(MISSING)[2], []).append(report.nodeid)
    for report in (one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)):
        for what in (value for name, value in report.user_properties if name == MISSING and report.when == "call"):
            terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
            terminalreporter.line(f"{report.nodeid} went without {what}", red=True)
    for what, tests in skipped.items():
        terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
        terminalreporter.line(f"{len(tests)} tests need {what} and were skipped:", red=True)
        for nodeid in tests:
            terminalreporter.line(f"  {nodeid}")


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """SQLite, and PostgreSQL if a test of this run uses it."""
    wanted = [databases.SQLITE]
    if any(on_postgres(item) for item in request.session.items) and not services.missing_postgres():
        wanted.append(databases.postgres())
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            for settings in wanted:
                stack.enter_context(databases.created(settings))
        yield
        with django_db_blocker.unblock():
            stack.close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if on_postgres(item) and not services.missing_postgres():
        databases.use(databases.postgres())


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    if on_postgres(item) and not services.missing_postgres():
        databases.use(databases.SQLITE)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment for a hub in processes of its own, with a data folder of its own; a test adds what it needs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "DJANGO_", "PYTEST_"))}
    return kept | {"HUB_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The address of an empty PostgreSQL database, for tests that start processes. Mark such a test `postgres`."""
    name = f"hub_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(services.POSTGRES_URL, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield services.POSTGRES_URL.rpartition("/")[0] + f"/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def redis_url(worker_id: str) -> str:
    """The address of an empty Redis database, another one for each process of a run in parallel. Mark the test
    `redis`."""
    server, _, number = services.REDIS_URL.rpartition("/")
    process = 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))
    url = f"{server}/{(int(number) - process) % 16}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url
