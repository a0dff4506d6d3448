"""What belongs to another team is not there: on every route of the schema, also on those that are yet to come."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from appeals import lifecycle
from appeals.models import Appeal, Attachment, Event, Reminder, Shop
from hub.models import User
from marketplaces.models import EscalationStep
from tests.api_contract.conftest import call_as, make_appeal, person, submitted
from tests.api_contract.schema import generated

# What every user may read: the directory, and who they are themselves
EVERYBODYS = ("marketplaces", "channels", "topics", "response-targets", "escalation-steps", "me")
METHODS = ("get", "post", "patch", "delete", "put")


def operations() -> list[tuple[str, str]]:
    paths: dict[str, Any] = generated()["paths"]
    return [(method, path) for path, item in paths.items() for method in item if method in METHODS]


def resource(path: str) -> str:
    return path.removeprefix("/api/v1/").split("/")[0]


# PostgreSQL gives the caller's rights along with the token
both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])


@pytest.fixture
def attachment(foreign: Appeal, outsider: User) -> Attachment:
    file = SimpleUploadedFile("secret.txt", b"secret")
    return lifecycle.attach(appeal=foreign, actor=outsider, now=foreign.created_at, file=file, name="secret.txt")


def reminder_of(appeal: Appeal) -> Reminder:
    deadline = appeal.deadlines.get()
    return Reminder.objects.create(
        deadline=deadline,
        due_at=deadline.due_at,
        rung_at=deadline.due_at,
        address="outsider@example.com",
        role="assignee",
        created_at=appeal.created_at,
        send_after=appeal.created_at,
    )


def test_every_route_with_a_number_is_404_for_somebody_of_another_team(
    api: APIClient, agent: User, foreign: Appeal, attachment: Attachment, steps: list[EscalationStep]
) -> None:
    bodies: dict[str, Any] = {
        "replies": {"kind": "answer", "text": "x"},
        "messages": {"text": "x"},
        "escalate": {"step": steps[1].pk},
        "resolve": {"outcome": "granted"},
        "reopen": {"note": "x"},
        "snooze": {"until": None},
        "undo": {},
        "shops": {"members": [agent.email]},
    }
    agent.user_permissions.set(Permission.objects.all())
    before = (foreign.version, Event.objects.count(), Attachment.objects.count())
    numbers = {"shops": foreign.shop_id, "appeals": foreign.pk, "reminders": reminder_of(foreign).pk}
    tried = 0
    for method, path in operations():
        if resource(path) in EVERYBODYS or "{" not in path:
            continue
        own = {"appeal_id": foreign.pk, "id": attachment.pk if "attachments" in path else numbers[resource(path)]}
        url = path.format(**own)
        word = path.rstrip("/").split("/")[-1].strip("{}")
        if path.endswith("attachments/") and method == "post":
            file = {"file": SimpleUploadedFile("a.txt", b"text")}
            answer = api.post(url, file, format="multipart")
        else:
            body = bodies.get(word, bodies["shops"] if resource(path) == "shops" else {"subject": "mine now"})
            answer = api.generic(method.upper(), url) if method == "get" else getattr(api, method)(url, body)
        assert answer.status_code == 404, f"{method} {path} answered {answer.status_code}"
        assert b"secret" not in answer.content
        tried += 1
    assert tried >= 16
    foreign.refresh_from_db()
    assert (foreign.version, Event.objects.count(), Attachment.objects.count()) == before


def test_every_list_hides_what_belongs_to_another_team(
    api: APIClient, foreign: Appeal, attachment: Attachment, outside: APIClient
) -> None:
    reminder_of(foreign)
    lists = [
        path
        for method, path in operations()
        if method == "get" and "{" not in path and resource(path) not in EVERYBODYS
    ]
    assert lists == ["/api/v1/appeals/", "/api/v1/reminders/", "/api/v1/shops/"]
    for path in lists:
        assert len(outside.get(path).json()["results"]) == 1
        assert api.get(path).json()["results"] == []


def test_another_teams_shop_and_appeal_cannot_be_named_in_a_request(
    api: APIClient, shop: Shop, foreign: Appeal
) -> None:
    for field, value in (("shop", foreign.shop_id), ("previous", foreign.pk)):
        body = {"shop": shop.pk, "subject": "x", field: value}
        answer = api.post("/api/v1/appeals/", body)
        absent = api.post("/api/v1/appeals/", body | {field: 987654})
        assert answer.status_code == absent.status_code == 400
        assert answer.json()["errors"][0]["code"] == absent.json()["errors"][0]["code"] == "does_not_exist"
    assert api.get("/api/v1/appeals/", {"shop": str(foreign.shop_id)}).status_code == 400


def test_an_administrator_sees_all(admin_api: APIClient, sent: Appeal, foreign: Appeal) -> None:
    assert {row["id"] for row in admin_api.get("/api/v1/appeals/").json()["results"]} == {sent.pk, foreign.pk}
    assert admin_api.get(f"/api/v1/shops/{foreign.shop_id}/").status_code == 200


@both
@pytest.mark.parametrize("role", ["", "viewer", "directory editor"])
def test_a_member_whose_role_lets_them_look_or_who_has_none_reads_and_writes_nothing(
    database: str, sent: Appeal, draft: Appeal, shop: Shop, role: str
) -> None:
    reader = person("reader", role)
    shop.members.add(reader)
    client, at, before = call_as(reader), f"/api/v1/appeals/{sent.pk}/", Event.objects.count()
    assert client.get(at).status_code == 200
    assert client.patch(at, {"subject": "y"}).status_code == 403
    assert client.post("/api/v1/appeals/", {"shop": shop.pk, "subject": "y"}).status_code == 403
    assert client.post(f"{at}messages/", {"text": "y"}).status_code == 403
    assert client.post(f"{at}attachments/", {}, format="multipart").status_code == 403
    assert client.delete(at).status_code == 403
    assert client.patch(f"/api/v1/shops/{shop.pk}/", {"name": "y"}).status_code == 403
    assert (Event.objects.count(), Appeal.objects.count()) == (before, 1)


@both
@pytest.mark.parametrize(("right", "codes"), [("add", (201, 403, 403)), ("delete", (403, 403, 204))])
def test_each_right_to_write_opens_its_own_calls_and_no_other(
    database: str, draft: Appeal, shop: Shop, right: str, codes: tuple[int, int, int]
) -> None:
    writer = person("writer")
    writer.user_permissions.add(Permission.objects.get(codename=f"{right}_appeal"))
    shop.members.add(writer)
    client, at = call_as(writer), f"/api/v1/appeals/{draft.pk}/"
    answers = (
        client.post("/api/v1/appeals/", {"shop": shop.pk, "subject": "y"}),
        client.patch(at, {"subject": "y"}),
        client.delete(at),
    )
    assert tuple(answer.status_code for answer in answers) == codes


def test_measured_times_come_from_the_callers_own_appeals(api: APIClient, foreign: Appeal, outsider: User) -> None:
    late = submitted(make_appeal(foreign.shop, outsider, channel=foreign.channel), outsider, ago=timedelta(hours=2))
    lifecycle.record_reply(appeal=late, actor=outsider, now=foreign.created_at, kind="answer", text="x")
    found = api.get("/api/v1/marketplaces/bazaar/contact/").json()
    assert [one["measured"] for one in found] == [None]
