"""The sweep: what falls due becomes one reminder a person, once."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from time_machine import TimeMachineFixture

from appeals import delivery, lifecycle, reminders, tasks
from appeals.models import Appeal, Deadline, Event, Membership, Reminder, ReminderRule, Shop
from hub.models import User
from marketplaces.models import EscalationStep
from tests.appeals.conftest import moscow

pytestmark = pytest.mark.django_db

BREACH = moscow("2026-10-09 00:00")  # the answer was promised by the end of Thursday 8 October
FRIDAY = moscow("2026-10-09 09:00")
MONDAY = moscow("2026-10-12 09:00")
State = Reminder.State


@pytest.fixture
def answer(sent: Appeal, agent: User) -> Deadline:
    """Only the answer is still awaited: the first reply has come."""
    lifecycle.record_reply(
        appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), kind="brush_off", text="We care about you."
    )
    return sent.deadlines.get(kind="answer")


@pytest.fixture
def lead(shop: Shop, agent: User) -> User:
    """A lead who is not the assignee."""
    Membership.objects.filter(user=agent).update(is_lead=False)
    user = User.objects.create_user("lead@example.com", language="en")
    Membership.objects.create(shop=shop, user=user, is_lead=True)
    return user


def states(deadline: Deadline) -> list[tuple[int, str, str]]:
    rows = deadline.reminders.order_by("level", "address")
    return [(row.level, row.address, row.state) for row in rows]


def test_nothing_is_due_before_the_breach(answer: Deadline) -> None:
    assert reminders.sweep(BREACH - timedelta(seconds=1)) == 0
    assert not Reminder.objects.exists()


def test_the_assignee_is_told_at_the_breach(answer: Deadline) -> None:
    assert reminders.sweep(BREACH) == 1
    assert states(answer) == [(1, "agent@example.com", "pending")]


def test_sweeping_again_adds_nothing(answer: Deadline) -> None:
    for minute in range(5):
        reminders.sweep(BREACH + timedelta(minutes=minute))
    assert Reminder.objects.count() == 1


def test_the_lead_joins_after_one_working_day(answer: Deadline, lead: User) -> None:
    for now in (BREACH, moscow("2026-10-10 00:00")):
        reminders.sweep(now)
        delivery.deliver(now)
    assert states(answer) == [
        (1, "agent@example.com", "sent"),
        (2, "agent@example.com", "sent"),
        (2, "lead@example.com", "sent"),
    ]


def test_the_ladder_ends_after_five_repetitions(answer: Deadline) -> None:
    now = BREACH
    for _rung in range(7):
        now = answer.remind_at or now
        reminders.sweep(now)
        delivery.deliver(now)
        answer.refresh_from_db()
    assert answer.remind_at is None
    levels = list(answer.reminders.order_by("level").values_list("level", flat=True))
    assert levels == [1, 2, 3, 4, 5, 6, 7]
    # eleven working days after Thursday 8 October is Friday 23 October
    assert now == moscow("2026-10-24 00:00")


def test_after_an_outage_only_the_highest_missed_rung_is_sent(answer: Deadline, lead: User) -> None:
    reminders.sweep(moscow("2026-10-14 00:00"))
    assert states(answer) == [
        (1, "agent@example.com", "superseded"),
        (2, "agent@example.com", "superseded"),
        (2, "lead@example.com", "superseded"),
        (3, "agent@example.com", "pending"),
        (3, "lead@example.com", "pending"),
    ]


def test_a_person_whom_no_later_rung_names_is_still_told_after_an_outage(answer: Deadline, agent: User) -> None:
    boss = User.objects.create_superuser("boss@example.com", "long enough password")
    rule = ReminderRule.objects.create(deadline_kind="answer", amount=1, tell_assignee=False)
    rule.people.add(boss)
    reminders.sweep(moscow("2026-10-14 00:00"))
    pending = Reminder.objects.filter(state=State.PENDING).order_by("address")
    assert [(row.address, row.level) for row in pending] == [("agent@example.com", 4), ("boss@example.com", 2)]


def test_a_reminder_that_still_waits_gives_way_to_a_later_rung(answer: Deadline, agent: User) -> None:
    agent.working_hours = "Tu 09:00-10:00"
    agent.save()
    reminders.sweep(BREACH)
    reminders.sweep(moscow("2026-10-10 00:00"))
    assert states(answer) == [(1, "agent@example.com", "superseded"), (2, "agent@example.com", "pending")]


def test_nobody_assigned_means_the_lead_is_told(answer: Deadline, lead: User) -> None:
    Appeal.objects.update(assignee=None)
    reminders.sweep(BREACH)
    row = Reminder.objects.get()
    assert (row.address, row.role) == ("lead@example.com", "lead")


def test_no_lead_means_the_administrators_are_told(answer: Deadline, agent: User) -> None:
    User.objects.create_superuser("admin@example.com", "long enough password")
    Appeal.objects.update(assignee=None)
    Membership.objects.update(is_lead=False)
    reminders.sweep(BREACH)
    row = Reminder.objects.get()
    assert (row.address, row.role) == ("admin@example.com", "administrator")


def test_an_inactive_assignee_is_never_told(answer: Deadline, agent: User, lead: User) -> None:
    agent.is_active = False
    agent.save()
    reminders.sweep(BREACH)
    assert Reminder.objects.get().address == "lead@example.com"


def test_an_assignee_who_left_the_shop_is_never_told(answer: Deadline, agent: User, lead: User) -> None:
    Membership.objects.filter(user=agent).delete()
    reminders.sweep(BREACH)
    assert Reminder.objects.get().address == "lead@example.com"


def test_nobody_to_tell_is_seen(answer: Deadline, agent: User) -> None:
    agent.is_active = False
    agent.save()
    reminders.sweep(BREACH)
    row = Reminder.objects.get()
    assert (row.state, row.reason, row.role) == ("failed", "nobody", "nobody")


def test_a_named_person_who_may_not_see_the_shop_is_not_told(answer: Deadline) -> None:
    stranger = User.objects.create_user("stranger@example.com")
    ReminderRule.objects.get(deadline_kind="answer", amount=0).people.add(stranger)
    reminders.sweep(BREACH)
    assert states(answer) == [(1, "agent@example.com", "pending")]


def test_an_extra_address_is_told(answer: Deadline) -> None:
    ReminderRule.objects.filter(deadline_kind="answer", amount=0).update(extra_addresses=["Lawyer@example.com"])
    reminders.sweep(BREACH)
    assert [row[1] for row in states(answer)] == ["agent@example.com", "lawyer@example.com"]


def test_a_rule_of_another_priority_says_nothing(answer: Deadline) -> None:
    ReminderRule.objects.filter(deadline_kind="answer").update(priority="urgent")
    assert reminders.sweep(MONDAY) == 0


def test_a_new_rule_is_heard_by_deadlines_that_run_already(answer: Deadline, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(moscow("2026-10-06 12:00"))
    ReminderRule.objects.create(deadline_kind="answer", moment="before", amount=2, unit="hours")
    assert reminders.sweep(BREACH - timedelta(hours=2)) == 1


def test_an_edited_rule_does_not_tell_the_same_rung_twice(answer: Deadline) -> None:
    reminders.sweep(BREACH)
    delivery.deliver(BREACH)
    rule = ReminderRule.objects.get(deadline_kind="answer", amount=0)
    rule.amount = 1
    rule.save()
    assert reminders.sweep(BREACH + timedelta(hours=2)) == 0


def test_a_rule_made_anew_does_not_tell_of_the_same_moment_again(answer: Deadline) -> None:
    reminders.sweep(BREACH)
    delivery.deliver(BREACH)
    ReminderRule.objects.get(deadline_kind="answer", amount=0).delete()
    ReminderRule.objects.create(deadline_kind="answer", amount=0)
    reminders.sweep(BREACH + timedelta(hours=1))
    assert [row.state for row in Reminder.objects.all()] == ["sent"]


def test_a_new_rule_is_silent_about_what_lies_behind(answer: Deadline, time_machine: TimeMachineFixture) -> None:
    reminders.sweep(BREACH)
    time_machine.move_to(moscow("2026-10-09 18:00"))
    ReminderRule.objects.create(deadline_kind="answer", amount=2)
    ReminderRule.objects.create(deadline_kind="answer", amount=22)
    assert reminders.sweep(moscow("2026-10-09 18:01")) == 0
    assert reminders.sweep(moscow("2026-10-09 22:00")) == 1


def test_a_new_rule_does_not_swallow_what_fell_due_before_the_last_sweep(
    answer: Deadline, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(BREACH + timedelta(seconds=30))
    ReminderRule.objects.create(deadline_kind="answer", amount=22)
    assert reminders.sweep(BREACH + timedelta(minutes=1)) == 1


def test_a_question_is_brought_up_at_half_of_its_term_and_two_hours_before_its_end(sent: Appeal, agent: User) -> None:
    asked = moscow("2026-10-06 10:00")
    lifecycle.record_reply(appeal=sent, actor=agent, now=asked, kind="question", text="Which order?")
    deadline = sent.deadlines.get(kind="our_reply")
    told = []
    for _rung in range(3):
        told.append(deadline.remind_at)
        reminders.sweep(deadline.remind_at or asked)
        deadline.refresh_from_db()
    assert told == [asked + timedelta(hours=12), asked + timedelta(hours=22), None]


def test_a_step_is_brought_up_three_days_before_its_end_and_at_its_end(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-09 12:00"), step=steps[2])
    deadline = sent.deadlines.get(kind="escalation")
    assert deadline.due_at == moscow("2026-10-27 00:00")  # the 15th day is a Saturday
    assert deadline.remind_at == moscow("2026-10-24 00:00")
    reminders.sweep(deadline.remind_at)
    deadline.refresh_from_db()
    assert deadline.remind_at == deadline.due_at


def test_a_deadline_that_cannot_be_counted_holds_back_no_other(
    answer: Deadline, agent: User, caplog: pytest.LogCaptureFixture
) -> None:
    broken = sent_again(answer.appeal, agent)
    broken.deadlines.update(country="XX", remind_at=BREACH - timedelta(days=1))
    assert reminders.sweep(BREACH) == 1
    assert "cannot be counted" in caplog.text
    broken.deadlines.update(country="RU")
    assert reminders.sweep(BREACH) > 0
    assert Reminder.objects.filter(deadline__appeal=broken, deadline__kind="answer").exists()


def sent_again(appeal: Appeal, agent: User) -> Appeal:
    """Another appeal of the same kind."""
    other = lifecycle.create(
        actor=agent,
        now=appeal.created_at,
        shop=appeal.shop,
        topic=appeal.topic,
        channel=appeal.channel,
        subject="And the parcel?",
        assignee=agent,
    )
    return lifecycle.submit(appeal=other, actor=agent, now=appeal.created_at)


def test_a_clock_set_back_tells_nothing_twice(answer: Deadline) -> None:
    for now in (BREACH, BREACH - timedelta(days=1), BREACH + timedelta(minutes=1)):
        reminders.sweep(now)
        delivery.deliver(now)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("real", [BREACH - timedelta(days=1), BREACH])
def test_what_a_clock_found_that_was_ahead_is_found_again_at_its_time(
    answer: Deadline, agent: User, real: datetime
) -> None:
    User.objects.update(working_hours="Mo-Fr 09:00-18:00; PH off")
    ahead = moscow("2027-10-09 03:00")  # at night: nobody is told before it is set right
    reminders.sweep(ahead)
    delivery.deliver(ahead)
    reminders.record_sweep(ahead)
    told = []
    for now in (real, BREACH, FRIDAY, MONDAY):
        reminders.sweep(now)
        reminders.record_sweep(now)
        delivery.deliver(now)
        told.append(len(mail.outbox))
    assert told == [0, 0, 1, 2]
    assert list(answer.reminders.filter(state="sent").order_by("sent_at").values_list("level", flat=True)) == [1, 2]


def test_a_rule_saved_by_a_clock_that_was_ahead_speaks_from_the_sweep_on(
    answer: Deadline, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(BREACH + timedelta(days=300))
    ReminderRule.objects.create(deadline_kind="answer", moment="before", amount=2, unit="hours")
    assert reminders.sweep(BREACH - timedelta(hours=3)) == 0
    assert reminders.sweep(BREACH - timedelta(hours=2)) == 1


def test_a_deadline_without_a_reminder_is_looked_at_again_when_the_clock_is_set_back(answer: Deadline) -> None:
    ahead = BREACH + timedelta(days=300)
    Deadline.objects.filter(pk=answer.pk).update(told_until=ahead, remind_at=None)
    reminders.record_sweep(ahead)
    reminders.sweep(BREACH - timedelta(days=1))
    reminders.record_sweep(BREACH - timedelta(days=1))
    assert reminders.sweep(BREACH) == 1


def test_a_late_appeal_is_told_once_however_often_the_hub_looks(
    answer: Deadline, time_machine: TimeMachineFixture
) -> None:
    for minute in range(3):
        time_machine.move_to(FRIDAY + timedelta(minutes=minute))
        tasks.sweep()
        tasks.deliver()
    assert [one.to for one in mail.outbox] == [["agent@example.com"]]
    event = Event.objects.get(kind=Event.Kind.REMINDED)
    assert event.data["recipient"] == "agent@example.com"
    assert event.data["level"] == 1
    assert reminders.last_sweep_at() == FRIDAY + timedelta(minutes=2)


def test_an_idle_sweep_is_one_query(answer: Deadline, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        reminders.sweep(BREACH - timedelta(seconds=1))


def test_each_sweep_rings_again_for_what_a_lost_bell_left_behind(
    answer: Deadline, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(tasks.deliver, "delay", lambda: rung.append("bell"))
    reminders.sweep(BREACH)
    for _sweep in range(2):
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            tasks.sweep()
    assert rung == ["bell", "bell"]
