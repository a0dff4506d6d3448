"""Figures for Prometheus: of every web process, of the database and the broker, and for the holder of the key only."""

import os
import re
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from appeals import lifecycle, reminders
from appeals.models import Appeal, Deadline, Shop
from hub import metrics
from hub.environment import Environment
from marketplaces.models import Marketplace
from tests.hub.running import Hub, free_port, wait_until

KEY = "a-key-of-sixteen-characters"
Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(text: str) -> Samples:
    return {
        (one.name, tuple(one.labels.values())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def scrape(client: Client) -> Samples:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {KEY}", "host": "10.0.0.7"})
    assert answer.status_code == 200
    return samples(answer.content.decode())


@pytest.fixture
def key(settings: Settings, tmp_path: Path) -> None:
    settings.METRICS_TOKEN = KEY
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(tmp_path)}


@pytest.mark.parametrize("header", [None, "", "Bearer ", "Bearer wrong", f"Token {KEY}", KEY, "Bearer ключ"])
def test_who_has_no_key_gets_nothing(client: Client, settings: Settings, key: None, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert client.get("/metrics", headers=headers).status_code == 401
    settings.METRICS_TOKEN = ""
    refused = client.get("/metrics", headers=headers)
    assert (refused.status_code, refused.content) == (404, b"")


def test_a_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_METRICS_TOKEN", "short")
    with pytest.raises(ImproperlyConfigured, match=r"^HUB_METRICS_TOKEN: at least 16"):
        Environment(tmp_path)("HUB_METRICS_TOKEN")


@pytest.mark.parametrize("foreign", ["link", "folder"])
def test_nothing_is_counted_in_a_folder_that_somebody_else_put_there(
    foreign: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "figures"
    monkeypatch.setattr(metrics, "FOLDER", folder)
    if foreign == "link":
        folder.symlink_to(tmp_path)
    else:
        monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(ImproperlyConfigured, match="belongs to somebody else"):
        metrics.begin()


def late_appeal() -> Appeal:
    now = timezone.now()
    shop = Shop.objects.create(name="Tea", marketplace=Marketplace.objects.create(slug="bazaar", name="Bazaar"))
    Marketplace.objects.create(slug="fair", name="Fair")
    appeal = lifecycle.create(actor=None, now=now, shop=shop, subject="Money")
    Appeal.objects.filter(pk=appeal.pk).update(
        status="waiting", submitted_at=now - timedelta(days=5), next_due_at=now - timedelta(days=1)
    )
    Deadline.objects.create(
        appeal=appeal,
        kind="answer",
        started_at=now - timedelta(days=5),
        due_at=now - timedelta(days=1),
        remind_at=now - timedelta(days=1),
        amount=3,
        unit="calendar_days",
        opening_hours="24/7",
        time_zone="UTC",
        country="RU",
    )
    return appeal


@pytest.mark.django_db
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_it_tells_what_is_late_what_waits_and_when_the_last_sweep_ran(
    database: str, client: Client, key: None, tmp_path: Path
) -> None:
    late_appeal()
    now = timezone.now()
    reminders.sweep(now)
    reminders.record_sweep(now - timedelta(seconds=90), now - timedelta(seconds=88))
    (tmp_path / "1.celery.msg").touch()
    with CaptureQueriesContext(connection) as queries:
        found = scrape(client)
    assert len(queries) <= 8
    assert found["hub_late_deadlines", ("bazaar",)] == 1
    assert found["hub_late_deadlines", ("fair",)] == 0
    assert found["hub_reminders_of_a_day", ("failed",)] == 1  # there is nobody to tell
    assert found["hub_reminders_due", ()] == 0
    assert 90 <= found["hub_sweep_age_seconds", ()] < 120
    assert found["hub_sweep_seconds", ()] == pytest.approx(2)
    assert found["hub_queue_length", ()] == 1
    assert (found["hub_up", ("database",)], found["hub_up", ("broker",)]) == (1, 1)


def test_a_part_that_is_away_is_told_and_the_rest_is_there(client: Client, key: None, settings: Settings) -> None:
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    found = scrape(client)  # a test without the fixture `db` has no database
    assert (found["hub_up", ("database",)], found["hub_up", ("broker",)]) == (0, 0)


@pytest.mark.redis
def test_the_queue_of_redis_is_counted(settings: Settings, redis_url: str) -> None:
    settings.CELERY_BROKER_URL = redis_url
    assert metrics.queue_length() == 0


def test_requests_of_all_web_processes_are_counted_together(ready: dict[str, str]) -> None:
    environment = ready | {"HUB_WORKERS": "2", "HUB_METRICS_TOKEN": KEY}

    def told() -> Samples:
        request = urllib.request.Request(f"http://127.0.0.1:{environment['HUB_PORT']}/metrics")
        request.add_header("Authorization", f"Bearer {KEY}")
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return samples(answer.read().decode())

    with Hub(environment, [sys.executable, "manage.py", "up", "--only", "web"]) as hub:
        wait_until(lambda: hub.status("/healthz") == 200, "the web answers")
        wait_until(lambda: len(re.findall("Started worker-", hub.output)) == 2, f"both run\n{hub.output}")
        for _call in range(40):
            assert hub.status("/api/v1/appeals/") == 401
        found = told()
        assert found["hub_requests_total", ("GET", "401")] == 40
        routes = {labels[1] for name, labels in found if name == "hub_request_seconds_count"}
        assert "healthz" not in "".join(routes)  # a probe has no pattern
        assert sum(value for (name, _), value in found.items() if name == "hub_request_seconds_count") >= 40
