"""A request that is sent again is done once; a change does not overwrite one that its writer has not seen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from unittest.mock import patch

import pytest
from celery import current_app
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from appeals import lifecycle
from appeals.models import Appeal, Attachment, Event, Shop
from hub.api.idempotency import purge
from hub.models import IdempotencyKey, User
from marketplaces.api.parsers import JSONParser
from marketplaces.models import Channel, Marketplace
from tests.api_contract.conftest import call_as, make_appeal, make_shop, person, submitted

APPEALS = "/api/v1/appeals/"
KEY = {"Idempotency-Key": "erp-order-77"}


def test_the_same_request_again_gives_the_first_answer_and_makes_nothing(api: APIClient, shop: Shop) -> None:
    body = {"shop": shop.pk, "subject": "x", "amount_at_stake": "5.00"}
    first = api.post(APPEALS, body, headers=KEY)
    again = api.post(APPEALS, dict(reversed(body.items())), headers=KEY)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["ETag"] == first.headers["ETag"]
    assert Appeal.objects.count() == 1


def test_another_request_with_the_same_key_is_refused(api: APIClient, shop: Shop, sent: Appeal) -> None:
    body = {"shop": shop.pk, "subject": "x"}
    api.post(APPEALS, body, headers=KEY)
    for url, other in ((APPEALS, body | {"subject": "y"}), (f"{APPEALS}{sent.pk}/messages/", body)):
        answer = api.post(url, other, headers=KEY)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == "idempotency_key_reused"
    assert Appeal.objects.count() == 2


def test_each_user_has_keys_of_their_own(api: APIClient, shop: Shop, colleague: User) -> None:
    shop.members.add(colleague)
    for client in (api, call_as(colleague)):
        assert (
            "Idempotent-Replayed" not in client.post(APPEALS, {"shop": shop.pk, "subject": "x"}, headers=KEY).headers
        )
    assert Appeal.objects.count() == 2


def test_a_move_is_done_once(api: APIClient, sent: Appeal) -> None:
    at = f"{APPEALS}{sent.pk}/replies/"
    for _time in range(3):
        assert api.post(at, {"kind": "brush_off", "text": "We are looking"}, headers=KEY).status_code == 200
    assert Event.objects.filter(kind="reply").count() == 1


def test_an_upload_is_done_once_though_each_sending_draws_its_own_boundary(api: APIClient, sent: Appeal) -> None:
    at = f"{APPEALS}{sent.pk}/attachments/"
    ids = set()
    for _time in range(2):
        file = {"file": SimpleUploadedFile("a.txt", "текст".encode())}
        ids.add(api.post(at, file, format="multipart", headers=KEY).json()["id"])
    assert len(ids) == Attachment.objects.count() == 1
    other = {"file": SimpleUploadedFile("a.txt", "другой".encode())}
    assert api.post(at, other, format="multipart", headers=KEY).status_code == 422


def test_a_request_that_was_refused_keeps_no_key_and_can_be_mended(api: APIClient, shop: Shop, draft: Appeal) -> None:
    assert api.post(APPEALS, {"shop": shop.pk}, headers=KEY).status_code == 400
    assert api.post(f"{APPEALS}{draft.pk}/messages/", {"text": "x"}, headers=KEY).status_code == 409
    assert IdempotencyKey.objects.count() == 0
    assert api.post(APPEALS, {"shop": shop.pk, "subject": "x"}, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "two, keys", "ключ"])
def test_a_key_that_is_none_is_refused(api: APIClient, shop: Shop, key: str) -> None:
    answer = api.post(APPEALS, {"shop": shop.pk, "subject": "x"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "Idempotency-Key"
    assert Appeal.objects.count() == 0


def test_a_crash_half_way_leaves_neither_the_object_nor_the_key(api: APIClient, shop: Shop) -> None:
    api.raise_request_exception = False
    body = {"shop": shop.pk, "subject": "x"}
    with patch("hub.api.idempotency._keep", side_effect=RuntimeError("power cut")):
        assert api.post(APPEALS, body, headers=KEY).status_code == 500
    assert (Appeal.objects.count(), IdempotencyKey.objects.count()) == (0, 0)
    assert api.post(APPEALS, body, headers=KEY).status_code == 201


def test_keys_live_at_least_24_hours_and_not_for_ever(api: APIClient, shop: Shop) -> None:
    api.post(APPEALS, {"shop": shop.pk, "subject": "x"}, headers=KEY)
    now = timezone.now()
    assert purge(now + timedelta(hours=24)) == 0
    assert purge(now + timedelta(hours=49)) == 1


def test_old_keys_are_forgotten_by_the_clock(api: APIClient, shop: Shop, settings: Any) -> None:
    (entry,) = [one for one in settings.CELERY_BEAT_SCHEDULE.values() if "idempotency" in one["task"]]
    api.post(APPEALS, {"shop": shop.pk, "subject": "x"}, headers=KEY)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=3))
    current_app.loader.import_default_modules()
    current_app.tasks[entry["task"]].apply().get()
    assert not IdempotencyKey.objects.exists()


def test_what_can_be_edited_has_an_etag_that_changes_with_it(api: APIClient, draft: Appeal) -> None:
    at = f"{APPEALS}{draft.pk}/"
    first = api.get(at).headers["ETag"]
    assert api.get(at).headers["ETag"] == first
    changed = api.patch(at, {"subject": "y"}).headers["ETag"]
    assert changed != first
    assert api.get(at).headers["ETag"] == changed
    assert api.post(f"{at}submit/", {}).headers["ETag"] != changed


@pytest.mark.parametrize("tag", ['"appeal-1-0"', '"x"', "garbage", 'W/"x", "y"', ""])
def test_a_write_with_an_old_version_is_412_and_changes_nothing(api: APIClient, draft: Appeal, tag: str) -> None:
    at = f"{APPEALS}{draft.pk}/"
    headers, file = {"If-Match": tag}, SimpleUploadedFile("a.txt", b"a")
    answers = [
        api.patch(at, {"subject": "y"}, headers=headers),
        api.post(f"{at}submit/", {}, headers=headers),
        api.post(f"{at}attachments/", {"file": file}, format="multipart", headers=headers),
        api.delete(at, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [412] * 4
    assert answers[0].json()["errors"][0]["code"] == "stale"
    draft.refresh_from_db()
    assert (draft.subject, draft.status) == ("Where is the money?", "draft")


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
def test_a_write_with_the_present_version_goes_through(api: APIClient, draft: Appeal, form: str) -> None:
    at = f"{APPEALS}{draft.pk}/"
    tag = form.format(tag=api.get(at).headers["ETag"])
    file = SimpleUploadedFile("a.txt", b"a")
    headers = {"If-Match": tag}
    assert api.post(f"{at}attachments/", {"file": file}, format="multipart", headers=headers).status_code == 201
    assert api.patch(at, {"subject": "y"}, headers=headers).status_code == 200


def test_rows_of_the_directory_and_shops_have_versions_too(admin_api: APIClient, desk: Channel, shop: Shop) -> None:
    for at in (f"/api/v1/channels/{desk.pk}/", f"/api/v1/shops/{shop.pk}/"):
        old = admin_api.get(at).headers["ETag"]
        assert admin_api.patch(at, {"name": "New"}, headers={"If-Match": old}).status_code == 200
        assert admin_api.patch(at, {"name": "Newer"}, headers={"If-Match": old}).status_code == 412


def test_the_body_is_read_before_anything_is_locked(api: APIClient, draft: Appeal) -> None:
    """Somebody who sends slowly must not keep the others waiting for the database."""
    depths = []
    before = len(connection.savepoint_ids)

    def parse(parser: JSONParser, *args: Any, **kwargs: Any) -> Any:
        depths.append(len(connection.savepoint_ids) - before)
        return plain(parser, *args, **kwargs)

    plain = JSONParser.parse
    with patch.object(JSONParser, "parse", parse):
        assert api.post(APPEALS, {"shop": draft.shop_id, "subject": "x"}, headers=KEY).status_code == 201
        assert api.patch(f"{APPEALS}{draft.pk}/", {"subject": "y"}).status_code == 200
    assert depths == [0, 0]


# On PostgreSQL, with real threads


def at_once(count: int, do: Callable[[int], Any]) -> list[Any]:
    """`do` in so many threads that start together, each with a connection of its own."""
    barrier = Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        try:
            return do(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture
def busy(transactional_db: None) -> Appeal:
    agent = person("agent", role="agent")
    market = Marketplace.objects.create(slug="bazaar", name="Bazaar")
    return submitted(make_appeal(make_shop(market, agent, "Tea"), agent), agent)


@pytest.mark.postgres
def test_fifty_requests_at_once_with_one_key_make_one_appeal(busy: Appeal) -> None:
    assert busy.created_by is not None
    client = call_as(busy.created_by)
    body = {"shop": busy.shop_id, "subject": "once"}
    answers = at_once(50, lambda _number: client.post(APPEALS, body, headers=KEY))

    assert [answer.status_code for answer in answers] == [201] * 50
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert Appeal.objects.filter(subject="once").count() == 1


@pytest.mark.postgres
def test_fifty_replies_at_once_give_fifty_events_and_one_state(busy: Appeal) -> None:
    assert busy.created_by is not None
    client = call_as(busy.created_by)
    at = f"{APPEALS}{busy.pk}/"
    kinds = ("acknowledgement", "question", "brush_off", "answer")
    answers = at_once(
        50, lambda number: client.post(f"{at}replies/", {"kind": kinds[number % 4], "text": str(number)})
    )

    assert [answer.status_code for answer in answers] == [200] * 50
    assert sorted(int(event.text) for event in Event.objects.filter(kind="reply")) == list(range(50))
    busy.refresh_from_db()
    assert busy.status == "our_turn"
    assert client.get(at).json()["status"] == "our_turn"


@pytest.mark.postgres
def test_of_many_writers_with_the_same_version_one_goes_through(busy: Appeal) -> None:
    assert busy.created_by is not None
    client = call_as(busy.created_by)
    at = f"{APPEALS}{busy.pk}/"
    headers = {"If-Match": client.get(at).headers["ETag"]}
    answers = at_once(12, lambda number: client.patch(at, {"subject": f"by {number}"}, headers=headers))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 11


@pytest.mark.postgres
def test_an_appeal_is_submitted_once(busy: Appeal) -> None:
    assert busy.created_by is not None
    agent = busy.created_by
    draft = make_appeal(busy.shop, agent)
    client = call_as(agent)
    answers = at_once(8, lambda _number: client.post(f"{APPEALS}{draft.pk}/submit/", {}))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert Event.objects.filter(appeal=draft, kind="submitted").count() == 1
    assert lifecycle.verbs(Appeal.objects.get(pk=draft.pk)) != ["submit"]
