"""Asked to stop, the web server answers what it has begun, and a worker finishes its task."""

import signal
import sqlite3
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.hub.running import Hub, manage, wait_until


@contextmanager
def nobody_else_writes(environment: dict[str, str]) -> Iterator[None]:
    with closing(database(environment)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        yield
        lock.rollback()


def database(environment: dict[str, str]) -> sqlite3.Connection:
    return sqlite3.connect(Path(environment["HUB_DATA_DIR"]) / "hub.sqlite3", isolation_level=None)


def test_a_request_that_has_begun_is_answered(ready: dict[str, str]) -> None:
    """The request waits for a write lock that the test holds; meanwhile the server is asked to stop."""
    token = manage(ready, "issue_token", "admin@example.com").stdout.strip()
    request = urllib.request.Request(f"http://127.0.0.1:{ready['HUB_PORT']}/api/v1/me/")
    request.add_header("Authorization", f"Bearer {token}")
    answers: list[int] = []

    def call() -> None:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            answers.append(answer.status)

    with Hub(ready, [sys.executable, "manage.py", "up", "--only", "web"]) as hub:
        wait_until(lambda: hub.status("/healthz") == 200, "the web answers")
        thread = threading.Thread(target=call)
        with nobody_else_writes(ready):  # the use of a token is noted, so the call has something to write
            thread.start()
            wait_until(hub.is_at_work, "the request has come to the database")
            assert answers == []
            hub.process.send_signal(signal.SIGTERM)
            time.sleep(1)
        thread.join()
        assert answers == [200]
        assert hub.wait_for_exit() == 0


@pytest.mark.parametrize("broker", ["folder", pytest.param("redis", marks=pytest.mark.redis)])
def test_a_worker_finishes_the_task_it_is_on(
    ready: dict[str, str], broker: str, request: pytest.FixtureRequest
) -> None:
    """A sweep waits for the write lock, to note that it went through; meanwhile its worker is asked to stop."""
    settings = ready | ({"REDIS_URL": request.getfixturevalue("redis_url")} if broker == "redis" else {})
    rung = manage(settings, "shell", "--command", "from appeals.tasks import sweep; sweep.delay()")
    assert rung.returncode == 0, rung.stderr
    with Hub(settings, [sys.executable, "manage.py", "up", "--only", "worker"]) as hub:
        with nobody_else_writes(settings):
            wait_until(lambda: "sweep[" in hub.output and "received" in hub.output, "the worker takes the task")
            wait_until(hub.is_at_work, "the task has come to the database")
            hub.process.send_signal(signal.SIGTERM)
            time.sleep(2)
            assert hub.process.poll() is None
            assert noted(settings) == 0
        assert hub.wait_for_exit() == 0
    assert noted(settings) == 1


def noted(environment: dict[str, str]) -> int:
    """Sweeps that went through, of which the last is noted."""
    with closing(database(environment)) as reader:
        [[count]] = reader.execute("SELECT count(*) FROM appeals_heartbeat WHERE name = 'sweep'")
        return int(count)
