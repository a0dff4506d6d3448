"""Running deadlines after an edit of the directory: an editor is told and decides, an edit by a program just moves."""

from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from appeals.models import Appeal
from appeals.tasks import recompute_deadlines
from hub.models import ApiToken, User
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget
from tests.appeals.conftest import moscow
from tests.marketplaces.workplace import filled, save

SOON = moscow("2026-10-05 10:30")


@pytest.fixture
def editor(db: None) -> User:
    user = User.objects.create_user("editor@example.com", language="en", full_name="Edith")
    user.groups.add(Group.objects.get(name="directory editor"))
    return user


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(recompute_deadlines, "delay", lambda *args: calls.append(args))
    return calls


@pytest.fixture(autouse=True)
def _commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction around a test never ends; what waits for its end is done at once."""
    monkeypatch.setattr("django.db.transaction.on_commit", lambda do, **options: do())


def told(client: Client, row: Any, **values: Any) -> str:
    with time_machine.travel(SOON, tick=False):
        save(client, row, filled(client, row) | values)
        return client.get(reverse("admin:index")).content.decode()


def test_an_edit_of_a_target_says_how_many_deadlines_would_move_and_become_late(
    client: Client,
    editor: User,
    sent: Appeal,
    desk: Channel,
    queued: list[Any],
) -> None:
    client.force_login(editor)
    target = ResponseTarget.objects.get(channel=desk)
    page = told(client, target, amount=1, unit="minutes")
    assert "1 running deadline on Bazaar would move by this. 1 would become late." in page
    assert reverse("recompute", args=["bazaar"]) in page
    assert queued == []


def test_that_none_would_become_late_is_not_said(
    client: Client, editor: User, sent: Appeal, desk: Channel, queued: list[Any]
) -> None:
    client.force_login(editor)
    page = told(client, ResponseTarget.objects.get(channel=desk), amount=90, unit="working_days")
    assert "1 running deadline on Bazaar would move by this." in page
    assert "become late" not in page


def test_an_edit_that_moves_nothing_says_nothing(
    client: Client,
    editor: User,
    sent: Appeal,
    desk: Channel,
) -> None:
    client.force_login(editor)
    page = told(client, desk, address="https://example.com")
    assert "would move" not in page


def test_too_many_to_count_are_recomputed_all_the_same(
    client: Client, editor: User, sent: Appeal, queued: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appeals.admin.recompute.COUNTED_AT_ONCE", 1)
    client.force_login(editor)
    page = client.get(reverse("recompute", args=["bazaar"])).content.decode()
    assert "There are many running deadlines on Bazaar." in page
    assert "Recompute deadlines" in page


def test_the_page_shows_the_same_and_its_button_queues_it(
    client: Client, editor: User, sent: Appeal, desk: Channel, queued: list[Any]
) -> None:
    Channel.objects.filter(pk=desk.pk).update(opening_hours="Mo-Fr 11:00-18:00; PH off")
    client.force_login(editor)
    with time_machine.travel(SOON, tick=False):
        effect = client.get(reverse("recompute", args=["bazaar"])).context["effect"]
        assert (effect.examined, effect.moved, effect.become_late) == (2, 1, 0)
        client.post(reverse("recompute", args=["bazaar"]))
        assert queued == [(desk.marketplace_id, editor.pk)]
        recompute_deadlines(*queued[0])
    assert sent.deadlines.get(kind="first_reply").due_at == moscow("2026-10-05 13:00")
    assert sent.events.get(kind="deadline").actor == editor


@pytest.mark.parametrize("role", ["viewer", "agent", "lead"])
def test_only_editors_recompute(client: Client, market: Marketplace, role: str, queued: list[Any]) -> None:
    user = User.objects.create_user("somebody@example.com")
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    assert client.get(reverse("recompute", args=["bazaar"])).status_code == 403
    assert client.post(reverse("recompute", args=["bazaar"])).status_code == 403
    assert queued == []


def test_an_edit_by_a_program_is_followed_by_itself(
    editor: User,
    sent: Appeal,
    desk: Channel,
    steps: list[EscalationStep],
    queued: list[Any],
) -> None:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.objects.create(editor)[1]}")
    target = ResponseTarget.objects.get(channel=desk)
    for address in (f"response-targets/{target.pk}", f"escalation-steps/{steps[2].pk}", f"channels/{desk.pk}"):
        body = {"amount": 3} if "targets" in address else {"source": "our call"}
        assert api.patch(f"/api/v1/{address}/", body).status_code == 200
    assert queued == [(desk.marketplace_id, editor.pk)] * 3
    assert api.patch("/api/v1/topics/finance/", {"name": "Деньги"}).status_code == 200
    assert len(queued) == 3


def test_a_broker_that_is_away_does_not_spoil_an_answer(
    editor: User,
    sent: Appeal,
    desk: Channel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*args: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(recompute_deadlines, "delay", away)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.objects.create(editor)[1]}")
    assert api.patch(f"/api/v1/channels/{desk.pk}/", {"source": "our call"}).status_code == 200
