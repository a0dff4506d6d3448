from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from appeals import reminders
from appeals.models import Heartbeat
from tests.hub.running import free_port


@pytest.fixture
def swept(db: None, settings: Settings, tmp_path: Path) -> None:
    """A hub in which everything works: a broker's folder, and a sweep a moment ago."""
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(tmp_path)}
    reminders.record_sweep(timezone.now())


def failing(client: Client) -> list[str]:
    answer = client.get("/readyz")
    names: list[str] = answer.json()["failing"]
    assert answer.status_code == (503 if names else 200)
    assert set(answer.json()) == {"status", "failing", "sweep_age_seconds"}
    return names


def test_the_process_lives_whatever_else_is_down(client: Client) -> None:
    answer = client.get("/healthz")  # a test without the fixture `db` has no database
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer["Cache-Control"].startswith("max-age=0")


def test_a_hub_whose_parts_all_work_is_ready(client: Client, swept: None) -> None:
    assert failing(client) == []


def test_without_a_database_it_names_what_needs_it(client: Client) -> None:
    assert {"database", "migrations", "sweep"} <= set(failing(client))
    assert client.get("/readyz").json()["sweep_age_seconds"] is None


def test_a_missing_migration_is_named(client: Client, swept: None) -> None:
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    assert failing(client) == ["migrations"]


@pytest.mark.parametrize("age", [None, timedelta(hours=1)])
def test_a_sweep_that_never_ran_or_ran_long_ago_is_named(client: Client, swept: None, age: timedelta | None) -> None:
    Heartbeat.objects.all().delete()
    if age:
        reminders.record_sweep(timezone.now() - age)
    assert failing(client) == ["sweep"]


@pytest.mark.parametrize(
    ("ago", "told"), [(timedelta(seconds=7), 7), (timedelta(hours=1), 3600), (-timedelta(hours=1), 0)]
)
def test_it_says_how_old_the_last_sweep_is(
    client: Client, swept: None, time_machine: TimeMachineFixture, ago: timedelta, told: int
) -> None:
    time_machine.move_to(datetime(2026, 10, 14, 12, 0, tzinfo=UTC), tick=False)
    reminders.record_sweep(timezone.now() - ago)  # or the clock has been set back
    assert client.get("/readyz").json()["sweep_age_seconds"] == told


def test_before_the_first_sweep_there_is_no_age(client: Client, swept: None) -> None:
    Heartbeat.objects.all().delete()
    assert client.get("/readyz").json()["sweep_age_seconds"] is None


def test_a_broker_folder_that_is_gone_is_named(client: Client, swept: None, settings: Settings) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": "/nowhere/at/all"}
    assert failing(client) == ["broker"]


def test_a_redis_that_does_not_answer_is_named(client: Client, swept: None, settings: Settings) -> None:
    settings.CELERY_BROKER_URL = f"redis://:secret@127.0.0.1:{free_port()}/0"
    assert failing(client) == ["broker"]


@pytest.mark.redis
def test_a_redis_that_answers_is_ready(client: Client, swept: None, settings: Settings, redis_url: str) -> None:
    settings.CELERY_BROKER_URL = redis_url
    assert failing(client) == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_pass_without_a_known_host_or_https(client: Client, swept: None, settings: Settings, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200
    assert client.post(path).status_code == 405
