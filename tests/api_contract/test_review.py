"""The review of a draft, and the way back from a move."""

from datetime import timedelta

import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from appeals.models import Appeal, Event, Shop
from hub.models import User
from tests.api_contract.conftest import call_as, make_appeal

APPEALS = "/api/v1/appeals/"
SHAPE = {"code", "severity", "message", "field", "mend", "place", "appeal"}


def test_findings_are_a_plain_list_the_gravest_first(api: APIClient, draft: Appeal) -> None:
    assert draft.topic
    draft.topic.required = ["order_number", "dates"]
    draft.topic.save()
    assert api.patch(f"{APPEALS}{draft.pk}/", {"body": "🙂 Где деньги!!! Вы воры."}).status_code == 200
    found = api.get(f"{APPEALS}{draft.pk}/review/").json()

    assert all(set(one) == SHAPE for one in found)
    codes = [(one["severity"], one["code"]) for one in found]
    assert codes[0] == ("error", "no_order_number")
    assert {("warning", "shouting"), ("warning", "insult"), ("warning", "no_dates")} <= set(codes)
    assert [one["severity"] for one in found] == sorted((one["severity"] for one in found), key=_grave)
    [shouting] = [one for one in found if one["code"] == "shouting"]
    assert (shouting["field"], shouting["place"]) == ("body", {"start": 12, "end": 15})
    assert "read to its end" in shouting["mend"]


def _grave(severity: str) -> int:
    return ["error", "warning", "hint"].index(severity)


def test_a_review_speaks_the_callers_language(draft: Appeal, agent: User) -> None:
    agent.language = "ru"
    agent.save()
    [empty] = [one for one in call_as(agent).get(f"{APPEALS}{draft.pk}/review/").json() if one["code"] == "empty_body"]
    assert empty["message"] == "Текст не заполнен."


def test_a_review_forbids_nothing(api: APIClient, draft: Appeal) -> None:
    assert api.get(f"{APPEALS}{draft.pk}/review/").json()
    assert api.post(f"{APPEALS}{draft.pk}/submit/", {}).status_code == 200


def test_only_ones_own_appeals_are_reviewed_and_compared_with(
    api: APIClient, outside: APIClient, foreign: Appeal, shop: Shop, agent: User
) -> None:
    assert api.get(f"{APPEALS}{foreign.pk}/review/").status_code == 404
    Appeal.objects.filter(pk=foreign.pk).update(body="Выплата за заказ не пришла, просим разобраться.")
    mine = make_appeal(shop, agent, body="Выплата за заказ не пришла, просим разобраться.")
    assert "sent_before" not in {one["code"] for one in api.get(f"{APPEALS}{mine.pk}/review/").json()}
    assert foreign.created_by
    theirs = make_appeal(foreign.shop, foreign.created_by, body="Выплата за заказ не пришла, просим разобраться.")
    assert "sent_before" in {one["code"] for one in outside.get(f"{APPEALS}{theirs.pk}/review/").json()}


def test_a_parameter_that_nobody_reads_is_refused(api: APIClient, draft: Appeal) -> None:
    assert api.get(f"{APPEALS}{draft.pk}/review/", {"lang": "ru"}).status_code == 400


def test_the_last_change_is_undone(api: APIClient, sent: Appeal) -> None:
    at = f"{APPEALS}{sent.pk}/"
    before = api.get(at).json()
    api.post(f"{at}replies/", {"kind": "question", "text": "Which order?"})
    answer = api.post(f"{at}undo/", {})
    assert answer.status_code == 200
    changing = {"overdue_seconds"}
    assert {k: v for k, v in answer.json().items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    lines = {one["kind"]: one for one in api.get(f"{at}events/").json()["results"]}
    assert lines["undone"]["undoes"] == lines["reply"]["id"]
    assert (lines["reply"]["is_undone"], lines["undone"]["is_undone"]) == (True, False)


def test_an_undo_comes_once_and_in_order(api: APIClient, sent: Appeal) -> None:
    at = f"{APPEALS}{sent.pk}/"
    api.post(f"{at}replies/", {"kind": "question", "text": "Which order?"})
    asked = Event.objects.get(kind="reply").pk
    api.post(f"{at}messages/", {"text": "Order 5"})
    early = api.post(f"{at}undo/", {"event": asked})
    assert (early.status_code, early.json()["errors"][0]["code"]) == (409, "not_undoable")
    assert "we wrote" in early.json()["errors"][0]["detail"]
    key = {"Idempotency-Key": "undo-1"}
    for _time in range(2):
        assert api.post(f"{at}undo/", {}, headers=key).status_code == 200
    assert api.post(f"{at}undo/", {"event": asked}).status_code == 200
    assert api.post(f"{at}undo/", {"event": asked}).status_code == 409
    assert Event.objects.filter(kind="undone").count() == 2


def test_an_undo_that_is_late_or_not_theirs_is_refused(api: APIClient, sent: Appeal, colleague: User) -> None:
    at = f"{APPEALS}{sent.pk}/"
    api.post(f"{at}messages/", {"text": "Order 5"})
    sent.shop.members.add(colleague)
    assert call_as(colleague).post(f"{at}undo/", {}).status_code == 403
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        late = api.post(f"{at}undo/", {})
    assert (late.status_code, late.json()["errors"][0]["code"]) == (409, "not_undoable")
    assert api.post(f"{at}undo/", {"event": "x"}).status_code == 400
    assert api.post(f"{at}undo/", {"who": 1}).status_code == 400
