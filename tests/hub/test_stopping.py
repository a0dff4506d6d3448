"""Asked to stop, the web server answers what it has begun, and a worker finishes its task."""

import signal
import sqlite3
import sys
import threading
import time
import urllib.request
from pathlib import Path

from tests.hub.running import Hub, manage, wait_until


def test_a_request_that_has_begun_is_answered(ready: dict[str, str]) -> None:
    """The request waits for a write lock that the test holds; meanwhile the server is asked to stop."""
    token = manage(ready, "issue_token", "admin@example.com").stdout.strip()
    request = urllib.request.Request(f"http://127.0.0.1:{ready['HUB_PORT']}/api/v1/me/")
    request.add_header("Authorization", f"Bearer {token}")
    answers: list[int] = []

    def call() -> None:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            answers.append(answer.status)

    with Hub(ready, [sys.executable, "manage.py", "up", "--only", "web"]) as hub:
        wait_until(lambda: hub.status("/healthz") == 200, "the web answers")
        lock = sqlite3.connect(Path(ready["HUB_DATA_DIR"]) / "hub.sqlite3", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")  # the use of a token is noted, so the call has something to write
        thread = threading.Thread(target=call)
        thread.start()
        time.sleep(1)
        assert answers == []
        hub.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        lock.rollback()
        lock.close()
        thread.join()
        assert answers == [200]
        assert hub.wait_for_exit() == 0
