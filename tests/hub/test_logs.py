"""Each line says to which request and task it belongs; none of them says what letters or searches say."""

import json
import logging
import re
import subprocess
import sys

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from pytest_django.fixtures import Settings

from hub import logs
from hub.celery import app
from hub.settings import BASE_DIR
from tests.hub.running import Hub, wait_until

SAYS = {"web": "Started worker-1", "worker": " ready.", "beat": "beat: Starting"}
OWN = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ("erp-2026.11.22_0001", True),
        ("short", False),
        ("x" * 65, False),
        ("0123456789\r\nSet-Cookie: a=b", False),
        ('"},{"level": "ERROR"', False),
        ("", False),
    ],
)
def test_an_id_comes_from_the_caller_if_it_can_be_one(client: Client, offered: str, kept: bool) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": offered})
    assert answer["X-Request-ID"] == offered if kept else OWN.fullmatch(answer["X-Request-ID"])


def test_a_request_is_one_line_without_what_was_searched(
    client: Client, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "hub.requests"):
        client.get("/api/v1/appeals/?search=secret-words")
    (line,) = [record for record in caplog.records if record.name == "hub.requests"]
    assert re.fullmatch(r"GET /api/v1/appeals/ 401 [\d.]+ ms", line.getMessage())
    assert "secret" not in str(line.__dict__)


