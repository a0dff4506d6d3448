"""What a start does about deadlines that run when the release brings another directory."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from appeals import lifecycle, tasks
from appeals.models import Deadline, Shop
from hub import startup
from marketplaces.models import Marketplace, ResponseTarget, ShippedFact, Topic


@pytest.fixture
def running(db: None) -> Deadline:
    """An answer that Ozon owes in 3 working days, as the shipped directory says."""
    call_command("load_directory", verbosity=0)
    now = timezone.now()
    shop = Shop.objects.create(name="Tea", marketplace=Marketplace.objects.get(slug="ozon"))
    draft = lifecycle.create(actor=None, now=now, shop=shop, subject="Money", topic=Topic.objects.get(slug="finance"))
    lifecycle.submit(appeal=draft, actor=None, now=now)
    return Deadline.objects.get(kind="answer")


def earlier_release(days: int) -> None:
    """As if the release before had shipped another promise."""
    ResponseTarget.objects.filter(key="answer-finance").update(amount=days)
    fact = ShippedFact.objects.get(marketplace="ozon", key="answer-finance")
    fact.values["amount"] = days
    fact.save()


def test_running_deadlines_follow_a_promise_that_the_release_changed(
    running: Deadline, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[tuple[object, ...]] = []
    monkeypatch.setattr(tasks.recompute_deadlines, "delay", lambda *arguments: queued.append(arguments))
    earlier_release(9)
    call_command("recompute_deadlines", verbosity=0)
    long = Deadline.objects.get(pk=running.pk).due_at
    assert long > running.due_at + timedelta(days=5)

    assert "move by it in the background: 1, that become late: 0" in startup.load_directory()

    assert queued == [()]
    tasks.recompute_deadlines()
    assert Deadline.objects.get(pk=running.pk).due_at == running.due_at


def test_a_start_without_news_moves_nothing(running: Deadline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.recompute_deadlines, "delay", lambda *arguments: pytest.fail("queued"))
    assert "move" not in startup.load_directory()
