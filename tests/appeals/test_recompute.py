"""A change of the directory moves the deadlines that run, and only those. All times are Moscow's."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appeals import lifecycle, recompute
from appeals.models import Appeal, Deadline, ReminderRule, Shop
from hub.models import User
from marketplaces.models import Channel, EscalationStep, ResponseTarget, Topic
from tests.appeals.conftest import SENT, moscow

SOON = moscow("2026-10-05 10:30")


def first_reply(appeal: Appeal) -> Deadline:
    return appeal.deadlines.get(kind="first_reply")


def test_new_hours_move_what_runs(sent: Appeal, desk: Channel) -> None:
    Channel.objects.filter(pk=desk.pk).update(opening_hours="Mo-Fr 11:00-18:00; PH off")
    effect = recompute.apply(now=SOON)
    assert (effect.examined, effect.moved, effect.become_late) == (2, 1, 0)
    assert first_reply(sent).due_at == moscow("2026-10-05 13:00")
    sent.refresh_from_db()
    assert sent.next_due_at == moscow("2026-10-05 13:00")


def test_the_timeline_says_what_moved_and_why(sent: Appeal, desk: Channel, agent: User) -> None:
    ResponseTarget.objects.filter(channel=desk).update(amount=3)
    recompute.apply(now=SOON, actor=agent)
    event = sent.events.get(kind="deadline")
    (moved,) = event.data["deadlines"]
    assert (event.actor, moved["kind"], moved["change"]) == (agent, "first_reply", "moved")
    assert datetime.fromisoformat(moved["was"]) == moscow("2026-10-05 12:00")
    assert datetime.fromisoformat(moved["due_at"]) == moscow("2026-10-05 13:00")
    assert moved["promise"] == {
        "channel": {"ru": "Чат", "en": "Chat"},
        "marketplace": {"ru": "Базар", "en": "Bazaar"},
        **{"amount": 3, "unit": "working_hours", "source": "test"},
    }


def test_a_preview_counts_the_same_and_writes_nothing(sent: Appeal, desk: Channel) -> None:
    ResponseTarget.objects.filter(channel=desk).update(amount=1, unit="minutes")
    before = list(Deadline.objects.values_list("due_at", "amount"))
    effect = recompute.preview(now=SOON)
    assert (effect.examined, effect.moved, effect.become_late) == (2, 1, 1)
    assert list(Deadline.objects.values_list("due_at", "amount")) == before
    assert recompute.apply(now=SOON) == effect


def test_a_second_run_finds_nothing(sent: Appeal, desk: Channel) -> None:
    ResponseTarget.objects.filter(channel=desk).update(amount=3)
    recompute.apply(now=SOON)
    assert recompute.apply(now=SOON).moved == 0
    assert sent.events.filter(kind="deadline").count() == 1


def test_ended_deadlines_never_change(sent: Appeal, desk: Channel, agent: User) -> None:
    lifecycle.record_reply(appeal=sent, actor=agent, now=SOON, kind="brush_off", text="")
    before = first_reply(sent)
    ResponseTarget.objects.filter(channel=desk).update(amount=9)
    recompute.apply(now=SOON)
    after = first_reply(sent)
    assert (after.state, after.due_at, after.amount) == (before.state, before.due_at, before.amount)


def test_a_paused_clock_runs_on_by_the_new_promise(sent: Appeal, agent: User, finance: Topic) -> None:
    lifecycle.record_reply(appeal=sent, actor=agent, now=moscow("2026-10-07 09:00"), kind="question", text="")
    ResponseTarget.objects.filter(topic=finance).update(amount=5)
    recompute.apply(now=moscow("2026-10-07 10:00"))
    answer = sent.deadlines.get(kind="answer")
    assert (answer.state, answer.amount) == ("paused", 5)
    sent = lifecycle.message(appeal=sent, actor=agent, now=moscow("2026-10-07 11:00"), text="")
    # Tuesday stays counted; four days are left: Thursday, Friday, Monday, Tuesday
    assert sent.deadlines.get(kind="answer").due_at == moscow("2026-10-14 00:00")


def test_a_step_with_a_new_term_moves_its_deadline(sent: Appeal, agent: User, steps: list[EscalationStep]) -> None:
    lifecycle.escalate(appeal=sent, actor=agent, now=SOON, step=steps[2])
    EscalationStep.objects.filter(pk=steps[2].pk).update(term_amount=10, term_unit="working_days")
    recompute.apply(now=SOON)
    assert sent.deadlines.get(kind="escalation").due_at == moscow("2026-10-20 00:00")


def test_a_target_that_left_the_directory_leaves_the_copy(sent: Appeal, desk: Channel) -> None:
    ResponseTarget.objects.all().update(retired_at=SENT)
    assert recompute.apply(now=SOON).moved == 0
    assert first_reply(sent).due_at == moscow("2026-10-05 12:00")


@pytest.fixture
def at_the_breach(db: None) -> None:
    """One rule of the ladder only: at the breach, and two working days later."""
    ReminderRule.objects.all().delete()
    ReminderRule.objects.create(
        deadline_kind="first_reply", repeat_amount=2, repeat_unit="working_days", repeat_limit=2
    )


def test_what_becomes_late_by_the_change_is_told_at_the_next_sweep(
    at_the_breach: None, sent: Appeal, desk: Channel
) -> None:
    ResponseTarget.objects.filter(channel=desk).update(amount=1, unit="minutes")
    recompute.apply(now=SOON)
    assert first_reply(sent).remind_at == moscow("2026-10-05 10:01")


def test_what_was_late_before_is_not_told_again_because_a_rule_changed(
    at_the_breach: None, sent: Appeal, desk: Channel
) -> None:
    now = moscow("2026-10-05 15:00")
    ResponseTarget.objects.filter(channel=desk).update(amount=3)
    recompute.apply(now=now)
    late = first_reply(sent)
    assert late.is_late(now)
    assert late.remind_at == moscow("2026-10-07 13:00")


def test_only_the_marketplace_that_changed_is_walked(sent: Appeal, desk: Channel) -> None:
    ResponseTarget.objects.filter(channel=desk).update(amount=3)
    assert recompute.apply(now=SOON, marketplace_id=sent.shop.marketplace_id + 1).examined == 0


def test_the_number_of_queries_does_not_grow_with_the_deadlines(
    sent: Appeal, desk: Channel, shop: Shop, agent: User, finance: Topic
) -> None:
    def queries(amount: int) -> int:
        ResponseTarget.objects.filter(channel=desk).update(amount=amount)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert recompute.apply(now=SOON).moved == Appeal.objects.count()
        return len(captured)

    few = queries(3)
    for number in range(20):
        draft = lifecycle.create(
            actor=agent, now=SENT, shop=shop, topic=finance, channel=desk, subject=f"No. {number}", assignee=agent
        )
        lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    assert queries(4) == few


def test_what_cannot_be_counted_stays_and_holds_up_nothing_else(sent: Appeal, desk: Channel, finance: Topic) -> None:
    Channel.objects.filter(pk=desk.pk).update(opening_hours="2026 Jan 01 09:00-10:00")
    ResponseTarget.objects.filter(topic=finance).update(amount=4)
    effect = recompute.apply(now=SOON)
    assert (effect.moved, first_reply(sent).due_at) == (1, moscow("2026-10-05 12:00"))
    assert sent.deadlines.get(kind="answer").due_at == moscow("2026-10-10 00:00")


def test_the_rules_of_each_batch_are_those_of_its_moment(
    sent: Appeal, desk: Channel, agent: User, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that is saved while deadlines are recomputed must not be forgotten for those that come later."""
    later = lifecycle.submit(
        appeal=lifecycle.create(actor=agent, now=SENT, shop=shop, channel=desk, subject="Later"), actor=agent, now=SENT
    )
    ReminderRule.objects.all().delete()
    Channel.objects.filter(pk=desk.pk).update(opening_hours="Mo-Fr 11:00-18:00; PH off")
    monkeypatch.setattr(recompute, "BATCH", 1)
    write = recompute._write

    def write_and_save_a_rule(*args: Any) -> None:
        write(*args)
        ReminderRule.objects.get_or_create(deadline_kind="first_reply", moment="before", amount=1)

    monkeypatch.setattr(recompute, "_write", write_and_save_a_rule)
    recompute.apply(now=SOON)
    assert first_reply(later).remind_at == moscow("2026-10-05 12:00")
