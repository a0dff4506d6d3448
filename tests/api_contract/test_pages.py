"""Lists are read page by page, and stay whole while others write."""

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from appeals.models import Appeal, Shop
from hub.models import User
from marketplaces.models import Channel, Marketplace, Topic
from tests.api_contract.conftest import make_appeal, make_shop, submitted

APPEALS = "/api/v1/appeals/"


def walk(api: APIClient, url: str | None, way: str = "next") -> list[list[int]]:
    pages = []
    while url:
        body = api.get(url).json()
        pages.append([row["id"] for row in body["results"]])
        url = body[way]
    return pages


def bulk(shop: Shop, count: int, **fields: Any) -> None:
    now = datetime.now(UTC)
    Appeal.objects.bulk_create(Appeal(shop=shop, subject=f"{one}", created_at=now, **fields) for one in range(count))


@pytest.mark.parametrize("ordering", ["created_at", "-created_at", "amount_at_stake", "-amount_at_stake"])
def test_forwards_and_backwards_give_the_same_rows(api: APIClient, shop: Shop, ordering: str) -> None:
    bulk(shop, 4)
    bulk(shop, 3, amount_at_stake="5")
    bulk(shop, 2, amount_at_stake="7")

    forwards = walk(api, f"{APPEALS}?ordering={ordering}&page_size=2")
    assert sorted(chain(*forwards)) == sorted(Appeal.objects.values_list("pk", flat=True))
    assert [len(page) for page in forwards] == [2, 2, 2, 2, 1]

    url: Any = f"{APPEALS}?ordering={ordering}&page_size=2"
    while (body := api.get(url).json())["next"]:
        url = body["next"]
    assert walk(api, url, "previous") == forwards[::-1]


def test_rows_that_come_while_a_list_is_read_neither_repeat_nor_hide_others(
    api: APIClient, shop: Shop, agent: User
) -> None:
    bulk(shop, 6)
    before = set(Appeal.objects.values_list("pk", flat=True))
    seen: list[int] = []
    url: str | None = f"{APPEALS}?page_size=2"
    while url:
        body = api.get(url).json()
        seen += [row["id"] for row in body["results"]]
        url = body["next"]
        make_appeal(shop, agent)
    assert set(seen) == before
    assert len(seen) == len(before)


def test_the_cursor_survives_the_row_that_it_was_made_from(api: APIClient, shop: Shop) -> None:
    bulk(shop, 5)
    body = api.get(f"{APPEALS}?page_size=2").json()
    Appeal.objects.filter(pk__in=[row["id"] for row in body["results"]]).delete()
    assert [*chain(*walk(api, body["next"]))] == list(Appeal.objects.order_by("-pk").values_list("pk", flat=True))


def test_a_link_keeps_the_filters(api: APIClient, shop: Shop, agent: User) -> None:
    bulk(shop, 3)
    submitted(make_appeal(shop, agent), agent)
    drafts = walk(api, f"{APPEALS}?status=draft&page_size=1")
    assert len(drafts) == 3


def test_page_size_is_50_unless_asked_and_200_at_most(api: APIClient, shop: Shop) -> None:
    bulk(shop, 201)
    assert len(api.get(APPEALS).json()["results"]) == 50
    assert len(api.get(f"{APPEALS}?page_size=200").json()["results"]) == 200


def test_the_ends_of_a_list_have_no_link_beyond(api: APIClient, shop: Shop) -> None:
    bulk(shop, 2)
    body = api.get(APPEALS).json()
    assert (body["next"], body["previous"]) == (None, None)
    assert list(body) == ["next", "previous", "results"]


def queries(api: APIClient, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = api.get(url)
    assert answer.status_code == 200, answer.json()
    return len(captured)


def test_a_page_of_appeals_costs_the_same_queries_for_2_rows_and_for_40(
    api: APIClient, agent: User, desk: Channel, finance: Topic, steps: list[Any]
) -> None:
    def add(count: int, offset: int) -> None:
        for one in range(offset, offset + count):
            market = Marketplace.objects.create(slug=f"bazaar-{one}", name=f"B{one}")
            shop = make_shop(market, agent, f"Shop {one}")
            appeal = make_appeal(shop, agent, topic=finance, assignee=agent)
            submitted(appeal, agent, ago=timedelta(hours=3))

    add(2, 0)
    api.get(APPEALS)
    few = queries(api, APPEALS)
    add(38, 2)
    assert len(api.get(APPEALS).json()["results"]) == 40
    assert queries(api, APPEALS) == few
    assert few == 6, "token, shops, appeals, deadlines, steps taken, paths"


def test_steps_are_read_once_until_the_directory_changes(
    api: APIClient, editor: APIClient, sent: Appeal, steps: list[Any]
) -> None:
    def rename(name: str) -> str:
        assert editor.patch(f"/api/v1/escalation-steps/{steps[1].pk}/", {"name": name}).status_code == 200
        return str(api.get(APPEALS).json()["results"][0]["escalation"]["next"]["name"])

    assert rename("Напомнить") == "Напомнить"
    assert queries(api, APPEALS) == queries(api, APPEALS) == 5, "token, shops, appeals, deadlines, steps taken"
    assert rename("Позвонить") == "Позвонить"


@pytest.mark.parametrize(
    "path", ["channels", "topics", "response-targets", "escalation-steps", "marketplaces", "shops", "reminders"]
)
def test_every_list_costs_the_same_queries_however_long(
    api: APIClient, agent: User, steps: list[Any], path: str
) -> None:
    def add(count: int, offset: int) -> None:
        for one in range(offset, offset + count):
            market = Marketplace.objects.create(slug=f"bazaar-{one}", name=f"B{one}")
            make_shop(market, agent, f"Shop {one}")
            topic = Topic.objects.create(slug=f"topic-{one}", marketplace=market, name="T", source="test")
            row = Channel.objects.create(marketplace=market, kind="email", name="Mail", source="test")
            row.topics.add(topic)
            market.response_targets.create(kind="answer", topic=topic, amount=1, unit="hours", source="test")
            market.escalation_steps.create(position=1, name="x", source="test")

    add(1, 0)
    url = f"/api/v1/{path}/?page_size=200"
    api.get(url)
    few = queries(api, url)
    add(20, 1)
    assert queries(api, url) == few


def test_the_timeline_costs_the_same_queries_however_long(api: APIClient, sent: Appeal, agent: User) -> None:
    at = f"{APPEALS}{sent.pk}/"
    api.get(f"{at}events/")
    few = queries(api, f"{at}events/")
    for number in range(10):
        api.post(f"{at}replies/", {"kind": "brush_off", "text": f"{number}"})
    assert len(api.get(f"{at}events/").json()["results"]) == 12
    assert queries(api, f"{at}events/") == few