def test_an_address_cannot_end_its_line_and_begin_another(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hub.requests"):
        client.get("/nothing%0aERROR%20invented%E2%80%A8too")
    (line,) = [record for record in caplog.records if record.name == "hub.requests"]
    assert len(line.getMessage().splitlines()) == 1


@pytest.mark.parametrize("path", ["/api/v1/appeals/", "/nothing"])
def test_every_line_about_a_refused_request_has_its_id(
    client: Client, db: None, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    context = logs.Context()
    caplog.handler.addFilter(context)
    try:
        with caplog.at_level(logging.INFO):
            client.get(path, headers={"X-Request-ID": "erp-0001"})
    finally:
        caplog.handler.removeFilter(context)
    said = [(record.name, getattr(record, "request_id", "")) for record in caplog.records]
    assert said == [("hub.requests", "erp-0001"), ("django.request", "erp-0001")]


def test_probes_are_not_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hub.requests"):
        client.get("/healthz")
    assert not [record for record in caplog.records if record.name == "hub.requests"]


def test_the_web_server_does_not_log_each_piece_that_a_reader_who_has_gone_did_not_take() -> None:
    loggers = """
import json, logging, pathlib
from granian.log import LogLevels, configure_logging
configure_logging(LogLevels.info, json.loads(pathlib.Path("hub/granian_logging.json").read_text()))
import hub.wsgi
print([logging.getLogger(name).isEnabledFor(logging.INFO) for name in ("_granian.asgi.io", "_granian.serve")])
"""
    said = subprocess.check_output([sys.executable, "-c", loggers], cwd=BASE_DIR, text=True)
    assert said == "[False, True]\n"


def record(**extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "appeals", "levelname": "INFO", "msg": "Срок %s", "args": (7,), **extra})
    logs.Context().filter(made)
    return made


def test_json_is_one_object_a_line_with_ids_and_details(settings: Settings) -> None:
    settings.LOG_FORMAT = "json"
    token = logs.REQUEST_ID.set("request-1")
    try:
        line = logs.formatter().format(record(status=200))
    finally:
        logs.REQUEST_ID.reset(token)
    told = json.loads(line)
    assert "\n" not in line
    assert told.pop("time").startswith("20")
    assert told == {
        "level": "INFO",
        "logger": "appeals",
        "message": "Срок 7",
        "status": 200,
        "request_id": "request-1",
    }


def test_text_is_a_line_for_people() -> None:
    token = logs.TASK_ID.set("task-1")
    try:
        line = logs.formatter().format(record())
    finally:
        logs.TASK_ID.reset(token)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\S+ INFO appeals task_id=task-1 Срок 7", line)


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_row_that_the_database_refuses_is_not_quoted(db: None, settings: Settings, kind: str) -> None:
    settings.LOG_FORMAT = kind
    text = " ".join(["first\nsecret", "letter"])  # in one piece it would stand in the traceback, as source
    with connection.cursor() as cursor, pytest.raises(IntegrityError) as caught:
        cursor.execute("INSERT INTO appeals_savedview (name, query) VALUES ('mine', %s)", [text])
    assert "secret letter" in str(caught.value)
    line = logs.formatter().format(record(exc_info=(caught.type, caught.value, caught.tb)))
    assert "secret letter" not in line
    assert "null value in column" in line


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_task_that_fails_for_a_row_does_not_quote_it(
    db: None, settings: Settings, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    settings.LOG_FORMAT = kind

    letter = " ".join(["it's\na", 'secret "letter"'])  # in one piece it would stand in the traceback, as source

    @app.task(name=f"tests.fail_{kind}")
    def fail() -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO appeals_savedview (name, query) VALUES ('mine', %s)", [letter])

    fail.apply()
    (told,) = [one for one in caplog.records if one.name == "celery.app.trace"]
    assert 'a secret "letter' in told.getMessage()
    line = logs.formatter().format(told)
    assert line.count("null value in column") > 1
    assert "a secret" not in line


@pytest.mark.postgres
@pytest.mark.parametrize("words", ["Not sent: %s", "Not sent: %r"])
def test_a_warning_that_names_an_error_does_not_quote_its_row(db: None, words: str) -> None:
    with connection.cursor() as cursor, pytest.raises(IntegrityError) as caught:
        cursor.execute("INSERT INTO appeals_savedview (name, query) VALUES ('mine', 'secret')")
    line = logs.formatter().format(record(msg=words, args=(caught.value,)))
    assert "null value in column" in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [
        ("/admin/password/MQ/key-1234/", "127.0.0.1", 200),
        ("/admin/password/MQ/key-1234", "127.0.0.1", 302),
        ("/admin/password/MQ/key-1234/", "elsewhere.example.com", 400),
    ],
)
def test_the_key_of_a_link_is_in_no_line_however_it_was_answered(
    db: None, caplog: pytest.LogCaptureFixture, address: str, host: str, status: int
) -> None:
    caplog.set_level(logging.INFO)
    assert Client(headers={"Host": host}).get(address).status_code == status
    lines = [logs.formatter().format(one) for one in caplog.records]
    assert any("/admin/password/<uidb64>/<token>" in line for line in lines)
    assert not [line for line in lines if "key-1234" in line]


def test_a_task_carries_the_id_of_the_request_that_started_it() -> None:
    seen: list[tuple[str, str]] = []

    @app.task(name="tests.note_ids")
    def note_ids() -> None:
        seen.append((logs.REQUEST_ID.get(), logs.TASK_ID.get()))

    headers: dict[str, str] = {}
    token = logs.REQUEST_ID.set("request-1")
    try:
        logs.pass_on(headers=headers)
    finally:
        logs.REQUEST_ID.reset(token)
    note_ids.apply(task_id="task-1", headers=headers)
    note_ids.apply(task_id="task-2")
    assert seen == [("request-1", "task-1"), ("", "task-2")]
    assert (logs.REQUEST_ID.get(), logs.TASK_ID.get()) == ("", "")


@pytest.mark.parametrize("part", ["web", "worker", "beat"])
def test_every_line_of_every_part_is_json_if_asked(ready: dict[str, str], part: str) -> None:
    command = [sys.executable, "manage.py", "up", "--only", part]
    with Hub(ready | {"HUB_LOG_FORMAT": "json", "HUB_SWEEP_SECONDS": "1"}, command) as hub:
        if part == "web":
            wait_until(lambda: hub.status("/api/v1/appeals/") == 401, "the web answers")
        wait_until(lambda: any(line.startswith("{") for line in hub.lines), f"it logs\n{hub.output}")
        wait_until(lambda: SAYS[part] in hub.output, f"it runs\n{hub.output}")
        said = list(hub.lines)
    first = next(number for number, line in enumerate(said) if line.startswith("{"))
    assert part == "worker" or first == 0  # Celery warns of a worker run by root before anything is set up
    assert all({"time", "level", "logger", "message"} <= set(json.loads(line)) for line in said[first:]), said
