"""The web server is killed in the middle of a call that bears a key, and the program sends it again."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from tests.faults.machinery import Part, prepare
from tests.hub.running import forget_figures, free_port, wait_until

HALF_WAY = """
SELECT count(*) FROM pg_stat_activity one JOIN pg_locks ON pg_locks.pid = one.pid
WHERE datname = current_database() AND wait_event_type = 'Lock' AND granted
AND relation = 'hub_idempotencykey'::regclass AND mode = 'RowExclusiveLock'
"""
MADE = "SELECT (SELECT count(*) FROM appeals_appeal), (SELECT count(*) FROM hub_idempotencykey)"


class Answer(NamedTuple):
    status: int
    replayed: str | None
    appeal: int


class Program:
    """Sends the same call under the same key, as often as it is asked to."""

    def __init__(self, port: int, token: str, shop: int) -> None:
        self.port, self._body = port, json.dumps({"shop": shop, "subject": "Once"})
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._headers["Idempotency-Key"] = "order-77"

    def call(self) -> Answer | None:
        """What was answered; None when the connection was refused or cut off."""
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            wire.request("POST", "/api/v1/appeals/", self._body, self._headers)
            answer = wire.getresponse()
            return Answer(answer.status, answer.getheader("Idempotent-Replayed"), json.load(answer).get("id"))
        except (OSError, http.client.HTTPException):
            return None
        finally:
            wire.close()

    def insist(self) -> Answer:
        answers: list[Answer] = []

        def is_answered() -> bool:
            if answer := self.call():
                answers.append(answer)
            return bool(answers)

        wait_until(is_answered, "the hub answers again")
        return answers[0]


@pytest.fixture
def web(environment: dict[str, str], postgres_url: str, tmp_path: Path) -> Iterator[tuple[Part, Program]]:
    port = free_port()
    settings = environment | {"DATABASE_URL": postgres_url, "HUB_PORT": str(port)}
    shop, token = prepare(settings)
    part = Part("web", settings, tmp_path)
    wait_until(lambda: part.has_said("Started worker-1"), "the web server runs")
    yield part, Program(port, token, shop)
    part.end()
    forget_figures(port)


@pytest.mark.postgres
def test_a_call_whose_server_was_killed_half_way_is_done_once(web: tuple[Part, Program], postgres_url: str) -> None:
    part, program = web
    ask = asking(postgres_url)
    cut_off: list[Answer | None] = []
    first = threading.Thread(target=lambda: cut_off.append(program.call()))
    with psycopg.connect(postgres_url) as other:
        other.execute("LOCK TABLE appeals_appeal IN SHARE MODE")
        first.start()
        wait_until(lambda: ask(HALF_WAY) == [(1,)], "the key is written, and the appeal waits for its table")
        part.kill()
        first.join()
    assert cut_off == [None]

    again = program.insist()

    assert (again.status, again.replayed) == (201, None)
    assert program.insist() == Answer(201, "true", again.appeal)
    assert ask(MADE) == [(1, 1)]
    assert part.starts == 2


def asking(url: str) -> Callable[[str], list[tuple[object, ...]]]:
    def ask(query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    return ask
