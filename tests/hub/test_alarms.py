"""The rules for Prometheus speak of figures that there are, and the handbook says what to do about each."""

import re
from typing import Any

import pytest
import yaml
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from appeals import reminders
from hub import metrics
from hub.settings import BASE_DIR
from marketplaces.models import Marketplace

RULES: list[dict[str, Any]] = yaml.safe_load((BASE_DIR / "docs" / "alerts.yaml").read_text())["groups"][0]["rules"]
HANDBOOK = (BASE_DIR / "docs" / "operations.md").read_text()


@pytest.mark.django_db
def test_every_rule_is_about_a_figure_that_is_told(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a-key-of-sixteen-characters"
    reminders.record_sweep(timezone.now())
    Marketplace.objects.create(slug="bazaar", name="Bazaar")
    metrics.begin()
    metrics.observe("GET", "", 200, 0.1)
    metrics.database_failed(OSError())
    text = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).content.decode()
    told = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    spoken_of = {name for rule in RULES for name in re.findall(r"\bhub_\w+", rule["expr"])}
    assert spoken_of <= told
    described = set(re.findall(r"`(hub_\w+)`", HANDBOOK))
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in told} == described


def test_the_handbook_says_what_to_do_about_every_alarm() -> None:
    assert re.findall(r"^\* \*\*(Hub\w+)\*\*", HANDBOOK, re.MULTILINE) == [rule["alert"] for rule in RULES]
