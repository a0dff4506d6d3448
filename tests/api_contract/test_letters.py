"""Letters of an appeal: text to paste, a file to sign, and what is missing, apart."""

from io import BytesIO
from typing import Any

import docx
import pytest
from rest_framework.test import APIClient

from appeals.letters import Kind
from appeals.models import Appeal, Event
from marketplaces.models import EscalationStep

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def at(sent: Appeal) -> str:
    Appeal.objects.update(external_number="7-123456")
    return f"/api/v1/appeals/{sent.pk}/letter/"


def errors(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 400, answer.content
    return [(error["attr"], error["code"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize("kind", Kind.values)
def test_every_kind_is_text_to_paste_and_a_file_to_sign(api: APIClient, at: str, kind: str) -> None:
    text = api.get(at, {"kind": kind, "as": "text"})
    assert text.status_code == 200
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    said = text.content.decode()
    assert "Это черновик" in said.splitlines()[-1]
    assert api.get(at, {"kind": kind}).content == text.content

    file = api.get(at, {"kind": kind, "as": "docx"})
    assert file.headers["Content-Type"] == WORD
    assert file.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    paragraphs = [one.text for one in docx.Document(BytesIO(file.content)).paragraphs]
    assert paragraphs[-1] == said.splitlines()[-1]


def test_as_json_it_names_what_is_missing_in_the_language_of_the_caller(api: APIClient, at: str, sent: Appeal) -> None:
    body = api.get(at, {"kind": "claim", "as": "json"}).json()
    assert (body["kind"], body["language"]) == ("claim", "ru")
    assert "ПРЕТЕНЗИЯ\nпо обращению № 7-123456" in body["text"]
    assert "Это черновик" in body["notes"]
    assert "Это черновик" not in body["text"]
    named = {gap["field"]: gap for gap in body["missing"]}
    assert named["inn"] == {
        "field": "inn",
        "name": "INN",
        "where": "enter it in the shop's card",
        "url": f"http://127.0.0.1:8000/admin/appeals/shop/{sent.shop_id}/change/",
    }
    assert named["contract"]["url"] is None


def test_facts_that_nobody_confirmed_are_named(api: APIClient, at: str, steps: list[EscalationStep]) -> None:
    EscalationStep.objects.filter(pk=steps[2].pk).update(letter="claim", term_basis_en="A law.")
    body = api.get(at, {"kind": "claim", "as": "json"}).json()
    assert body["unconfirmed"] == [{"name": "Complaint", "note": "A law.", "source": "test"}]


def test_a_follow_up_is_there_in_english_and_a_claim_is_not(api: APIClient, at: str) -> None:
    assert b"Hello," in api.get(at, {"kind": "follow_up", "language": "en"}).content
    assert errors(api.get(at, {"kind": "claim", "language": "en"})) == [("language", "invalid_choice")]


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ({}, ("kind", "required")),
        ({"kind": "poem"}, ("kind", "invalid_choice")),
        ({"kind": "claim", "as": "pdf"}, ("as", "invalid_choice")),
        ({"kind": "claim", "language": "fr"}, ("language", "invalid_choice")),
        ({"kind": "claim", "format": "docx"}, ("format", "unknown_parameter")),
    ],
)
def test_a_question_that_cannot_be_answered_names_the_parameter(
    api: APIClient, at: str, query: dict[str, str], refused: tuple[str, str]
) -> None:
    assert errors(api.get(at, query)) == [refused]


def test_as_says_what_is_wanted_and_not_the_accept_header(api: APIClient, at: str) -> None:
    answer = api.get(at, {"kind": "claim", "as": "docx"}, headers={"Accept": "image/png"})
    assert answer.headers["Content-Type"] == WORD


def test_reading_a_letter_changes_nothing(api: APIClient, at: str, sent: Appeal) -> None:
    before = Event.objects.count(), Appeal.objects.get(pk=sent.pk).version
    api.get(at, {"kind": "claim", "as": "docx"})
    assert (Event.objects.count(), Appeal.objects.get(pk=sent.pk).version) == before


def test_a_draft_has_letters_that_say_what_they_lack(api: APIClient, draft: Appeal) -> None:
    body = api.get(f"/api/v1/appeals/{draft.pk}/letter/", {"kind": "follow_up", "as": "json"}).json()
    assert "sent_on" in {gap["field"] for gap in body["missing"]}


def test_letters_of_another_team_are_not_there(api: APIClient, foreign: Appeal) -> None:
    for query in ({}, {"kind": "claim"}, {"kind": "claim", "as": "docx"}):
        assert api.get(f"/api/v1/appeals/{foreign.pk}/letter/", query).status_code == 404


def test_nobody_reads_letters_without_a_token(sent: Appeal) -> None:
    assert APIClient().get(f"/api/v1/appeals/{sent.pk}/letter/", {"kind": "claim"}).status_code == 401
