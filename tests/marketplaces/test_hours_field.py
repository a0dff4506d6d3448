"""Opening hours explain themselves: what an expression means, and where it cannot be read."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hub.models import User
from marketplaces.admin.hours import PRESETS
from marketplaces.models import Channel, Marketplace
from marketplaces.opening_hours import check_expression
from tests.marketplaces.workplace import change, filled

WEDNESDAY = datetime(2026, 12, 30, 12, tzinfo=UTC)  # before the New Year's holidays


def ask(client: Client, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(reverse("hours-preview"), query).json()
    return answer


@pytest.fixture
def reader(client: Client, editor: User) -> Client:
    with time_machine.travel(WEDNESDAY, tick=False):
        client.force_login(editor)
    return client


def test_an_expression_is_shown_as_words_and_as_the_coming_week(reader: Client, market: Marketplace) -> None:
    with time_machine.travel(WEDNESDAY, tick=False):
        said = ask(reader, expression="Mo-Fr 09:00-18:00; PH off", marketplace=market.pk)
    assert said["text"] == "Mon–Fri 09:00–18:00, except public holidays (Moscow time)"
    assert said["week"][0] == {"day": "Wed, 30 December", "hours": "09:00–18:00"}
    assert [day["hours"] for day in said["week"][1:]] == ["closed"] * 6
    assert "Wed, 30 December" in said["html"]


def test_the_zone_and_an_interval_over_midnight_are_told(reader: Client) -> None:
    with time_machine.travel(WEDNESDAY, tick=False):
        said = ask(reader, expression="22:00-02:00", time_zone="Asia/Vladivostok")
    assert said["zone"] == "Vladivostok time"
    assert said["week"][0]["hours"] == "00:00–02:00, 22:00–24:00"


def test_an_error_names_its_place(reader: Client) -> None:
    said = ask(reader, expression="Mo-Fr 09:00-1800")
    assert said["position"] == 12
    assert "<code>Mo-Fr 09:00-<mark>1800</mark></code>" in said["html"]


@pytest.mark.parametrize(
    "query",
    [
        {"expression": ""},
        {"expression": "24/7", "time_zone": "Mars/Phobos"},
        {"expression": "24/7", "marketplace": "x" * 40},
        {"expression": "<script>", "time_zone": "../etc"},
        {"expression": "x" * 5000},
        {},
    ],
)
def test_whatever_is_typed_is_answered(reader: Client, query: dict[str, str]) -> None:
    said = ask(reader, **query)
    assert said.get("text") or said["error"]
    assert "<script>" not in said["html"]


def test_strangers_are_not_answered(client: Client, db: None) -> None:
    assert client.get(reverse("hours-preview"), {"expression": "24/7"}).status_code == 302


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_can_be_read(preset: str) -> None:
    check_expression(preset)


def test_the_page_explains_what_is_saved_and_what_was_refused_without_a_script(reader: Client, chat: Channel) -> None:
    assert "round the clock" in reader.get(change(chat)).content.decode()
    answer = reader.post(change(chat), filled(reader, chat) | {"opening_hours": "Mo-Fr 09:00-1800"})
    assert "<mark>1800</mark>" in answer.content.decode()
    assert "opening_hours" in answer.context["adminform"].form.errors
