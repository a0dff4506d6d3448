"""Every refusal has one shape and the status that says what is wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client, override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from appeals.models import Appeal, Shop
from hub.models import ApiToken, User
from tests.api_contract.conftest import call_as

APPEALS = "/api/v1/appeals/"


def refused(answer: Any, status: int, code: str = "", attr: str | None = None) -> dict[str, Any]:
    """The first error of a refusal that has the shape of the contract."""
    assert answer.status_code == status, answer.content
    body = answer.json()
    assert set(body) - {"status", "allowed"} == {"type", "errors"}
    assert body["type"] == ("validation_error" if status == 400 and body["type"] != "client_error" else "client_error")
    assert all(set(error) == {"code", "detail", "attr"} for error in body["errors"])
    first: dict[str, Any] = body["errors"][0]
    assert code in ("", first["code"]), body
    assert attr in (None, first["attr"]), body
    return first


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Bearer a b", "Bearer \u00ff\u00fe", "Token x"])
def test_without_a_token_that_works_the_answer_is_401(db: None, header: str) -> None:
    client = APIClient()
    if header:
        client.credentials(HTTP_AUTHORIZATION=header)
    answer = client.get(APPEALS)
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_expired_token_a_revoked_one_and_one_of_a_closed_account_do_not_work(agent: User) -> None:
    row, token = ApiToken.objects.create(agent, expiry=timedelta(days=1))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert client.get(APPEALS).status_code == 200

    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    refused(client.get(APPEALS), 401, "authentication_failed")
    assert ApiToken.objects.filter(pk=row.pk).exists()

    ApiToken.objects.update(expiry=None)
    User.objects.update(is_active=False)
    refused(client.get(APPEALS), 401)
    User.objects.update(is_active=True)
    row.delete()
    refused(client.get(APPEALS), 401)


def test_the_session_of_a_browser_works_with_the_csrf_token_and_not_without(agent: User, shop: Shop) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(agent)
    assert browser.get(APPEALS).status_code == 200
    body = {"shop": shop.pk, "subject": "x"}
    refused(browser.post(APPEALS, body, content_type="application/json"), 403)

    browser.cookies["csrftoken"] = "a" * 32
    headers = {"X-CSRFToken": "a" * 32}
    assert browser.post(APPEALS, body, content_type="application/json", headers=headers).status_code == 201


@pytest.mark.parametrize(
    "path", ["nothing/", "appeals/999999999/", "appeals/abc/", "appeals/٣/", f"appeals/{'9' * 40}/", "channels/0/"]
)
def test_what_is_not_there_is_404_in_json(api: APIClient, path: str) -> None:
    refused(api.get(f"/api/v1/{path}"), 404, "not_found")


def test_what_is_not_there_is_404_whoever_asks_and_with_whatever_cookies() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies["sessionid"] = "x"
    refused(browser.post("/api/v1/nothing/", {}, content_type="application/json"), 404, "not_found")


def test_an_address_without_its_slash_says_so(api: APIClient) -> None:
    assert "slash" in refused(api.get("/api/v1/appeals"), 404)["detail"]
    refused(api.post("/api/v1/appeals", {}), 404)


@pytest.mark.parametrize("method", ["put", "options", "trace", "delete"])
def test_a_method_that_an_address_does_not_have_is_405(api: APIClient, method: str) -> None:
    answer = api.generic(method.upper(), APPEALS)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_other_formats_are_refused(api: APIClient, shop: Shop) -> None:
    refused(api.generic("POST", APPEALS, "<a/>", content_type="application/xml"), 415)
    refused(api.post(APPEALS, {"shop": shop.pk, "subject": "x"}, format="multipart"), 415)
    refused(api.get(APPEALS, headers={"Accept": "application/xml"}), 406)


def test_a_body_that_is_too_large_is_413(api: APIClient) -> None:
    refused(api.post(APPEALS, {"subject": "x" * 1_000_001}), 413, "too_large")


@pytest.mark.parametrize(
    ("query", "attr"),
    [
        ("statos=draft", "statos"),
        ("status=draft&status=waiting", "status"),
        ("status=", "status"),
        ("status=open", "status"),
        ("overdue=banana", "overdue"),
        ("overdue=1", "overdue"),
        ("shop=٣", "shop"),
        ("shop=1_0", "shop"),
        ("shop=999999", "shop"),
        (f"channel={'9' * 30}", "channel"),
        ("marketplace=nowhere", "marketplace"),
        ("topic=a%00b", "topic"),
        ("search=a%00b", "search"),
        ("due_before=yesterday", "due_before"),
        ("due_before=2026-01-12", "due_before"),
        ("due_before=2026-01-12T10:00:00", "due_before"),
        ("due_before=0000-01-01T00:00:00Z", "due_before"),
        ("submitted_after=0001-01-01T00:00:00%2B14:00", "submitted_after"),
        ("submitted_before=9999-12-31T23:59:59-12:00", "submitted_before"),
        ("submitted_before=2026-13-45T99:00:00Z", "submitted_before"),
        ("ordering=body", "ordering"),
        ("ordering=created_at,id", "ordering"),
        ("page_size=0", "page_size"),
        ("page_size=201", "page_size"),
        ("page_size=٥", "page_size"),
        ("page_size=-1", "page_size"),
        ("cursor=%00", "cursor"),
        ("cursor=nonsense", "cursor"),
        ("cursor=W10", "cursor"),  # []
        ("cursor=WyItY3JlYXRlZF9hdCIsIngiLDEsZmFsc2Vd", "cursor"),  # a value that is no time
        ("cursor=WyItY3JlYXRlZF9hdCIsbnVsbCwxLGZhbHNlXQ", "cursor"),  # no value of a field that always has one
        ("cursor=WyJpZCIsbnVsbCwxLGZhbHNlXQ", "cursor"),  # of another ordering
        ("cursor=" + "W1tb" * 3000, "cursor"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(api: APIClient, sent: Appeal, query: str, attr: str) -> None:
    refused(api.get(f"{APPEALS}?{query}"), 400, attr=attr)


def test_an_unknown_parameter_is_refused_on_every_call_and_the_known_ones_are_told(
    api: APIClient, draft: Appeal
) -> None:
    first = refused(api.get(f"{APPEALS}?page=2"), 400, "unknown_parameter", "page")
    assert "page_size" in first["detail"]
    refused(api.get(f"{APPEALS}{draft.pk}/?expand=shop"), 400, "unknown_parameter", "expand")
    refused(api.post(f"{APPEALS}{draft.pk}/submit/?at=now", {}), 400, "unknown_parameter", "at")
    refused(api.get("/api/v1/me/?x=1"), 400, "unknown_parameter", "x")
    refused(api.get("/api/v1/marketplaces/bazaar/promise/?x=1"), 400, "unknown_parameter", "x")


def test_a_plus_that_was_not_escaped_in_an_address_is_understood(api: APIClient, sent: Appeal) -> None:
    assert len(api.get(f"{APPEALS}?submitted_after=2026-01-01T00:00:00+03:00").json()["results"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"null",
        b"[]",
        b"5",
        b'"text"',
        b"\xff\xfe",
        b'{"subject": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"subject": "\\ud800", "shop": 1}',
        b'{"\\udfff": 1}',
        b'{"shop": 1' + b"0" * 5000 + b"}",
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)
def test_a_body_that_is_no_object_of_json_is_400(api: APIClient, shop: Shop, body: bytes) -> None:
    refused(api.generic("POST", APPEALS, body, content_type="application/json"), 400)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", ""),
        ("subject", "  "),
        ("subject", 5),
        ("subject", None),
        ("subject", "a\x00b"),
        ("subject", "x" * 301),
        ("subject", ["x"]),
        ("body", {"a": 1}),
        ("body", "x" * 100_001),
        ("shop", "1"),
        ("shop", True),
        ("shop", 1.5),
        ("shop", 10**30),
        ("shop", -1),
        ("topic", 5),
        ("topic", "a\x00b"),
        ("topic", "nowhere"),
        ("channel", 10**30),
        ("priority", "high"),
        ("priority", ""),
        ("is_complex", "true"),
        ("is_complex", 1),
        ("amount_at_stake", "-1"),
        ("amount_at_stake", "1.005"),
        ("amount_at_stake", "١٢"),
        ("amount_at_stake", "1e5"),
        ("amount_at_stake", "NaN"),
        ("amount_at_stake", 1e308),
        ("amount_at_stake", True),
        ("amount_at_stake", "9" * 13),
        ("order_numbers", "12"),
        ("order_numbers", [12]),
        ("order_numbers", {"0": "12"}),
        ("order_numbers", [""]),
        ("order_numbers", ["x"] * 101),
        ("product_codes", ["a\x00b"]),
        ("assignee", "nobody@example.com"),
        ("assignee", "a\x00b@example.com"),
        ("assignee", 5),
        ("previous", 10**30),
        ("external_number", "x" * 101),
        ("subjekt", "x"),
        ("a\x00b", "x"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(api: APIClient, shop: Shop, field: str, value: Any) -> None:
    answer = api.post(APPEALS, {"shop": shop.pk, "subject": "x", field: value})
    assert refused(answer, 400)["attr"].startswith(field)
    assert Appeal.objects.count() == 0


@pytest.mark.parametrize("amount", [-1, 0.125, "12 500", "9" * 13])
def test_an_amount_that_cannot_be_used_is_told_with_one_that_can(api: APIClient, shop: Shop, amount: Any) -> None:
    answer = api.post(APPEALS, {"shop": shop.pk, "subject": "x", "amount_at_stake": amount})
    assert "12500.00" in refused(answer, 400)["detail"]


@pytest.mark.parametrize(
    "at",
    [
        "2026-01-12T10:00:00",
        "2026-01-12",
        "20260112T100000Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "٢٠٢٦-01-12T10:00:00Z",
        "2026-01-12T10:00:00+99:99",
        "",
        1736672400,
        None,
        True,
    ],
)
def test_a_time_without_an_offset_or_from_nowhere_is_refused(api: APIClient, draft: Appeal, at: Any) -> None:
    refused(api.post(f"{APPEALS}{draft.pk}/submit/", {"at": at}), 400, attr="at")


def test_money_may_come_as_a_number_and_is_answered_as_a_string(api: APIClient, shop: Shop) -> None:
    for given, answered in ((12500, "12500.00"), (12500.5, "12500.50"), ("0", "0.00")):
        answer = api.post(APPEALS, {"shop": shop.pk, "subject": "x", "amount_at_stake": given})
        assert answer.json()["amount_at_stake"] == answered


def test_read_only_fields_are_left_out_so_that_what_was_read_can_be_sent_back(api: APIClient, draft: Appeal) -> None:
    at = f"{APPEALS}{draft.pk}/"
    body = api.get(at).json() | {"status": "resolved", "subject": "Новая"}
    answer = api.patch(at, body)
    assert answer.status_code == 200, answer.json()
    assert (answer.json()["status"], answer.json()["subject"]) == ("draft", "Новая")


@override_settings(API_REQUESTS_PER_MINUTE=3)
@time_machine.travel(datetime(2026, 10, 14, 12, 0, 15, tzinfo=UTC), tick=False)  # calls are counted by the minute
def test_too_many_calls_of_one_token_are_429_and_say_how_long_to_wait(agent: User) -> None:
    first, second = call_as(agent), call_as(agent)
    for _time in range(3):
        assert first.get(APPEALS).status_code == 200
    answer = first.get(APPEALS)
    refused(answer, 429, "throttled")
    assert answer.headers["Retry-After"] == "45"
    assert answer.json()["errors"][0]["detail"].endswith("Try again in 45 s.")
    assert second.get(APPEALS).status_code == 200


@pytest.mark.parametrize("body", ["null", "[]", '"a"', "1", '[{"subject": "a"}]'])
def test_a_body_that_is_no_object_is_refused_in_the_language_of_the_caller(agent: User, body: str) -> None:
    agent.language = "ru"
    agent.save()
    answer = call_as(agent).post(APPEALS, body, content_type="application/json")
    assert refused(answer, 400, "invalid", "non_field_errors")["detail"].startswith(
        "Тело запроса должно быть объектом"
    )


def test_the_answer_is_in_the_language_of_the_caller(agent: User) -> None:
    assert refused(call_as(agent).get("/api/v1/appeals/?x=1"), 400)["detail"].startswith("There is no such")
    agent.language = "ru"
    agent.save()
    answer = call_as(agent).get(APPEALS)
    assert answer.headers["Content-Language"] == "ru"


def test_use_of_a_token_is_noted_at_most_once_a_minute(agent: User) -> None:
    client = call_as(agent)
    client.get(APPEALS)
    noted = ApiToken.objects.get().last_used_at
    assert noted is not None
    client.get(APPEALS)
    assert ApiToken.objects.get().last_used_at == noted
    ApiToken.objects.update(last_used_at=noted - timedelta(seconds=61))
    client.get(APPEALS)
    assert ApiToken.objects.get().last_used_at >= noted


def test_me_tells_who_the_token_is_and_what_it_may_do(api: APIClient, agent: User, shop: Shop) -> None:
    body = api.get("/api/v1/me/").json()
    assert body["email"] == agent.email
    assert body["shops"] == [{"id": shop.pk, "name": shop.name, "is_lead": True}]
    work = ["add_appeal", "add_shop", "change_appeal", "change_shop", "delete_appeal"]
    assert body["permissions"] == [f"appeals.{right}" for right in work]
    assert body["token"]["name"] == "test"
    assert body["token"]["expires_at"] is None
    assert len(body["token"]["token_key"]) == 15


def test_me_names_what_may_be_written_here_and_not_the_rights_of_the_workplace(admin_api: APIClient) -> None:
    found = admin_api.get("/api/v1/me/").json()["permissions"]
    assert len(found) == 18
    assert {"appeals.add_shop", "appeals.change_appeal", "marketplaces.delete_escalationstep"} <= set(found)


def test_a_refusal_is_in_the_language_of_its_reader_whoever_read_it_before(api: APIClient, shop: Shop) -> None:
    """What a request needs is built once and used again: not with the words of the one before."""
    reader = User.objects.create_user("reader@example.com", language="ru")
    shop.members.add(reader)
    body = {"shop": shop.pk, "subject": "x" * 301}
    answers = [client.post(APPEALS, body) for client in (api, call_as(reader), api)]
    english, russian, again = ([error["detail"] for error in answer.json()["errors"]] for answer in answers)
    assert english == again
    assert not set(english) & set(russian)


def test_nothing_of_one_request_shows_in_the_next(api: APIClient, shop: Shop, foreign: Appeal) -> None:
    assert api.post(APPEALS, {"shop": shop.pk, "subject": ""}).status_code == 400
    assert api.post(APPEALS, {"shop": shop.pk, "subject": "x", "body": "secret"}).status_code == 201
    refused(api.post(APPEALS, {"shop": foreign.shop_id, "subject": "x"}), 400, "does_not_exist")
    second = api.post(APPEALS, {"shop": shop.pk, "subject": "y"}).json()
    assert (second["subject"], second["body"]) == ("y", "")
    refused(api.patch(f"{APPEALS}{second['id']}/", {"subject": ""}), 400)
    assert api.get(f"{APPEALS}{second['id']}/").json() == second
