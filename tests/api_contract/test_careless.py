"""What a careless program sends is refused and named, not half understood."""

import gzip
import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from appeals.models import Appeal, Attachment, Event, Shop
from hub.models import User
from marketplaces.models import Marketplace
from tests.api_contract.test_errors import APPEALS, refused

FORM = "multipart/form-data; boundary=line"
PART = b'--line\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\ntext\r\n'


def send(api: APIClient, path: str, body: bytes, **kwargs: Any) -> Any:
    return api.generic("POST", path, body, **{"content_type": "application/json", **kwargs})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ('{"shop": %d, "subject": "a", "subject": "b"}', "subject"),
        ('{"subject": "a", "shop": %d, "shop": %d}', "shop"),
        ('{"shop": %d, "subject": "a", "order_numbers": [{"x": 1, "x": 2}]}', "x"),
        ('{"\\ud800": 1, "\\ud800": 2, "shop": %d}', "?"),
    ],
)
def test_a_name_that_is_there_twice_is_refused(api: APIClient, shop: Shop, body: str, attr: str) -> None:
    text = body.replace("%d", str(shop.pk)).encode()
    refused(send(api, APPEALS, text), 400, "repeated", attr)
    assert Appeal.objects.count() == 0


def test_a_form_with_two_files_is_refused_and_neither_is_kept(api: APIClient, sent: Appeal) -> None:
    body = PART % b"a.txt" + PART % b"b.txt" + b"--line--\r\n"
    refused(send(api, f"{APPEALS}{sent.pk}/attachments/", body, content_type=FORM), 400, "repeated", "file")
    assert Attachment.objects.count() == 0


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP"])
def test_a_packed_body_is_415_whatever_is_in_it(api: APIClient, shop: Shop, encoding: str) -> None:
    plain = json.dumps({"shop": shop.pk, "subject": "x"}).encode()
    for body in (plain, gzip.compress(plain)):
        refused(send(api, APPEALS, body, headers={"Content-Encoding": encoding}), 415)
    assert send(api, APPEALS, plain, headers={"Content-Encoding": "identity"}).status_code == 201


@pytest.mark.parametrize("text", ["%EF%E8%F1%FC%EC%EE", "%ED%A0%80", "%FF"])
def test_a_parameter_in_another_encoding_is_refused(api: APIClient, sent: Appeal, text: str) -> None:
    refused(api.get(f"{APPEALS}?search={text}"), 400, "invalid", "search")
    assert api.get(f"{APPEALS}?search=%EF%BF%BD").status_code == 200


@pytest.mark.parametrize("path", ["appeals/", "appeals/{}/", "shops/", "topics/", "marketplaces/", "me/"])
def test_head_is_answered_as_get_without_its_body(api: APIClient, sent: Appeal, path: str) -> None:
    at = f"/api/v1/{path.format(sent.pk)}"
    full, head = api.get(at), api.head(at)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers.get("ETag") == full.headers.get("ETag")
    assert Event.objects.filter(kind="exported").count() == 0


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("marketplaces/bazaar/", "GET, HEAD"), ("me/", "GET, HEAD"), ("shops/{shop}/", "GET, HEAD, PATCH")],
)
def test_allow_names_what_is_answered_and_nothing_else(
    api: APIClient, market: Marketplace, shop: Shop, path: str, allowed: str
) -> None:
    at = f"/api/v1/{path.format(shop=shop.pk)}"
    answer = api.options(at)
    refused(answer, 405)
    assert answer.headers["Allow"] == api.get(at).headers["Allow"] == allowed


def test_a_host_that_is_not_ours_is_refused_in_json_here_and_with_a_page_elsewhere() -> None:
    stranger = {"Host": "evil.example"}
    refused(Client().get("/api/v1/me/", headers=stranger), 400, "bad_request")
    page = Client().get("/admin/", headers=stranger)
    assert (page.status_code, page.headers["Content-Type"].split(";")[0]) == (400, "text/html")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("channels/", {"kind": "email", "name": "x", "address": "y", "topics": {}}),
        ("escalation-steps/", {"position": 9, "name": "x", "requires": {}}),
        ("escalation-steps/", {"position": 9, "name": "x", "channel": ""}),
        ("response-targets/", {"kind": "answer", "amount": 1, "unit": "hours", "channel": ""}),
        ("topics/", {"name": "x", "slug": 7}),
        ("shops/", {"name": "x", "members": {}}),
    ],
)
def test_what_merely_resembles_a_list_a_number_or_a_slug_is_refused(
    admin_api: APIClient, market: Marketplace, path: str, body: dict[str, Any]
) -> None:
    wrong = list(body)[-1]
    refused(admin_api.post(f"/api/v1/{path}", {"marketplace": market.slug, **body}), 400, attr=wrong)


def test_nobody_is_not_an_empty_address(api: APIClient, shop: Shop, agent: User) -> None:
    shop.members.add(agent)
    for field in ("assignee", "channel", "previous", "topic"):
        refused(api.post(APPEALS, {"shop": shop.pk, "subject": "x", field: ""}), 400, attr=field)
        assert api.post(APPEALS, {"shop": shop.pk, "subject": "x", field: None}).status_code == 201
