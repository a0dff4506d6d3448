"""The directory over the wire: read by all, written by editors."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from appeals import lifecycle
from appeals.models import Appeal
from hub.models import User
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Topic
from tests.api_contract.conftest import make_appeal, submitted

V1 = "/api/v1/"
OFFICE_HOURS = "Mo-Fr 09:00-18:00; PH off"
MONDAY_NOON = "2026-10-05T12:00:00+03:00"
SUNDAY_NOON = "2026-10-04T12:00:00+03:00"


@pytest.fixture
def office(market: Marketplace) -> Channel:
    return Channel.objects.create(
        marketplace=market,
        kind="email",
        name="Mail",
        address="help@example.com",
        opening_hours=OFFICE_HOURS,
        needs_login=True,
        first_reply_typical=timedelta(minutes=10),
        source="test",
    )


def test_a_marketplace_is_read_by_its_slug(api: APIClient, market: Marketplace) -> None:
    assert api.get(f"{V1}marketplaces/bazaar/").json() == {
        "slug": "bazaar",
        "name": "Базар",
        "seller_portal": "",
        "time_zone": "Europe/Moscow",
        "legal_entity": "",
        "postal_address": "",
        "ticket_number_pattern": "",
    }
    assert [row["slug"] for row in api.get(f"{V1}marketplaces/").json()["results"]] == ["bazaar"]
    assert api.get(f"{V1}marketplaces/nowhere/").status_code == 404


def test_a_channel_needs_no_more_than_its_kind_name_and_address(editor: APIClient, market: Marketplace) -> None:
    body = {"marketplace": "bazaar", "kind": "email", "name": "Почта", "address": "help@example.com"}
    answer = editor.post(f"{V1}channels/", body)

    assert answer.status_code == 201, answer.json()
    channel = answer.json()
    number = channel.pop("id")
    assert channel == {
        **body,
        "instructions": "",
        "audience": "sellers",
        "opening_hours": "24/7",
        "time_zone": "Europe/Moscow",
        "needs_login": False,
        "works_without_account": False,
        "state": "unconfirmed",
        "first_reply": {"typical": None, "worst": None},
        "topics": [],
        "source": "entered by editor@example.com",
        "source_grade": "C",
        "verified_on": timezone.localdate().isoformat(),
        "is_open": True,
        "opens_at": None,
        "closes_at": None,
        "opening_hours_text": channel["opening_hours_text"],
    }
    assert set(channel["opening_hours_text"]) == {"ru", "en"}
    assert editor.get(f"{V1}channels/{number}/").json() == {"id": number, **channel}


def test_all_of_a_channel_can_be_written(editor: APIClient, market: Marketplace, finance: Topic) -> None:
    body = {
        "marketplace": "bazaar",
        "kind": "phone",
        "name": "Линия",
        "address": "+7 495 000-00-00",
        "instructions": "Звоните",
        "audience": "both",
        "opening_hours": OFFICE_HOURS,
        "time_zone": "Asia/Vladivostok",
        "needs_login": False,
        "works_without_account": True,
        "state": "working",
        "first_reply": {"typical": 600, "worst": 7200},
        "topics": ["money"],
        "source": "S1",
        "source_grade": "A",
        "verified_on": "2026-10-01",
    }
    answer = editor.post(f"{V1}channels/", body)
    assert answer.status_code == 201, answer.json()
    assert {name: answer.json()[name] for name in body} == body

    at = f"{V1}channels/{answer.json()['id']}/"
    changed = editor.patch(at, {"topics": [], "first_reply": {"worst": None}}).json()
    assert changed["topics"] == []
    assert changed["first_reply"] == {"typical": 600, "worst": None}
    assert editor.delete(at).status_code == 204


@pytest.mark.parametrize(
    ("field", "value", "attr"),
    [
        ("opening_hours", "Mo-Fr 25:99", "opening_hours"),
        ("time_zone", "Mars/Base", "time_zone"),
        ("topics", ["nowhere"], "topics"),
        ("topics", ["foreign"], "topics"),
        ("first_reply", {"typical": -1}, "first_reply.typical"),
        ("first_reply", {"typical": 10**12}, "first_reply.typical"),
        ("first_reply", {"usual": 5}, "first_reply.usual"),
        ("first_reply", 5, "first_reply"),
        ("verified_on", "2026-02-30", "verified_on"),
        ("verified_on", "0000-01-01", "verified_on"),
        ("verified_on", "9999-01-01", "verified_on"),
        ("needs_login", "yes", "needs_login"),
        ("source", "", "source"),
        ("kind", "pigeon", "kind"),
        ("marketplace", "nowhere", "marketplace"),
    ],
)
def test_a_channel_that_cannot_be_is_refused_by_field(
    editor: APIClient, market: Marketplace, field: str, value: Any, attr: str
) -> None:
    other = Marketplace.objects.create(slug="other", name="Other")
    Topic.objects.create(slug="foreign", marketplace=other, name="Foreign", source="test")
    body = {"marketplace": "bazaar", "kind": "email", "name": "x", "address": "x@example.com", field: value}
    answer = editor.post(f"{V1}channels/", body)
    assert answer.status_code == 400, answer.json()
    assert answer.json()["errors"][0]["attr"].startswith(attr)
    assert not Channel.objects.exists()


def test_a_constraint_of_the_row_is_refused_with_its_own_sentence(editor: APIClient, market: Marketplace) -> None:
    body = {"marketplace": "bazaar", "kind": "email", "name": "x", "address": "x@example.com"}
    answer = editor.post(f"{V1}channels/", body | {"needs_login": True, "works_without_account": True})
    assert answer.status_code == 400
    assert "cannot work when the account is lost" in answer.json()["errors"][0]["detail"]


def test_a_channel_stays_on_its_marketplace(editor: APIClient, desk: Channel) -> None:
    Marketplace.objects.create(slug="other", name="Other")
    answer = editor.patch(f"{V1}channels/{desk.pk}/", {"marketplace": "other"})
    assert answer.json()["errors"][0]["attr"] == "marketplace"


def test_only_editors_write(api: APIClient, admin_api: APIClient, desk: Channel, finance: Topic) -> None:
    for path in ("channels", "topics", "response-targets", "escalation-steps"):
        assert api.get(f"{V1}{path}/").status_code == 200
        assert api.post(f"{V1}{path}/", {}).status_code == 403
    for at in (f"{V1}channels/{desk.pk}/", f"{V1}topics/money/"):
        assert api.patch(at, {"name": "x"}).status_code == 403
        assert api.delete(at).status_code == 403
        assert admin_api.patch(at, {"name": "x"}).status_code == 200


def test_what_is_in_use_cannot_be_deleted(editor: APIClient, sent: Appeal) -> None:
    for at in (f"{V1}channels/{sent.channel_id}/", f"{V1}topics/money/"):
        answer = editor.delete(at)
        assert answer.status_code == 409
        assert answer.json()["errors"][0]["code"] == "protected"


def test_channels_are_found_by_each_filter(
    api: APIClient, desk: Channel, office: Channel, finance: Topic, market: Marketplace
) -> None:
    other = Marketplace.objects.create(slug="other", name="Other")
    away = Channel.objects.create(
        marketplace=other, kind="post", name="Post", audience="buyers", state="dead", opening_hours="", source="test"
    )
    logistics = Topic.objects.create(slug="logistics", name="Logistics", source="test")
    office.topics.set([finance, logistics])

    def found(**query: str) -> set[int]:
        return {row["id"] for row in api.get(f"{V1}channels/", query).json()["results"]}

    assert found() == {desk.pk, office.pk, away.pk}
    assert found(marketplace="other") == found(kind="post") == found(audience="buyers") == {away.pk}
    assert found(state="dead") == {away.pk}
    assert found(needs_login="true") == {office.pk}
    assert found(open_at=MONDAY_NOON) == {desk.pk, office.pk}
    assert found(open_at=SUNDAY_NOON) == {desk.pk}
    assert desk.pk in found(open_now="true")
    assert away.pk not in found(open_now="true") | found(open_now="false")
    assert found(topic="money") == {desk.pk, office.pk, away.pk}
    office.topics.set([logistics])
    assert found(topic="money") == {desk.pk, away.pk}


def test_where_nobody_knows_the_hours_nothing_is_said_of_them(api: APIClient, desk: Channel) -> None:
    Channel.objects.update(opening_hours="")
    channel = api.get(f"{V1}channels/{desk.pk}/").json()
    assert [channel[name] for name in ("is_open", "opens_at", "closes_at", "opening_hours_text")] == [None] * 4


def test_what_was_retired_is_in_no_list_but_still_there(api: APIClient, desk: Channel) -> None:
    Channel.objects.update(retired_at=timezone.now())
    assert api.get(f"{V1}channels/").json()["results"] == []
    assert api.get(f"{V1}channels/{desk.pk}/").status_code == 200


def test_a_topic_is_known_by_its_slug_and_may_serve_all(editor: APIClient, market: Marketplace) -> None:
    body = {"slug": "returns", "name": "Возвраты", "examples": ["Потерян возврат"], "required": ["order_number"]}
    answer = editor.post(f"{V1}topics/", body)
    assert answer.status_code == 201, answer.json()
    assert answer.json() | body | {"marketplace": None} == answer.json()
    assert editor.post(f"{V1}topics/", body).status_code == 400
    assert editor.patch(f"{V1}topics/returns/", {"slug": "other"}).status_code == 400
    own = editor.post(f"{V1}topics/", {"slug": "own", "marketplace": "bazaar", "name": "Own"})
    assert own.status_code == 201, own.json()
    other = Marketplace.objects.create(slug="other", name="Other")
    Topic.objects.create(slug="theirs", marketplace=other, name="Theirs", source="test")
    listed = editor.get(f"{V1}topics/", {"marketplace": "bazaar"}).json()["results"]
    assert {"returns", "own"} <= {row["slug"] for row in listed}
    assert "theirs" not in {row["slug"] for row in listed}
    assert editor.delete(f"{V1}topics/returns/").status_code == 204


def test_a_response_target_names_only_what_it_asks_for(
    editor: APIClient, market: Marketplace, desk: Channel, finance: Topic
) -> None:
    body = {"kind": "our_reply", "marketplace": "bazaar", "priority": "urgent", "amount": 8, "unit": "working_hours"}
    answer = editor.post(f"{V1}response-targets/", body)
    assert answer.status_code == 201, answer.json()
    target = answer.json()
    assert {name: target[name] for name in ("topic", "channel", "is_complex")} == {
        "topic": None,
        "channel": None,
        "is_complex": None,
    }
    assert {name: target[name] for name in body} == body
    assert editor.post(f"{V1}response-targets/", body).status_code == 400, "it would tie with the first"
    assert editor.post(f"{V1}response-targets/", body | {"topic": "money", "priority": None}).status_code == 400
    at = f"{V1}response-targets/{target['id']}/"
    assert editor.patch(at, {"priority": None, "is_complex": True, "amount": 4}).json()["priority"] is None
    found = editor.get(f"{V1}response-targets/", {"kind": "first_reply", "channel": str(desk.pk)}).json()["results"]
    assert [row["amount"] for row in found] == [2]
    assert editor.delete(at).status_code == 204
    for wrong in ({"amount": 0}, {"amount": 10**9}, {"unit": "fortnights"}, {"channel": 999}, {"is_complex": 1}):
        assert editor.post(f"{V1}response-targets/", body | wrong).status_code == 400


def test_escalation_steps_are_written_and_read_in_order(
    editor: APIClient, market: Marketplace, steps: list[EscalationStep], desk: Channel
) -> None:
    body = {
        "marketplace": "bazaar",
        "position": 1,
        "name": "Претензия",
        "channel": desk.pk,
        "requires": [steps[0].pk],
        "term_amount": 30,
        "term_unit": "calendar_days",
        "letter": "claim",
        "available_from": "2026-01-01",
    }
    answer = editor.post(f"{V1}escalation-steps/", body)
    assert answer.status_code == 201, answer.json()
    assert {name: answer.json()[name] for name in body} == body
    path = editor.get(f"{V1}marketplaces/bazaar/escalation-path/").json()["results"]
    assert [step["name"] for step in path] == ["contact", "Претензия", "repeat", "complaint"]
    assert editor.post(f"{V1}escalation-steps/", body | {"term_unit": None}).status_code == 400
    at = f"{V1}escalation-steps/{answer.json()['id']}/"
    assert editor.patch(at, {"state": "dead"}).status_code == 200
    assert len(editor.get(f"{V1}marketplaces/bazaar/escalation-path/").json()["results"]) == 3
    assert editor.delete(at).status_code == 204
    assert editor.get(f"{V1}marketplaces/nowhere/escalation-path/").status_code == 404


def test_contact_says_where_to_write_and_why(
    api: APIClient, desk: Channel, office: Channel, sent: Appeal, agent: User
) -> None:
    lifecycle.record_reply(appeal=sent, actor=agent, now=timezone.now(), kind="answer", text="Paid")
    answer = api.get(f"{V1}marketplaces/bazaar/contact/", {"topic": "money", "at": SUNDAY_NOON})

    assert answer.status_code == 200, answer.json()
    first, second = answer.json()
    assert first["id"] == desk.pk
    assert (first["is_open"], first["opens_at"], first["closes_at"]) == (True, None, None)
    assert first["promised"] == 7200
    assert first["measured"]["count"] == 1
    assert 3590 < first["measured"]["median"] < 3700
    assert first["why"].startswith("Working; ")
    assert first["why"].endswith("; first reply promised within 2\u00a0h.")
    assert second["id"] == office.pk
    assert (second["is_open"], second["opens_at"]) == (False, "2026-10-05T06:00:00Z")
    assert (second["promised"], second["measured"]) == (None, None)


def test_contact_leaves_out_what_cannot_be_used_without_the_account(
    api: APIClient, desk: Channel, office: Channel
) -> None:
    at = f"{V1}marketplaces/bazaar/contact/"
    assert [one["id"] for one in api.get(at, {"account_access": "false"}).json()] == [desk.pk]
    assert len(api.get(at, {"account_access": "true"}).json()) == 2
    for query in ({"account_access": "maybe"}, {"topic": "nowhere"}, {"at": "noon"}, {"at": "2026-01-01T00:00:00"}):
        assert api.get(at, query).status_code == 400
    assert api.get(f"{V1}marketplaces/nowhere/contact/").status_code == 404


def test_promise_says_what_would_be_owed(api: APIClient, desk: Channel, finance: Topic) -> None:
    at = f"{V1}marketplaces/bazaar/promise/"
    body = api.get(at, {"topic": "money", "channel": str(desk.pk), "at": MONDAY_NOON}).json()
    assert body["first_reply"]["target"] == {"amount": 2, "unit": "hours"}
    assert body["first_reply"]["due_at"] == "2026-10-05T11:00:00Z"
    assert body["answer"]["due_at"] == "2026-10-08T21:00:00Z"
    assert body["answer"]["why"] == "topic Money, Bazaar, 3\u00a0working days, from test"
    assert api.get(at).json() == {"first_reply": None, "answer": None}
    for query in (
        {"priority": "high"},
        {"is_complex": "1"},
        {"channel": "x"},
        {"channel": "9" * 30},
        {"at": "9999-12-31T23:59:59Z"},
        {"topic": "a\x00b"},
    ):
        assert api.get(at, query).status_code == 400, query


def test_a_channel_of_another_marketplace_has_no_promise_here(api: APIClient, desk: Channel) -> None:
    Marketplace.objects.create(slug="other", name="Other")
    answer = api.get(f"{V1}marketplaces/other/promise/", {"channel": str(desk.pk)})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "channel"


def test_a_promise_can_be_asked_of_any_year_that_calendars_cover(api: APIClient, desk: Channel) -> None:
    at = f"{V1}marketplaces/bazaar/promise/"
    for year in (1993, 2026, 2090):
        moment = datetime(year, 12, 31, 23, 59, tzinfo=UTC).isoformat()
        assert api.get(at, {"channel": str(desk.pk), "at": moment}).status_code == 200


def test_a_target_of_the_directory_counts_at_once(editor: APIClient, agent: User, sent: Appeal) -> None:
    ResponseTarget.objects.all().delete()
    target = {"kind": "answer", "marketplace": "bazaar", "amount": 1, "unit": "hours"}
    assert editor.post(f"{V1}response-targets/", target).status_code == 201
    appeal = submitted(make_appeal(sent.shop, agent), agent)
    assert [deadline.amount for deadline in appeal.deadlines.all()] == [1]
