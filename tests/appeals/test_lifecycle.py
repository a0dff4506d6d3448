"""The verbs, and the clocks that they move. All times are Moscow's."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from appeals import lifecycle
from appeals.lifecycle import StateError
from appeals.models import Appeal, AppendOnlyError, Deadline, Event
from hub.models import User
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Topic
from tests.appeals.conftest import SENT, moscow


def clock_of(appeal: Appeal, kind: str) -> Deadline:
    return appeal.deadlines.filter(kind=kind).latest("id")


def states(appeal: Appeal) -> dict[str, str]:
    return {deadline.kind: deadline.state for deadline in appeal.deadlines.order_by("id")}


def reply(appeal: Appeal, agent: User, kind: str, at: str) -> Appeal:
    return lifecycle.record_reply(appeal=appeal, actor=agent, now=moscow(at), kind=kind, text="…")


def test_a_draft_has_no_clock_and_is_nobodys_turn(draft: Appeal) -> None:
    assert draft.turn == "nobody"
    assert not draft.deadlines.exists()
    assert [event.kind for event in draft.events.all()] == ["created"]


def test_submitting_starts_the_first_reply_and_the_answer(sent: Appeal) -> None:
    assert (sent.status, sent.turn, sent.submitted_at) == ("waiting", "marketplace", SENT)
    assert clock_of(sent, "first_reply").due_at == moscow("2026-10-05 12:00")
    assert clock_of(sent, "answer").due_at == moscow("2026-10-09 00:00")
    assert sent.next_due_at == moscow("2026-10-05 12:00")


def test_an_appeal_logged_later_counts_from_when_it_was_sent(draft: Appeal, agent: User) -> None:
    draft = lifecycle.submit(appeal=draft, actor=agent, now=SENT, at=moscow("2026-09-14 10:00"))
    assert clock_of(draft, "answer").due_at == moscow("2026-09-18 00:00")
    assert draft.overdue_by(SENT) == SENT - moscow("2026-09-14 12:00")
    event = draft.events.get(kind="submitted")
    assert (event.at, event.recorded_at) == (moscow("2026-09-14 10:00"), SENT)


@pytest.mark.parametrize("verb", ["submit", "record_reply", "message", "escalate"])
def test_nothing_happens_in_the_future(verb: str, draft: Appeal, agent: User, steps: list[EscalationStep]) -> None:
    parts: dict[str, dict[str, Any]] = {
        "submit": {},
        "record_reply": {"kind": "answer", "text": ""},
        "message": {"text": ""},
        "escalate": {"step": steps[1]},
    }
    if verb != "submit":
        draft = lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    before = (draft.status, draft.events.count())
    with pytest.raises(ValidationError) as error:
        getattr(lifecycle, verb)(appeal=draft, actor=agent, now=SENT, at=SENT + timedelta(seconds=1), **parts[verb])
    assert "at" in error.value.message_dict
    draft.refresh_from_db()
    assert (draft.status, draft.events.count()) == before


def test_a_reply_cannot_come_before_the_appeal_was_sent(sent: Appeal, agent: User) -> None:
    with pytest.raises(ValidationError) as error:
        lifecycle.record_reply(
            appeal=sent, actor=agent, now=SENT + timedelta(1), kind="answer", text="", at=SENT - timedelta(hours=1)
        )
    assert "at" in error.value.message_dict


def test_an_acknowledgement_meets_nothing(sent: Appeal, agent: User) -> None:
    sent = reply(sent, agent, "acknowledgement", "2026-10-05 10:01")
    assert (sent.status, states(sent)) == ("waiting", {"first_reply": "running", "answer": "running"})


def test_a_brush_off_meets_the_first_reply_and_leaves_the_answer_running(sent: Appeal, agent: User) -> None:
    sent = reply(sent, agent, "brush_off", "2026-10-05 11:00")
    assert (sent.status, states(sent)) == ("waiting", {"first_reply": "met", "answer": "running"})
    assert sent.next_due_at == moscow("2026-10-09 00:00")


def test_a_late_first_reply_is_missed_and_has_the_time_it_came(sent: Appeal, agent: User) -> None:
    sent = reply(sent, agent, "brush_off", "2026-10-05 12:01")
    first = clock_of(sent, "first_reply")
    assert (first.state, first.met_at) == ("missed", moscow("2026-10-05 12:01"))
    assert first.overdue_by(moscow("2026-11-01 00:00")) == timedelta(minutes=1)


def test_what_comes_at_the_due_moment_is_in_time(sent: Appeal, agent: User) -> None:
    sent = reply(sent, agent, "brush_off", "2026-10-05 12:00")
    assert clock_of(sent, "first_reply").state == "met"


def test_a_question_is_our_turn_and_pauses_the_answer(sent: Appeal, agent: User) -> None:
    sent = reply(sent, agent, "question", "2026-10-06 15:00")
    assert (sent.status, sent.turn) == ("our_turn", "us")
    assert states(sent) == {"first_reply": "missed", "answer": "paused", "our_reply": "running"}
    assert clock_of(sent, "our_reply").due_at == moscow("2026-10-07 15:00")
    assert sent.next_due_at == moscow("2026-10-07 15:00")


def test_writing_back_meets_our_reply_and_lets_the_answer_run_on(sent: Appeal, agent: User) -> None:
    # Tuesday has not passed when they ask: no whole counted day is kept; 3 days count from Thursday's morrow
    reply(sent, agent, "question", "2026-10-06 15:00")
    sent = lifecycle.message(appeal=sent, actor=agent, now=moscow("2026-10-07 14:00"), text="here it is")
    assert (sent.status, clock_of(sent, "our_reply").state) == ("waiting", "met")
    answer = clock_of(sent, "answer")
    assert (answer.state, answer.due_at) == ("running", moscow("2026-10-13 00:00"))


def test_whole_days_that_passed_before_the_question_stay_counted(sent: Appeal, agent: User) -> None:
    # Tuesday and Wednesday passed; one day is left when we write back on Monday: Tuesday
    reply(sent, agent, "question", "2026-10-08 09:00")
    sent = lifecycle.message(appeal=sent, actor=agent, now=moscow("2026-10-12 10:00"), text="here it is")
    assert clock_of(sent, "answer").due_at == moscow("2026-10-14 00:00")


def test_hours_that_ran_before_the_question_stay_counted(draft: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=draft, actor=agent, now=SENT, topic=None)
    sent = lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    reply(sent, agent, "question", "2026-10-05 20:00")
    sent = lifecycle.message(appeal=sent, actor=agent, now=moscow("2026-10-07 10:00"), text="here")
    assert clock_of(sent, "answer").due_at == moscow("2026-10-08 00:00")


def test_a_clock_that_was_late_before_the_pause_stays_late(sent: Appeal, agent: User) -> None:
    reply(sent, agent, "question", "2026-10-12 09:00")
    sent = lifecycle.message(appeal=sent, actor=agent, now=moscow("2026-10-12 10:00"), text="here")
    answer = clock_of(sent, "answer")
    assert (answer.state, answer.due_at) == ("running", moscow("2026-10-09 00:00"))
    assert answer.is_late(moscow("2026-10-12 10:00"))


def test_a_second_question_leaves_the_first_ones_deadline(sent: Appeal, agent: User) -> None:
    reply(sent, agent, "question", "2026-10-05 11:00")
    sent = reply(sent, agent, "question", "2026-10-05 20:00")
    assert clock_of(sent, "our_reply").due_at == moscow("2026-10-06 11:00")
    assert sent.deadlines.filter(kind="our_reply").count() == 1


def test_an_answer_meets_what_we_waited_for_and_it_is_for_us_to_decide(sent: Appeal, agent: User) -> None:
    sent = reply(sent, agent, "answer", "2026-10-06 10:00")
    assert (sent.status, sent.next_due_at) == ("our_turn", None)
    assert states(sent) == {"first_reply": "missed", "answer": "met"}


def test_an_answer_to_an_open_question_frees_us_from_replying(sent: Appeal, agent: User) -> None:
    reply(sent, agent, "question", "2026-10-05 11:00")
    sent = reply(sent, agent, "answer", "2026-10-05 13:00")
    assert states(sent) == {"first_reply": "met", "answer": "met", "our_reply": "cancelled"}


def test_writing_back_after_an_answer_starts_a_new_promise(sent: Appeal, agent: User) -> None:
    reply(sent, agent, "answer", "2026-10-06 10:00")
    sent = lifecycle.message(appeal=sent, actor=agent, now=moscow("2026-10-06 12:00"), text="that is not it")
    assert clock_of(sent, "answer").due_at == moscow("2026-10-10 00:00")


def test_escalating_cancels_an_answer_in_time_and_starts_the_steps_term(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    sent = lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), step=steps[2])
    assert states(sent) == {"first_reply": "running", "answer": "cancelled", "escalation": "running"}
    assert clock_of(sent, "escalation").due_at == moscow("2026-10-21 00:00")


def test_escalating_records_a_late_answer_as_missed(sent: Appeal, agent: User, steps: list[EscalationStep]) -> None:
    sent = lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-20 11:00"), step=steps[2])
    assert states(sent)["answer"] == "missed"


def test_a_step_without_a_term_starts_the_topics_promise_anew(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    sent = lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-12 11:00"), step=steps[1])
    assert [d.state for d in sent.deadlines.filter(kind="answer").order_by("id")] == ["missed", "running"]
    assert clock_of(sent, "answer").due_at == moscow("2026-10-16 00:00")


def test_a_further_step_takes_over_from_the_one_before(sent: Appeal, agent: User, steps: list[EscalationStep]) -> None:
    lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), step=steps[2])
    sent = lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-22 11:00"), step=steps[3])
    assert [d.state for d in sent.deadlines.filter(kind="escalation").order_by("id")] == ["missed", "running"]


def test_the_next_step_is_the_first_one_after_the_last_taken(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    assert lifecycle.next_step(sent, SENT) == steps[1]
    sent = lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), step=steps[2])
    assert lifecycle.next_step(sent, SENT) == steps[3]
    sent = lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-05 12:00"), step=steps[3])
    assert lifecycle.next_step(sent, SENT) is None


def test_a_step_that_is_not_in_force_yet_is_neither_proposed_nor_taken(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    EscalationStep.objects.filter(pk=steps[1].pk).update(available_from="2026-12-01")
    steps[1].refresh_from_db()
    assert lifecycle.next_step(sent, SENT) == steps[2]
    with pytest.raises(ValidationError) as error:
        lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-06 10:00"), step=steps[1])
    assert "step" in error.value.message_dict


def test_a_step_of_another_marketplace_or_for_buyers_is_refused(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    other = Marketplace.objects.create(slug="other", name="Другой")
    EscalationStep.objects.filter(pk=steps[1].pk).update(marketplace=other)
    EscalationStep.objects.filter(pk=steps[2].pk).update(audience="buyers")
    for step in steps[1:3]:
        step.refresh_from_db()
        with pytest.raises(ValidationError):
            lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-06 10:00"), step=step)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("granted", "met"),
        ("partly_granted", "met"),
        ("refused", "met"),
        ("ignored", "cancelled"),
        ("withdrawn", "cancelled"),
    ],
)
def test_resolving_in_time_ends_the_clocks_by_the_outcome(outcome: str, state: str, sent: Appeal, agent: User) -> None:
    sent = lifecycle.resolve(appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), outcome=outcome)
    assert (sent.status, sent.turn, sent.outcome, sent.next_due_at) == ("resolved", "nobody", outcome, None)
    assert states(sent) == {"first_reply": state, "answer": state}


@pytest.mark.parametrize("outcome", Appeal.Outcome.values)
def test_resolving_late_leaves_missed_clocks(outcome: str, sent: Appeal, agent: User) -> None:
    sent = lifecycle.resolve(appeal=sent, actor=agent, now=moscow("2026-10-30 11:00"), outcome=outcome)
    assert set(states(sent).values()) == {"missed"}


def test_reopening_starts_new_clocks_and_keeps_the_old_results(sent: Appeal, agent: User) -> None:
    lifecycle.resolve(
        appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), outcome="granted", amount_recovered=Decimal(5)
    )
    sent = lifecycle.reopen(appeal=sent, actor=agent, now=moscow("2026-10-06 10:00"), note="not paid")
    assert (sent.status, sent.outcome, sent.resolved_at) == ("waiting", "", None)
    assert [d.state for d in sent.deadlines.filter(kind="answer").order_by("id")] == ["met", "running"]
    assert sent.events.get(kind="reopened").data["before"] == {"outcome": "granted", "amount_recovered": "5.00"}


def test_snoozing_moves_no_deadline(sent: Appeal, agent: User) -> None:
    until = SENT + timedelta(days=2)
    sent = lifecycle.snooze(appeal=sent, actor=agent, now=SENT, until=until)
    assert (sent.snoozed_until, sent.next_due_at) == (until, moscow("2026-10-05 12:00"))
    with pytest.raises(ValidationError):
        lifecycle.snooze(appeal=sent, actor=agent, now=SENT, until=SENT)
    assert lifecycle.snooze(appeal=sent, actor=agent, now=SENT, until=None).snoozed_until is None


@pytest.mark.parametrize(
    ("status", "fitting"),
    [
        ("draft", {"submit", "delete_draft"}),
        ("waiting", {"record_reply", "message", "escalate", "resolve", "snooze"}),
        ("our_turn", {"record_reply", "message", "escalate", "resolve", "snooze"}),
        ("resolved", {"reopen"}),
    ],
)
def test_a_verb_that_does_not_fit_the_state_changes_nothing(
    status: str, fitting: set[str], draft: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    now = moscow("2026-10-06 10:00")
    if status != "draft":
        draft = lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    if status == "our_turn":
        draft = reply(draft, agent, "question", "2026-10-05 11:00")
    if status == "resolved":
        draft = lifecycle.resolve(appeal=draft, actor=agent, now=SENT, outcome="granted")
    calls: dict[str, dict[str, Any]] = {
        "submit": {},
        "delete_draft": {},
        "record_reply": {"kind": "answer", "text": ""},
        "message": {"text": ""},
        "escalate": {"step": steps[1]},
        "resolve": {"outcome": "granted"},
        "snooze": {"until": now + timedelta(1)},
        "reopen": {},
    }
    assert set(lifecycle.verbs(draft)) == fitting
    before = draft.events.count()
    for verb in set(calls) - fitting:
        with pytest.raises(StateError) as error:
            getattr(lifecycle, verb)(appeal=draft, actor=agent, now=now, **calls[verb])
        assert error.value.status == status
        assert status not in error.value.allowed
    draft.refresh_from_db()
    assert (draft.status, draft.events.count()) == (status, before)


def test_changing_the_topic_moves_the_answer_from_its_own_start(sent: Appeal, agent: User) -> None:
    sent = lifecycle.edit(appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), topic=None)
    assert clock_of(sent, "answer").due_at == moscow("2026-10-06 10:00")
    (moved,) = sent.events.get(kind="edited").data["deadlines"]
    assert (moved["kind"], moved["change"]) == ("answer", "moved")
    assert datetime.fromisoformat(moved["was"]) == moscow("2026-10-09 00:00")
    assert datetime.fromisoformat(moved["due_at"]) == moscow("2026-10-06 10:00")


def test_a_promise_that_no_longer_applies_ends_and_a_new_one_starts(sent: Appeal, agent: User, desk: Channel) -> None:
    sent = lifecycle.edit(appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), channel=None)
    assert states(sent) == {"first_reply": "cancelled", "answer": "running"}


def test_a_promise_that_first_applies_after_an_edit_counts_from_the_sending(
    draft: Appeal, agent: User, desk: Channel
) -> None:
    lifecycle.edit(appeal=draft, actor=agent, now=SENT, channel=None)
    sent = lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    assert states(sent) == {"answer": "running"}
    sent = lifecycle.edit(appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), channel=desk)
    assert clock_of(sent, "first_reply").due_at == moscow("2026-10-05 12:00")


def test_an_edit_that_changes_nothing_leaves_no_line(draft: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=draft, actor=agent, now=SENT, subject=draft.subject)
    assert not draft.events.filter(kind="edited").exists()


def test_an_edit_says_what_was_and_what_is(draft: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=draft, actor=agent, now=SENT, subject="New", amount_at_stake=Decimal("10.50"))
    changed = draft.events.get(kind="edited").data["changed"]
    assert changed == {"subject": ["Where is the money?", "New"], "amount_at_stake": [None, "10.50"]}


def test_ended_deadlines_do_not_move_with_an_edit(sent: Appeal, agent: User) -> None:
    sent = reply(sent, agent, "answer", "2026-10-06 10:00")
    before = [(d.state, d.due_at) for d in sent.deadlines.order_by("id")]
    sent = lifecycle.edit(appeal=sent, actor=agent, now=moscow("2026-10-06 11:00"), topic=None)
    assert [(d.state, d.due_at) for d in sent.deadlines.order_by("id")] == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", ""),
        ("order_numbers", "12345"),
        ("order_numbers", [""]),
        ("product_codes", ["x" * 101]),
        ("amount_at_stake", Decimal(-1)),
        ("status", "resolved"),
    ],
)
def test_bad_input_names_the_field_and_changes_nothing(field: str, value: object, draft: Appeal, agent: User) -> None:
    with pytest.raises(ValidationError) as error:
        lifecycle.edit(appeal=draft, actor=agent, now=SENT, **{field: value})
    assert field in error.value.message_dict
    assert draft.events.count() == 1


def test_parts_of_another_marketplace_and_strangers_are_refused(draft: Appeal, agent: User) -> None:
    other = Marketplace.objects.create(slug="other", name="Другой")
    foreign: dict[str, object] = {
        "topic": Topic.objects.create(slug="other-topic", marketplace=other, name="Тема", source="test"),
        "channel": Channel.objects.create(marketplace=other, kind="chat", name="Чат", source="test"),
        "assignee": User.objects.create_user("stranger@example.com"),
        "previous": draft,
    }
    for field, value in foreign.items():
        with pytest.raises(ValidationError) as error:
            lifecycle.edit(appeal=draft, actor=agent, now=SENT, **{field: value})
        assert field in error.value.message_dict


def test_a_draft_can_be_deleted_with_its_lines(draft: Appeal, agent: User) -> None:
    lifecycle.delete_draft(appeal=draft, actor=agent, now=SENT)
    assert not Appeal.objects.exists()
    assert not Event.objects.exists()


def test_events_are_append_only(sent: Appeal) -> None:
    event = sent.events.latest("id")
    event.text = "another story"
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        sent.events.all().delete()
    with pytest.raises(AppendOnlyError):
        sent.events.update(text="another story")


def test_an_appeal_without_any_promise_still_goes_out(draft: Appeal, agent: User) -> None:
    ResponseTarget.objects.all().delete()
    sent = lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    assert (sent.status, sent.next_due_at) == ("waiting", None)


def test_search_finds_cyrillic_in_any_case_and_numbers(draft: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=draft, actor=agent, now=SENT, subject="Ёлка не Доставлена", order_numbers=["0123-45"])
    for text in ("ёлка ДОСТАВЛЕНА", "0123-45"):
        assert list(Appeal.objects.search(text)) == [draft]
    assert not Appeal.objects.search("кофе").exists()


def test_search_takes_a_number_as_it_is_written(draft: Appeal, agent: User) -> None:
    other = lifecycle.create(actor=agent, now=SENT, shop=draft.shop, subject=f"Повтор {draft.pk}, заказ 31443965")
    for text in (f"№ {draft.pk}", f"#{draft.pk}", f" №{draft.pk} "):
        assert list(Appeal.objects.search(text)) == [draft]
    for text in ("№ 31443965", "№31443965", "заказ № 31443965"):
        assert list(Appeal.objects.search(text)) == [other]
    assert not Appeal.objects.search("№ 999999999999999999").exists()


def test_search_finds_a_word_with_signs_whole(draft: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=draft, actor=agent, now=SENT, product_codes=["ART-04711/7", "х_100%"])
    for text in ("art-04711", "ART-04711/7", "t-0471", "-04711", "04711/", "04711", "х_100%", "_100"):
        assert list(Appeal.objects.search(text)) == [draft], text
    for text in ("art_04711", "04711-art", "art-04711-7", "xart-04711", "04711%", "-100%"):
        assert not Appeal.objects.search(text).exists(), text


def test_times_are_stored_in_utc(sent: Appeal) -> None:
    assert clock_of(sent, "answer").due_at.tzinfo == UTC
