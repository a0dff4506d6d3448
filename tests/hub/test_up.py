import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from hub import startup, terminal
from hub.management.commands.up import Command
from hub.settings import BASE_DIR
from tests.hub.running import Hub, free_port, manage, wait_until

COMMANDS = {"web": "granian", "worker": "hub worker", "beat": "hub beat"}


def test_the_first_start_tells_each_stage_and_the_password_of_the_first_administrator(
    prepared: tuple[Path, str],
) -> None:
    stages = re.findall(r"^  (\w[\w ]*?)  ", prepared[1], re.MULTILINE)
    assert stages == ["data folder", "database", "directory", "static files", "administrator", "mail"]
    assert re.search(r"admin@example\.com, password \S{16}\n", prepared[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_opens_tells_the_address_last_and_leaves_no_process_when_asked_to_stop(
    ready: dict[str, str], number: signal.Signals
) -> None:
    with Hub(ready) as hub:
        hub.wait_until_open()
        assert hub.lines[-1].endswith(f"http://127.0.0.1:{hub.port}/admin/")
        assert "password" not in hub.output
        assert hub.status("/healthz") == 200
        assert hub.status("/admin/login/") == 200
        hub.process.send_signal(number)
        assert hub.wait_for_exit() == 0
        assert hub.processes() == []


@pytest.mark.parametrize("part", COMMANDS)
def test_when_one_part_crashes_the_others_end_and_the_part_is_named(ready: dict[str, str], part: str) -> None:
    with Hub(ready) as hub:
        hub.wait_until_open()
        wait_until(lambda: all(hub.processes(text) for text in COMMANDS.values()), "all parts run")
        os.kill(min(hub.processes(COMMANDS[part])), signal.SIGKILL)
        assert hub.wait_for_exit() == 1
        assert f"The {part} process ended by itself (killed by SIGKILL)" in hub.output
        assert hub.processes() == []


def test_when_it_is_killed_no_part_stays_behind(ready: dict[str, str]) -> None:
    with Hub(ready) as hub:
        hub.wait_until_open()
        hub.process.kill()
        wait_until(lambda: not hub.processes(), "every process is gone")


def test_it_stops_with_its_parent_if_told_to(ready: dict[str, str]) -> None:
    up = f"{sys.executable} manage.py up --stop-with-parent"
    with Hub(ready, ["/bin/sh", "-c", f"{up}; exit"]) as hub:
        hub.wait_until_open()
        hub.process.kill()
        wait_until(lambda: not hub.processes(), "every process is gone")


def test_worker_and_beat_search_for_late_deadlines_over_the_folder_broker(ready: dict[str, str]) -> None:
    with Hub(ready | {"HUB_SWEEP_SECONDS": "1"}) as hub:
        hub.wait_until_open()
        wait_until(lambda: hub.status("/readyz") == 200, "a sweep has run")


@pytest.mark.postgres
@pytest.mark.redis
def test_on_postgresql_and_redis_it_sweeps_as_soon_as_it_starts(
    ready: dict[str, str], postgres_url: str, redis_url: str
) -> None:
    services = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url, "HUB_SWEEP_SECONDS": "3600"}
    with Hub(ready | services) as hub:
        hub.wait_until_open()
        wait_until(lambda: hub.status("/readyz") == 200, "a sweep has run")
        hub.process.send_signal(signal.SIGINT)
        assert hub.wait_for_exit() == 0
        assert hub.processes() == []


def test_a_taken_port_is_one_line(environment: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = manage(environment | {"HUB_PORT": str(port)}, "up")
    assert done.returncode == 1
    assert done.stderr == (
        f"Configuration error: HUB_PORT: port {port} of 127.0.0.1 is taken by another program;"
        f" set another one, such as {port + 1}.\n"
    )


def test_a_second_hub_on_the_same_folder_is_refused(ready: dict[str, str]) -> None:
    with Hub(ready) as hub:
        hub.wait_until_open()
        done = manage(ready | {"HUB_PORT": str(free_port())}, "up")
        assert done.returncode == 1
        assert done.stderr.startswith("Configuration error: HUB_DATA_DIR: another hub runs on ")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HUB_DATA_DIR", str(BASE_DIR / "manage.py" / "data"), "is not a folder that the hub can write to"),
        (
            "DATABASE_URL",
            "postgres://nobody:hidden@127.0.0.1:1/none",
            "the database cannot be opened: connect",
        ),
        ("REDIS_URL", "redis://:hidden@127.0.0.1:1/0", "no Redis to use there"),
        ("EMAIL_URL", "smtp://127.0.0.1:hidden", "the address needs the form"),
        ("HUB_HOST", "192.0.2.1", "cannot listen on 192.0.2.1"),
    ],
)
def test_what_cannot_work_is_one_line_that_names_the_variable(
    environment: dict[str, str], name: str, value: str, sentence: str
) -> None:
    local = {"HUB_PORT": str(free_port()), "HUB_BASE_URL": "http://127.0.0.1"}
    done = manage(environment | local | {name: value}, "up")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Configuration error: {name}: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stdout + done.stderr


def test_a_mail_server_that_is_away_is_told_but_stops_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "smtp", "127.0.0.1", free_port()
    assert startup.mail().startswith(f"WARNING: 127.0.0.1:{settings.EMAIL_PORT} (EMAIL_URL) does not answer now")


def test_a_reader_that_has_gone_stops_nothing() -> None:
    with open(os.devnull) as unwritable:  # noqa: PTH123
        Command(stdout=unwritable)._tell("anybody there?")


def test_a_russian_terminal_is_spoken_to_in_russian(ready: dict[str, str]) -> None:
    russian = manage(ready | {"LANG": "ru_RU.UTF-8"}, "up", "--only", "prepare")
    assert russian.returncode == 0
    assert re.findall(r"^  (\w[\w ]*?)  ", russian.stdout, re.MULTILINE)[:2] == ["папка данных", "база данных"]
    assert "уже есть" in russian.stdout
    assert "справочник     без изменений: " in russian.stdout


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "en_GB.UTF-8", "LC_ALL": "ru_RU.UTF-8"}, "ru"),
        ({"LC_ALL": "", "LANG": "ru"}, "ru"),
    ],
)
def test_the_terminal_says_its_language(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert terminal.language() == language
