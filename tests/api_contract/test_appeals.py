"""The life of an appeal over the wire."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from appeals.models import Appeal, Event, Shop
from hub.models import User
from marketplaces.models import Channel, EscalationStep
from tests.api_contract.conftest import call_as, make_appeal, submitted

APPEALS = "/api/v1/appeals/"


def moment(ago: timedelta = timedelta(0)) -> str:
    return (datetime.now(UTC) - ago).isoformat()


def test_a_draft_is_made_with_a_shop_and_a_subject(api: APIClient, shop: Shop, agent: User) -> None:
    answer = api.post(APPEALS, {"shop": shop.pk, "subject": "Where is the money?"})

    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert body["status"] == "draft"
    assert body["turn"] == "nobody"
    assert body["marketplace"] == "bazaar"
    assert body["created_by"] == agent.email
    assert body["outcome"] is None
    assert body["deadlines"] == []
    assert body["is_overdue"] is False
    assert body["overdue_seconds"] == 0
    assert body["created_at"].endswith("Z")
    assert api.get(f"{APPEALS}{body['id']}/").json() == body


def test_all_that_clients_write_is_kept(api: APIClient, shop: Shop, desk: Channel, draft: Appeal, agent: User) -> None:
    written = {
        "shop": shop.pk,
        "topic": "money",
        "channel": desk.pk,
        "priority": "urgent",
        "subject": "Выплата",
        "body": "Не пришла выплата",
        "desired_outcome": "Выплатить",
        "order_numbers": ["123-456", "Ж-7"],
        "product_codes": ["SKU 1"],
        "amount_at_stake": "12500.50",
        "external_number": "T-1",
        "previous": draft.pk,
        "assignee": "Agent@Example.com",
        "is_complex": True,
        "client_reference": "erp:77",
    }
    answer = api.post(APPEALS, written)

    assert answer.status_code == 201, answer.json()
    assert {name: answer.json()[name] for name in written} == {**written, "assignee": agent.email}


def test_the_whole_life(api: APIClient, draft: Appeal, steps: list[EscalationStep]) -> None:
    at = f"{APPEALS}{draft.pk}/"

    def do(move: str, **arguments: Any) -> dict[str, Any]:
        answer = api.post(f"{at}{move}/", arguments)
        assert answer.status_code == 200, answer.json()
        return dict(answer.json())

    body = do("submit", at=moment(timedelta(hours=3)), external_number="T-9")
    assert (body["status"], body["turn"], body["external_number"]) == ("waiting", "marketplace", "T-9")
    assert body["is_overdue"] is True
    assert 3590 < body["overdue_seconds"] < 3700
    assert {one["kind"]: one["target"] for one in body["deadlines"]} == {
        "first_reply": {"amount": 2, "unit": "hours"},
        "answer": {"amount": 3, "unit": "working_days"},
    }
    assert body["escalation"]["next"]["id"] == steps[1].pk

    body = do("replies", kind="question", text="Which order?")
    assert (body["status"], body["turn"]) == ("our_turn", "us")
    assert {one["kind"]: one["state"] for one in body["deadlines"]} == {"first_reply": "missed", "answer": "paused"}
    assert body["deadlines"][0]["met_at"] is not None

    assert do("messages", text="Order 5")["status"] == "waiting"
    body = do("escalate", step=steps[2].pk, external_number="C-1", note="no answer")
    assert [(one["id"], one["external_number"]) for one in body["escalation"]["taken"]] == [(steps[2].pk, "C-1")]
    assert body["escalation"]["next"] is None

    body = do("snooze", until=moment(timedelta(hours=-5)))
    assert body["snoozed_until"].endswith("Z")
    body = do("resolve", outcome="partly_granted", amount_recovered="100.00")
    assert (body["status"], body["outcome"], body["amount_recovered"]) == ("resolved", "partly_granted", "100.00")
    assert body["next_due_at"] is None
    assert do("reopen", note="they paid too little")["status"] == "waiting"

    events = api.get(f"{at}events/").json()["results"]
    kinds = [one["kind"] for one in sorted(events, key=lambda one: one["id"])]
    assert kinds == ["created", "submitted", "reply", "message", "escalated", "snoozed", "resolved", "reopened"]
    assert sorted(events, key=lambda one: (one["at"], one["id"])) == events


@pytest.mark.parametrize(
    ("move", "arguments", "allowed"),
    [
        ("replies", {"kind": "answer", "text": "x"}, ["waiting", "our_turn"]),
        ("messages", {"text": "x"}, ["waiting", "our_turn"]),
        ("resolve", {"outcome": "granted"}, ["waiting", "our_turn"]),
        ("reopen", {"note": "x"}, ["resolved"]),
        ("snooze", {"until": None}, ["waiting", "our_turn"]),
    ],
)
def test_a_move_that_does_not_fit_the_state_is_a_conflict_and_changes_nothing(
    api: APIClient, draft: Appeal, move: str, arguments: dict[str, Any], allowed: list[str]
) -> None:
    events = Event.objects.count()
    answer = api.post(f"{APPEALS}{draft.pk}/{move}/", arguments)

    assert answer.status_code == 409
    body = answer.json()
    assert body["type"] == "client_error"
    assert body["errors"][0]["code"] == "state"
    assert (body["status"], body["allowed"]) == ("draft", allowed)
    draft.refresh_from_db()
    assert (draft.status, Event.objects.count()) == ("draft", events)


def test_a_draft_can_be_deleted_and_nothing_else(api: APIClient, sent: Appeal, shop: Shop, agent: User) -> None:
    draft = make_appeal(shop, agent)

    assert api.delete(f"{APPEALS}{sent.pk}/").status_code == 409
    assert api.delete(f"{APPEALS}{draft.pk}/").status_code == 204
    assert list(Appeal.objects.all()) == [sent]


def test_an_appeal_is_edited_and_stays_with_its_shop(api: APIClient, draft: Appeal, shop: Shop) -> None:
    at = f"{APPEALS}{draft.pk}/"
    assert api.patch(at, {"subject": "Новая тема", "shop": shop.pk}).json()["subject"] == "Новая тема"

    other = Shop.objects.create(name="Other", marketplace=shop.marketplace)
    other.members.add(shop.members.get())
    answer = api.patch(at, {"shop": other.pk})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "shop"


def test_only_a_member_can_be_assigned_and_the_refusal_does_not_tell_who_has_an_account(
    api: APIClient, draft: Appeal, outsider: User
) -> None:
    at = f"{APPEALS}{draft.pk}/"
    for email in (outsider.email, "nobody@example.com"):
        answer = api.patch(at, {"assignee": email})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["attr"] == "assignee"
    details = [api.patch(at, {"assignee": email}).json() for email in (outsider.email, "nobody@example.com")]
    assert details[0]["errors"][0]["detail"] == details[1]["errors"][0]["detail"]


def test_a_time_in_the_future_is_refused(api: APIClient, draft: Appeal) -> None:
    answer = api.post(f"{APPEALS}{draft.pk}/submit/", {"at": moment(timedelta(hours=-1))})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "at"


def test_the_list_shows_only_the_callers_appeals(api: APIClient, sent: Appeal, foreign: Appeal) -> None:
    assert [one["id"] for one in api.get(APPEALS).json()["results"]] == [sent.pk]


def test_every_filter_finds_its_own_and_no_other(
    api: APIClient, sent: Appeal, agent: User, desk: Channel, foreign: Appeal
) -> None:
    shop = sent.shop
    late = submitted(
        make_appeal(
            shop,
            agent,
            subject="ПОТЕРЯН товар",
            channel=desk,
            priority="urgent",
            assignee=agent,
            external_number="T-1",
            order_numbers=["10", "Ж-7"],
            product_codes=["SKU-5"],
        ),
        agent,
        ago=timedelta(hours=5),
    )
    draft = make_appeal(shop, agent, order_numbers=["100"])
    third = moment(timedelta(hours=3))

    def found(**query: Any) -> set[int]:
        answer = api.get(APPEALS, {name: str(value) for name, value in query.items()})
        assert answer.status_code == 200, answer.json()
        return {one["id"] for one in answer.json()["results"]}

    everything = {sent.pk, late.pk, draft.pk}
    assert found(marketplace="bazaar") == found(shop=shop.pk) == everything
    assert found(status="draft") == found(turn="nobody") == {draft.pk}
    assert found(turn="marketplace") == {sent.pk, late.pk}
    assert found(turn="us") == set()
    assert found(topic="money") == {sent.pk}
    assert found(channel=desk.pk) == {sent.pk, late.pk}
    assert found(priority="urgent") == found(assignee="AGENT@example.com") == {late.pk}
    assert found(assignee="nobody@example.com") == set()
    assert found(overdue="true") == {late.pk}
    assert found(overdue="false") == {sent.pk, draft.pk}
    assert found(due_before=moment()) == {late.pk}
    assert found(submitted_after=third) == {sent.pk}
    assert found(submitted_before=third) == {late.pk}
    assert found(external_number="T-1") == {late.pk}
    assert found(order_number="10") == found(order_number="Ж-7") == {late.pk}
    assert found(order_number="1") == set()
    assert found(search="потерян") == found(search="ТОВАР sku-5") == found(search="ж-7") == {late.pk}
    assert found(search="потерян money") == set()


@pytest.mark.parametrize("field", ["next_due_at", "submitted_at", "created_at", "amount_at_stake"])
def test_the_list_is_sorted_both_ways_with_empty_values_last(
    api: APIClient, shop: Shop, agent: User, desk: Channel, field: str
) -> None:
    for hours, stake in ((1, "5"), (2, "50"), (3, None)):
        submitted(make_appeal(shop, agent, channel=desk, amount_at_stake=stake), agent, ago=timedelta(hours=hours))
    make_appeal(shop, agent)

    def column(ordering: str) -> list[Any]:
        rows = []
        answer = api.get(APPEALS, {"ordering": ordering, "page_size": "2"}).json()
        rows += answer["results"]
        while answer["next"]:
            answer = api.get(answer["next"]).json()
            rows += answer["results"]
        assert len({row["id"] for row in rows}) == len(rows) == 4
        return [row[field] for row in rows]

    def key(value: Any) -> Any:
        return float(value) if field == "amount_at_stake" else value

    up, down = column(field), column(f"-{field}")
    values = sorted((value for value in up if value is not None), key=key)
    missing = [None] * (4 - len(values))
    assert up == values + missing
    assert down == values[::-1] + missing


def test_a_person_who_leaves_the_shop_sees_its_appeals_no_more(sent: Appeal, shop: Shop, colleague: User) -> None:
    shop.members.add(colleague)
    client = call_as(colleague)
    assert client.get(f"{APPEALS}{sent.pk}/").status_code == 200
    shop.members.remove(colleague)
    assert client.get(f"{APPEALS}{sent.pk}/").status_code == 404
