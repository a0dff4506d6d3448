"""Over several connections: a rule saved while others plan, a person for whom two workers claim at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread

import pytest
from django.db import connection, transaction

from appeals import claims, ladder, lifecycle, reminders
from appeals.models import Appeal, Deadline, ReminderRule
from appeals.recipients import Roster
from hub.models import User
from tests.appeals.conftest import SENT, moscow

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

BREACH = moscow("2026-10-09 00:00")
LATER = BREACH + timedelta(hours=5)


def elsewhere(work: Callable[[], object]) -> Thread:
    """Does it in another thread, over a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


def new_rule() -> ReminderRule:
    return ReminderRule.objects.create(deadline_kind="answer", amount=5)


def test_a_rule_saved_while_a_sweep_plans_is_not_missed(sent: Appeal, monkeypatch: pytest.MonkeyPatch) -> None:
    ReminderRule.objects.exclude(amount=0).delete()
    real = ladder.rungs

    def saved_meanwhile(*args: object, **kwargs: object) -> object:
        monkeypatch.setattr(ladder, "rungs", real)
        elsewhere(new_rule).join()
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ladder, "rungs", saved_meanwhile)
    reminders.sweep(BREACH)
    reminders.sweep(BREACH + timedelta(minutes=1))
    assert sent.deadlines.get(kind="answer").remind_at == LATER


def test_a_rule_saved_between_two_batches_counts_for_the_second(
    sent: Appeal, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ReminderRule.objects.exclude(amount=0).delete()
    monkeypatch.setattr(reminders, "BATCH", 1)
    real, left = reminders._save, [new_rule]

    def saved_meanwhile(plans: object, now: datetime) -> None:
        real(plans, now)  # type: ignore[arg-type]
        while left:
            elsewhere(left.pop()).join()

    monkeypatch.setattr(reminders, "_save", saved_meanwhile)
    Deadline.objects.filter(kind="first_reply").update(remind_at=BREACH - timedelta(days=1))
    reminders.sweep(BREACH)
    assert sent.deadlines.get(kind="answer").remind_at == LATER


def test_a_deadline_that_starts_while_a_rule_is_saved_hears_of_it(draft: Appeal, agent: User) -> None:
    ReminderRule.objects.exclude(amount=0).delete()
    with transaction.atomic():
        lifecycle.submit(appeal=draft, actor=agent, now=SENT)
        elsewhere(new_rule).join()
        sweep = elsewhere(lambda: reminders.sweep(SENT + timedelta(minutes=1)))
        sweep.join(0.5)
    sweep.join()
    reminders.sweep(BREACH)
    assert draft.deadlines.get(kind="answer").remind_at == LATER


def test_while_one_worker_claims_for_a_person_another_takes_nothing_of_theirs(sent: Appeal, agent: User) -> None:
    reminders.sweep(BREACH)
    found: list[object] = []

    def claim(now: datetime) -> None:
        found.append(claims.take(["agent@example.com"], now, Roster()))

    def new_reminder_and_claim() -> None:
        now = BREACH + timedelta(hours=23)
        lifecycle.record_reply(appeal=sent, actor=agent, now=BREACH, kind="question", text="Which order?")
        reminders.sweep(now)
        claim(now)

    with transaction.atomic():
        claim(BREACH)
        elsewhere(new_reminder_and_claim).join()
    assert found[0]
    assert found[1] is None
