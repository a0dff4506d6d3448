"""Taking a line back: the appeal, its clocks and its reminders are what they were. All times are Moscow's."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import translation
from django.utils.module_loading import import_string

from appeals import delivery, lifecycle, reminders, timeline, undo
from appeals.models import Appeal, Deadline, Event, Membership, Reminder, Shop, Snapshot
from appeals.undo import UndoError
from hub.models import User
from marketplaces.models import Channel, EscalationStep, ResponseTarget, Topic
from tests.appeals.conftest import SENT, moscow

MINUTE = timedelta(minutes=1)

# What can be done to an appeal that waits, and to one that is our turn, as arguments of a verb
DEEDS: dict[str, tuple[str, dict[str, Any]]] = {
    "acknowledgement": ("record_reply", {"kind": "acknowledgement", "text": "Received."}),
    "question": ("record_reply", {"kind": "question", "text": "Which order?"}),
    "brush_off": ("record_reply", {"kind": "brush_off", "text": "Read the help."}),
    "answer": ("record_reply", {"kind": "answer", "text": "Paid."}),
    "message": ("message", {"text": "Please."}),
    "escalate": ("escalate", {"step": 1, "external_number": "E-1"}),
    "complain": ("escalate", {"step": 2}),
    "grant": ("resolve", {"outcome": "granted", "amount_recovered": Decimal(5)}),
    "withdraw": ("resolve", {"outcome": "withdrawn"}),
    "snooze": ("snooze", {"until": moscow("2026-10-30 10:00")}),
    "assign": ("edit", {"assignee": None}),
    "urgent": ("edit", {"priority": "urgent", "is_complex": True, "subject": "Now!", "amount_at_stake": 7}),
}


@pytest.fixture(autouse=True)
def _complex_cases(finance: Topic, desk: Channel) -> None:
    ResponseTarget.objects.create(
        marketplace=desk.marketplace,
        kind="answer",
        topic=finance,
        is_complex=True,
        amount=6,
        unit="working_days",
        source="test",
    )


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def colleague(shop: Shop) -> User:
    user = User.objects.create_user("colleague@example.com", language="en")
    Membership.objects.create(shop=shop, user=user)
    return user


def do(deed: str, appeal: Appeal, actor: User, now: datetime, steps: list[EscalationStep]) -> Appeal:
    verb, values = DEEDS[deed]
    if "step" in values:
        values = values | {"step": steps[values["step"]]}
    done: Appeal = getattr(lifecycle, verb)(appeal=appeal, actor=actor, now=now, **values)
    return done


def picture(appeal: Appeal) -> tuple[Any, ...]:
    """Every column of the appeal but its version, and of its clocks."""
    row: dict[str, Any] = dict(Appeal.objects.filter(pk=appeal.pk).values().get())
    del row["version"]
    return row, list(Deadline.objects.filter(appeal=appeal).order_by("pk").values())


def tick(now: datetime) -> None:
    reminders.sweep(now)
    delivery.deliver(now)


@pytest.mark.parametrize("turn", ["waiting", "our_turn"])
@pytest.mark.parametrize("swept", [False, True])
def test_what_is_undone_leaves_the_appeal_and_its_clocks_as_they_were(
    turn: str, sent: Appeal, agent: User, steps: list[EscalationStep], *, swept: bool
) -> None:
    now = moscow("2026-10-06 15:00")
    tick(now)
    if turn == "our_turn":
        sent = do("question", sent, agent, now + MINUTE, steps)
    tick(now + 2 * MINUTE)
    before = picture(sent)
    changed = set()
    for deed in DEEDS:
        done = do(deed, sent, agent, now + 3 * MINUTE, steps)
        if picture(sent) != before:
            changed.add(deed)
        if swept:
            tick(now + 4 * MINUTE)
        back = undo.undo(appeal=sent, actor=agent, now=now + 5 * MINUTE)
        assert picture(sent) == before, deed
        assert back.version > done.version
    nothing = {"waiting": {"acknowledgement", "message"}, "our_turn": {"acknowledgement", "question", "brush_off"}}
    assert changed == set(DEEDS) - nothing[turn]


def test_an_appeal_noted_as_sent_by_mistake_is_a_draft_again(draft: Appeal, agent: User) -> None:
    before = picture(draft)
    lifecycle.submit(appeal=draft, actor=agent, now=SENT, external_number="77", at=SENT - timedelta(days=1))
    back = undo.undo(appeal=draft, actor=agent, now=SENT + MINUTE)
    assert picture(draft) == before
    assert back.status == "draft"
    again = lifecycle.submit(appeal=draft, actor=agent, now=SENT + 2 * MINUTE, at=SENT - timedelta(days=2))
    assert again.submitted_at == SENT - timedelta(days=2)


def test_a_reopened_appeal_is_resolved_again(sent: Appeal, agent: User) -> None:
    lifecycle.resolve(appeal=sent, actor=agent, now=SENT + MINUTE, outcome="refused", amount_recovered=Decimal(3))
    before = picture(sent)
    lifecycle.reopen(appeal=sent, actor=agent, now=SENT + 20 * MINUTE)
    undo.undo(appeal=sent, actor=agent, now=SENT + 21 * MINUTE)
    assert picture(sent) == before


@pytest.mark.parametrize("at", ["2026-10-05 11:50", "2026-10-08 23:55", "2026-10-12 09:00"])
def test_people_are_reminded_as_if_it_had_never_happened(
    at: str, sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    """The lives of one appeal, with each deed and its undoing and without: the same people are told of the same."""
    now = moscow(at)
    tick(now - MINUTE)
    lives = [("", False), *((deed, swept) for deed in DEEDS for swept in (False, True))]
    told = {}
    for deed, swept in lives:
        with transaction.atomic():
            if deed:
                do(deed, sent, agent, now, steps)
                if swept:
                    tick(now + MINUTE)
                undo.undo(appeal=sent, actor=agent, now=now + 2 * MINUTE)
            for days in range(14):
                tick(now + 3 * MINUTE + timedelta(days=days))
            live = Deadline.objects.filter(appeal=sent, state__in=Deadline.LIVE).values("pk")
            rows = Reminder.objects.filter(state="sent", deadline__in=live)
            told[deed, swept] = sorted(rows.values_list("deadline", "due_at", "rule", "repetition", "address"))
            transaction.set_rollback(True)
    assert told["", False]
    assert {life: rows for life, rows in told.items() if rows != told["", False]} == {}


def test_a_mail_that_went_out_stays_told(draft: Appeal, agent: User, shop: Shop) -> None:
    """Noted as sent three weeks ago, it is late at once, and people are told; then it turns out to be a mistake."""
    lifecycle.submit(appeal=draft, actor=agent, now=SENT, at=SENT - timedelta(days=21))
    tick(SENT + MINUTE)
    assert len(mail.outbox) == 1
    undo.undo(appeal=draft, actor=agent, now=SENT + 2 * MINUTE)
    assert set(draft.deadlines.values_list("state", flat=True)) == {"cancelled"}
    assert Reminder.objects.filter(state="sent").exists()
    assert draft.events.filter(kind="reminded").exists()
    tick(SENT + timedelta(days=5))
    assert len(mail.outbox) == 1


def test_reminders_dropped_by_the_deed_wait_again(sent: Appeal, agent: User) -> None:
    User.objects.update(working_hours="Mo-Fr 09:00-18:00")
    night = moscow("2026-10-09 00:30")
    reminders.sweep(night)
    waiting = set(Reminder.objects.filter(state="pending").values_list("pk", flat=True))
    assert waiting
    lifecycle.resolve(appeal=sent, actor=agent, now=night + MINUTE, outcome="withdrawn")
    delivery.deliver(moscow("2026-10-09 00:32"))
    Reminder.objects.filter(pk__in=waiting).update(send_after=night)
    delivery.deliver(night + 2 * MINUTE)
    assert not Reminder.objects.filter(state="pending").exists()
    undo.undo(appeal=sent, actor=agent, now=night + 3 * MINUTE)
    assert waiting <= set(Reminder.objects.filter(state="pending").values_list("pk", flat=True))
    delivery.deliver(moscow("2026-10-09 09:05"))
    assert len(mail.outbox) == 1


def test_both_lines_stay_and_the_undone_one_counts_for_nothing(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    do("complain", sent, agent, SENT + timedelta(hours=5), steps)
    back = undo.undo(appeal=sent, actor=agent, now=SENT + timedelta(hours=5, minutes=1))
    assert [event.kind for event in back.events.order_by("id")] == ["created", "submitted", "escalated", "undone"]
    undone = back.events.get(kind="undone")
    assert undone.undoes == back.events.get(kind="escalated")
    assert undone.actor == agent
    assert not timeline.steps_taken(back)
    assert lifecycle.next_step(back, SENT) == steps[1]
    earlier = lifecycle.message(
        appeal=back, actor=agent, now=SENT + timedelta(hours=6), text="x", at=SENT + timedelta(hours=1)
    )
    assert earlier.status == "waiting"


def test_a_stranger_and_a_colleague_are_refused_and_a_lead_is_not(
    sent: Appeal, agent: User, colleague: User, steps: list[EscalationStep]
) -> None:
    stranger = User.objects.create_user("stranger@example.com")
    before = picture(do("answer", sent, agent, SENT + MINUTE, steps))
    for person in (stranger, colleague):
        with pytest.raises(PermissionDenied):
            undo.undo(appeal=sent, actor=person, now=SENT + 2 * MINUTE)
        assert undo.undoable(sent, actor=person, now=SENT + 2 * MINUTE) is None
    assert picture(sent) == before
    undo.undo(appeal=sent, actor=agent, now=SENT + 2 * MINUTE)

    do("answer", sent, colleague, SENT + 3 * MINUTE, steps)
    assert undo.undo(appeal=sent, actor=agent, now=SENT + 4 * MINUTE).status == "waiting"  # the agent leads the shop


def test_after_ten_minutes_it_is_too_late(sent: Appeal, agent: User, steps: list[EscalationStep]) -> None:
    do("answer", sent, agent, SENT + MINUTE, steps)
    last = sent.events.get(kind="reply")
    assert undo.undoable(sent, actor=agent, now=SENT + 10 * MINUTE) == last
    assert undo.undoable(sent, actor=agent, now=SENT + 11 * MINUTE) is None
    with pytest.raises(UndoError, match="10 minutes"):
        undo.undo(appeal=sent, actor=agent, now=SENT + 11 * MINUTE)
    assert undo.undo(appeal=sent, actor=agent, now=SENT + 11 * MINUTE - timedelta(microseconds=1)).status == "waiting"


def test_it_says_what_came_after_and_goes_back_step_by_step(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    before = picture(sent)
    do("question", sent, agent, SENT + MINUTE, steps)
    asked = sent.events.get(kind="reply")
    do("message", sent, agent, SENT + 2 * MINUTE, steps)
    with pytest.raises(UndoError, match=r"we wrote, agent@example\.com"):
        undo.undo(appeal=sent, actor=agent, now=SENT + 3 * MINUTE, event=asked.pk)
    undo.undo(appeal=sent, actor=agent, now=SENT + 3 * MINUTE)
    undo.undo(appeal=sent, actor=agent, now=SENT + 4 * MINUTE)
    assert picture(sent) == before
    with pytest.raises(UndoError, match="undone already"):
        undo.undo(appeal=sent, actor=agent, now=SENT + 5 * MINUTE, event=asked.pk)


def test_a_file_attached_meanwhile_stands_in_nobodys_way(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    do("answer", sent, agent, SENT + MINUTE, steps)
    file = ContentFile(b"text", name="a.txt")
    lifecycle.attach(appeal=sent, actor=agent, now=SENT + 2 * MINUTE, file=file, name="a.txt")
    assert undo.undo(appeal=sent, actor=agent, now=SENT + 3 * MINUTE).status == "waiting"
    assert sent.attachments.count() == 1


def test_what_was_never_noted_cannot_be_undone(sent: Appeal, draft: Appeal, agent: User) -> None:
    made = sent.events.get(kind="created")
    for number in (made.pk, 10**9):
        with pytest.raises(UndoError):
            undo.undo(appeal=sent, actor=agent, now=SENT + MINUTE, event=number)


def test_a_place_in_a_matter_has_no_way_back(sent: Appeal, shop: Shop, agent: User) -> None:
    other = lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Again")
    lifecycle.edit(appeal=other, actor=agent, now=SENT, previous=sent)
    with pytest.raises(UndoError, match="cannot be undone"):
        undo.undo(appeal=other, actor=agent, now=SENT + MINUTE)


def test_an_assignee_who_has_left_does_not_come_back(sent: Appeal, agent: User, colleague: User) -> None:
    lifecycle.edit(appeal=sent, actor=agent, now=SENT, assignee=colleague)
    lifecycle.edit(appeal=sent, actor=agent, now=SENT, assignee=agent)
    before = picture(sent)
    Membership.objects.filter(user=colleague).delete()
    with pytest.raises(ValidationError) as error:
        undo.undo(appeal=sent, actor=agent, now=SENT + MINUTE)
    assert "assignee" in error.value.message_dict
    assert picture(sent) == before


def test_ways_back_that_are_over_are_forgotten(sent: Appeal, agent: User, steps: list[EscalationStep]) -> None:
    do("snooze", sent, agent, SENT + timedelta(hours=1), steps)
    assert undo.forget(SENT + timedelta(hours=1)) == 1
    assert Snapshot.objects.get().event.kind == "snoozed"


def test_ways_back_are_forgotten_by_the_clock(sent: Appeal, settings: Any) -> None:
    (entry,) = [one for one in settings.CELERY_BEAT_SCHEDULE.values() if one["task"].endswith("forget_ways_back")]
    assert Snapshot.objects.exists()
    import_string(entry["task"])()
    assert not Snapshot.objects.exists()


@pytest.mark.postgres
def test_people_are_reminded_as_before_on_postgresql_too(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    now = moscow("2026-10-06 15:00")
    tick(now)
    before = picture(sent)
    for deed in DEEDS:
        do(deed, sent, agent, now, steps)
        tick(now)
        undo.undo(appeal=sent, actor=agent, now=now + MINUTE)
        assert picture(sent) == before, deed


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_undoes_and_the_other_is_told(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    before = picture(sent)
    do("answer", sent, agent, SENT + MINUTE, steps)
    line = sent.events.get(kind="reply").pk

    def attempt(_number: int) -> str:
        try:
            with translation.override("en"):  # each thread has a language of its own
                undo.undo(appeal=sent, actor=agent, now=SENT + 2 * MINUTE, event=line)
        except UndoError as error:
            return str(error)
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(attempt, range(4)))
    assert results.count("done") == 1
    assert all("undone already" in result for result in results if result != "done")
    assert picture(sent) == before
    assert Event.objects.filter(kind="undone").count() == 1
