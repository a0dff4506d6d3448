"""Delivery: what waits for a person becomes one mail, in their hours, if it is still true, once."""

import smtplib
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.utils import translation

from appeals import claims, delivery, digest, lifecycle, reminders
from appeals.claims import Claim
from appeals.models import Appeal, Event, Membership, RefusedAddress, Reminder, ReminderRule, Shop
from appeals.planning import LEASE
from appeals.recipients import Recipient, Roster
from hub.models import User
from tests.appeals.conftest import SENT, moscow

pytestmark = pytest.mark.django_db

NIGHT = moscow("2026-10-09 00:00")  # the answer was promised by the end of Thursday 8 October
MORNING = moscow("2026-10-09 09:00")
OFFICE = "Mo-Fr 09:00-18:00; PH off"
State = Reminder.State


@pytest.fixture
def late(sent: Appeal, agent: User) -> Appeal:
    """The first reply has come; the answer is late at NIGHT, and a reminder waits."""
    lifecycle.record_reply(
        appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), kind="brush_off", text="We care about you."
    )
    reminders.sweep(NIGHT)
    return sent


@pytest.fixture
def lead(shop: Shop, agent: User) -> User:
    Membership.objects.filter(user=agent).update(is_lead=False)
    user = User.objects.create_user("lead@example.com", language="en")
    Membership.objects.create(shop=shop, user=user, is_lead=True)
    return user


def another(appeal: Appeal, agent: User, **fields: object) -> Appeal:
    values = {"topic": appeal.topic, "subject": "And the parcel?", "assignee": agent} | fields
    other = lifecycle.create(actor=agent, now=SENT, shop=appeal.shop, **values)
    return lifecycle.submit(appeal=other, actor=agent, now=SENT)


class Server:
    """A mail server that answers as the test wants: by address, one answer after the other."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Exception | None]] = {}
        self.tried: list[str] = []
        self.before: Callable[[], None] | None = None

    def take(self, message: EmailMessage) -> None:
        self.tried.append(message.to[0])
        if self.before:
            self.before()
        answers = self.answers.get(message.to[0])
        if answers and (error := answers.pop(0)):
            raise error


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    found, send = Server(), EmailBackend.send_messages

    def take(backend: EmailBackend, messages: list[EmailMessage]) -> int:
        found.take(messages[0])
        return send(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", take)
    return found


def refused(code: int = 550) -> smtplib.SMTPRecipientsRefused:
    return smtplib.SMTPRecipientsRefused({"agent@example.com": (code, b"no such user")})


def only() -> Reminder:
    return Reminder.objects.get()


# One mail, in their hours


def test_what_waits_for_one_person_is_one_mail(late: Appeal, agent: User) -> None:
    another(late, agent)
    reminders.sweep(NIGHT)
    delivery.deliver(NIGHT)
    assert len(mail.outbox) == 1
    assert "Where is the money?" in mail.outbox[0].body
    assert "And the parcel?" in mail.outbox[0].body
    assert {row.message_id for row in Reminder.objects.filter(state=State.SENT)} == {
        mail.outbox[0].extra_headers["Message-ID"]
    }


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_mark_that_is_written_twice_counts_once(
    database: str, late: Appeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection broke after the commit: nobody knows, and it is written again."""

    def doubtful(write: Callable[[], None]) -> None:
        write()
        write()

    monkeypatch.setattr(delivery, "_persist", doubtful)
    delivery.deliver(NIGHT)
    assert only().state == State.SENT
    assert late.events.filter(kind=Event.Kind.REMINDED).count() == 1


def test_who_entered_no_hours_is_told_at_night(late: Appeal) -> None:
    delivery.deliver(NIGHT)
    assert len(mail.outbox) == 1


def test_who_sleeps_is_told_in_the_morning(sent: Appeal, agent: User) -> None:
    User.objects.update(working_hours=OFFICE)
    reminders.sweep(NIGHT)
    delivery.deliver(NIGHT)
    assert not mail.outbox
    delivery.deliver(MORNING)
    assert len(mail.outbox) == 1


def test_hours_are_counted_in_the_zone_of_the_reader(sent: Appeal, agent: User) -> None:
    User.objects.update(working_hours=OFFICE, time_zone="Asia/Vladivostok")
    reminders.sweep(NIGHT)
    delivery.deliver(NIGHT)  # seven in the morning there
    assert not mail.outbox
    delivery.deliver(moscow("2026-10-09 02:00"))
    assert len(mail.outbox) == 1


def test_nobody_is_reminded_on_a_public_holiday(late: Appeal, agent: User) -> None:
    User.objects.update(working_hours=OFFICE)
    Reminder.objects.update(send_after=moscow("2026-11-04 10:00"))  # Unity Day, a Wednesday
    delivery.deliver(moscow("2026-11-04 10:00"))
    assert not mail.outbox
    assert only().send_after == moscow("2026-11-05 09:00")


def test_nobody_is_reminded_on_a_day_off(late: Appeal, agent: User) -> None:
    agent.working_hours, agent.days_off = OFFICE, [["2026-10-09", "2026-10-12"]]
    agent.save()
    delivery.deliver(MORNING)
    assert not mail.outbox
    delivery.deliver(moscow("2026-10-13 09:00"))
    assert len(mail.outbox) == 1


def test_what_is_urgent_breaks_through_a_day_off(draft: Appeal, agent: User) -> None:
    User.objects.update(days_off=[["2026-10-01", "2026-12-31"]])
    another(draft, agent, priority="urgent")
    reminders.sweep(NIGHT)
    delivery.deliver(NIGHT)
    assert len(mail.outbox) == 1


def test_hours_and_zones_that_can_be_read_no_more_hold_back_nothing_and_are_said(late: Appeal, agent: User) -> None:
    User.objects.update(time_zone="Mars/Olympus", working_hours="whenever", days_off=["x"], language="en")
    delivery.deliver(MORNING)
    assert "Times are yours: Europe/Moscow" in str(mail.outbox[0].body)
    with translation.override("en"):
        why = reminders.explain(only())
    assert "The time zone “Mars/Olympus” cannot be read; Europe/Moscow counts instead." in why


def test_hours_that_were_entered_after_the_sweep_count(late: Appeal, agent: User) -> None:
    User.objects.update(working_hours=OFFICE)
    delivery.deliver(NIGHT)
    assert not mail.outbox


def test_what_is_urgent_breaks_through(draft: Appeal, agent: User) -> None:
    User.objects.update(working_hours=OFFICE)
    another(draft, agent, priority="urgent")
    reminders.sweep(NIGHT)
    delivery.deliver(NIGHT)
    assert len(mail.outbox) == 1


def test_a_question_that_dies_before_the_morning_breaks_through(sent: Appeal, agent: User) -> None:
    User.objects.update(working_hours=OFFICE)
    lifecycle.record_reply(
        appeal=sent, actor=agent, now=moscow("2026-10-06 05:00"), kind="question", text="Which order?"
    )
    evening = moscow("2026-10-07 03:00")  # it dies at five
    reminders.sweep(evening)
    delivery.deliver(evening)
    assert len(mail.outbox) == 1


def test_a_question_that_lives_until_the_day_waits_for_the_morning(sent: Appeal, agent: User) -> None:
    User.objects.update(working_hours=OFFICE)
    lifecycle.record_reply(
        appeal=sent, actor=agent, now=moscow("2026-10-06 12:00"), kind="question", text="Which order?"
    )
    reminders.sweep(moscow("2026-10-07 00:00"))
    delivery.deliver(moscow("2026-10-07 00:00"))
    assert not mail.outbox


# Only what is still true


def test_an_answer_that_came_meanwhile_silences_the_reminder(late: Appeal, agent: User) -> None:
    lifecycle.record_reply(appeal=late, actor=agent, now=MORNING, kind="answer", text="Paid.")
    delivery.deliver(MORNING)
    assert not mail.outbox
    assert (only().state, only().reason) == ("cancelled", "ended")


def test_a_resolved_appeal_is_not_brought_up(late: Appeal, agent: User) -> None:
    lifecycle.resolve(appeal=late, actor=agent, now=MORNING, outcome="withdrawn")
    delivery.deliver(MORNING)
    assert (only().state, only().reason) == ("cancelled", "ended")


def test_a_paused_clock_is_not_brought_up(late: Appeal, agent: User) -> None:
    lifecycle.record_reply(appeal=late, actor=agent, now=MORNING, kind="question", text="Which order?")
    delivery.deliver(MORNING)
    assert (only().state, only().reason) == ("cancelled", "paused")


def test_a_due_time_that_moved_is_not_brought_up(late: Appeal) -> None:
    late.deadlines.filter(kind="answer").update(due_at=moscow("2026-10-20 00:00"))
    delivery.deliver(MORNING)
    assert (only().state, only().reason) == ("cancelled", "moved")


def test_a_due_time_that_moves_back_is_brought_up_after_all(late: Appeal) -> None:
    late.deadlines.filter(kind="answer").update(due_at=moscow("2026-10-20 00:00"))
    delivery.deliver(MORNING)
    late.deadlines.filter(kind="answer").update(due_at=NIGHT, remind_at=NIGHT, told_until=None)
    reminders.sweep(MORNING)
    delivery.deliver(MORNING)
    assert len(mail.outbox) == 1


def test_a_rule_that_was_switched_off_says_nothing(late: Appeal) -> None:
    ReminderRule.objects.update(is_active=False)
    delivery.deliver(MORNING)
    assert (only().state, only().reason) == ("cancelled", "rule_off")


def test_a_snoozed_appeal_waits_and_comes_after_the_snooze(late: Appeal, agent: User) -> None:
    until = moscow("2026-10-09 15:00")
    lifecycle.snooze(appeal=late, actor=agent, now=MORNING, until=until)
    delivery.deliver(MORNING)
    assert not mail.outbox
    delivery.deliver(until)
    assert len(mail.outbox) == 1


def test_a_snooze_that_ends_early_is_over_at_once(late: Appeal, agent: User) -> None:
    lifecycle.snooze(appeal=late, actor=agent, now=MORNING, until=moscow("2026-10-20 15:00"))
    delivery.deliver(MORNING)
    lifecycle.snooze(appeal=late, actor=agent, now=MORNING, until=None)
    delivery.deliver(MORNING)
    assert len(mail.outbox) == 1


def test_a_new_assignee_is_told_instead_of_the_old_one(late: Appeal, shop: Shop) -> None:
    other = User.objects.create_user("other@example.com", language="en")
    Membership.objects.create(shop=shop, user=other)
    Appeal.objects.update(assignee=other)
    delivery.deliver(MORNING)
    delivery.deliver(MORNING)
    assert [one.to for one in mail.outbox] == [["other@example.com"]]
    assert Reminder.objects.get(address="agent@example.com").reason == "not_theirs"


def test_an_appeal_that_went_to_another_and_came_back_is_told_to_the_first(
    late: Appeal, agent: User, shop: Shop
) -> None:
    other = User.objects.create_user("other@example.com", language="en", working_hours=OFFICE)
    Membership.objects.create(shop=shop, user=other)
    Appeal.objects.update(assignee=other)
    delivery.deliver(NIGHT)
    Appeal.objects.update(assignee=agent)
    delivery.deliver(MORNING)
    delivery.deliver(MORNING)
    assert [one.to for one in mail.outbox] == [["agent@example.com"]]


def test_who_was_deactivated_after_the_sweep_is_not_told(late: Appeal, agent: User, lead: User) -> None:
    agent.is_active = False
    agent.save()
    delivery.deliver(MORNING)
    delivery.deliver(MORNING)
    assert [one.to for one in mail.outbox] == [["lead@example.com"]]


# Once


def test_the_state_is_read_after_the_claim_and_nothing_is_sent_in_a_transaction(late: Appeal, server: Server) -> None:
    seen: list[tuple[bool, datetime | None]] = []
    depth = len(transaction.get_connection().savepoint_ids)

    def look() -> None:
        seen.append((len(transaction.get_connection().savepoint_ids) == depth, only().leased_until))

    server.before = look
    delivery.deliver(MORNING)
    assert seen[0][0]
    assert seen[0][1] is not None


def test_a_reminder_that_somebody_is_sending_is_left_alone(late: Appeal) -> None:
    Reminder.objects.update(leased_until=MORNING + timedelta(minutes=1))
    delivery.deliver(MORNING)
    assert not mail.outbox


def test_a_worker_that_died_after_the_claim_loses_nothing(late: Appeal, server: Server) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    server.before = die
    with pytest.raises(KeyboardInterrupt):
        delivery.deliver(MORNING)
    server.before = None
    died = only()
    delivery.deliver(MORNING + timedelta(minutes=1))
    assert not mail.outbox
    delivery.deliver(MORNING + LEASE + timedelta(minutes=1))
    assert [one.extra_headers["Message-ID"] for one in mail.outbox] == [died.message_id]


def test_a_copy_after_a_crash_takes_nothing_new_along(late: Appeal, agent: User, server: Server) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    server.before = die
    with pytest.raises(KeyboardInterrupt):
        delivery.deliver(MORNING)
    server.before = None
    died = only().message_id
    another(late, agent)
    reminders.sweep(MORNING)
    delivery.deliver(MORNING + timedelta(minutes=10))
    sent = {one.extra_headers["Message-ID"]: one.body for one in mail.outbox}
    assert len(sent) == 2
    assert "And the parcel?" not in sent[died]


def test_what_no_longer_goes_along_with_a_copy_is_another_mail_later(
    late: Appeal, agent: User, server: Server
) -> None:
    other = another(late, agent)
    reminders.sweep(NIGHT)
    server.answers["agent@example.com"] = [ConnectionResetError()]
    delivery.deliver(MORNING)
    lifecycle.snooze(appeal=other, actor=agent, now=MORNING, until=MORNING + timedelta(days=1))
    delivery.deliver(MORNING + timedelta(hours=1))
    delivery.deliver(MORNING + timedelta(days=1))
    assert len({one.extra_headers["Message-ID"] for one in mail.outbox}) == 2
    assert ["And the parcel?" in str(one.body) for one in mail.outbox] == [False, True]


def test_sending_leaves_one_line_on_the_timeline(late: Appeal) -> None:
    delivery.deliver(MORNING)
    delivery.deliver(MORNING)
    assert Event.objects.filter(appeal=late, kind=Event.Kind.REMINDED).count() == 1


# When mail fails


def test_a_temporary_refusal_is_tried_again_with_growing_pauses(late: Appeal, server: Server) -> None:
    server.answers["agent@example.com"] = [refused(450), refused(450), refused(450), None]
    now, pauses = MORNING, []
    for _attempt in range(4):
        delivery.deliver(now)
        pauses.append(only().send_after - now)
        now = only().send_after
    assert len(mail.outbox) == 1
    assert pauses[0] < pauses[1] < pauses[2]
    assert (only().state, only().attempts, only().detail, only().reason) == ("sent", 4, "", "")


@pytest.mark.parametrize("end", [min, max])
def test_not_all_that_were_put_off_come_back_at_once(
    late: Appeal, server: Server, monkeypatch: pytest.MonkeyPatch, end: Callable[[float, float], float]
) -> None:
    monkeypatch.setattr("random.uniform", end)
    server.answers["agent@example.com"] = [refused(450)]
    delivery.deliver(MORNING)
    pause = only().send_after - MORNING
    assert pause < 0.9 * delivery.FIRST_PAUSE if end is min else pause > 1.1 * delivery.FIRST_PAUSE


def test_a_temporary_refusal_says_why_it_waits(late: Appeal, server: Server) -> None:
    server.answers["agent@example.com"] = [refused(450)]
    delivery.deliver(MORNING)
    assert (only().state, only().reason, only().detail) == ("pending", "trying", "450 no such user")


def test_a_refused_address_fails_at_once_is_marked_and_the_lead_is_told(
    late: Appeal, lead: User, server: Server
) -> None:
    server.answers["agent@example.com"] = [refused()]
    delivery.deliver(MORNING)
    delivery.deliver(MORNING)
    row = Reminder.objects.get(address="agent@example.com")
    assert (row.state, row.reason, row.detail) == ("failed", "refused", "550 no such user")
    assert RefusedAddress.objects.get().address == "agent@example.com"
    assert [one.to for one in mail.outbox] == [["lead@example.com"]]
    assert "agent@example.com" in mail.outbox[0].body


def test_a_refused_address_is_not_tried_again_with_the_next_rung(late: Appeal, lead: User, server: Server) -> None:
    server.answers["agent@example.com"] = [refused()]
    delivery.deliver(MORNING)
    reminders.sweep(moscow("2026-10-10 00:00"))
    delivery.deliver(moscow("2026-10-10 00:00"))
    assert server.tried.count("agent@example.com") == 1
    assert Reminder.objects.get(level=2, address="agent@example.com").reason == "refused"


def test_one_bad_recipient_holds_back_nobody(late: Appeal, lead: User, server: Server) -> None:
    server.answers["agent@example.com"] = [refused()]
    mine = another(late, lead, subject="Mine")
    Appeal.objects.filter(pk=mine.pk).update(assignee=lead)
    reminders.sweep(NIGHT)
    delivery.deliver(MORNING)
    assert "Mine" in "".join(str(one.body) for one in mail.outbox)


def test_a_mail_that_cannot_be_written_holds_back_nobody(
    late: Appeal, lead: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mine = another(late, lead, subject="Mine")
    Appeal.objects.filter(pk=mine.pk).update(assignee=lead)
    reminders.sweep(NIGHT)
    compose = digest.compose

    def fail(recipient: Recipient, *args: Any) -> EmailMessage:
        if recipient.address == "agent@example.com":
            raise ZeroDivisionError
        return compose(recipient, *args)

    monkeypatch.setattr(digest, "compose", fail)
    delivery.deliver(MORNING)
    assert [one.to for one in mail.outbox] == [["lead@example.com"]]
    assert "ZeroDivisionError" in Reminder.objects.get(address="agent@example.com").detail
    assert "could not be written" in caplog.text


def test_a_server_that_is_down_ends_the_run_and_gives_up_nothing(late: Appeal, lead: User, server: Server) -> None:
    for number in range(5):
        user = User.objects.create_user(f"agent{number}@example.com")
        Membership.objects.create(shop=late.shop, user=user)
        mine = another(late, user)
        Appeal.objects.filter(pk=mine.pk).update(assignee=user)
    reminders.sweep(NIGHT)
    for address in Reminder.objects.values_list("address", flat=True):
        server.answers[address] = [smtplib.SMTPServerDisconnected("gone")]
    delivery.deliver(MORNING)
    assert len(server.tried) == delivery.SERVER_FAILURES
    assert Reminder.objects.filter(state=State.PENDING).count() == Reminder.objects.count()


def test_a_mail_that_did_not_arrive_can_be_put_together_anew(late: Appeal, agent: User, server: Server) -> None:
    server.answers["agent@example.com"] = [refused(450)]
    delivery.deliver(MORNING)
    another(late, agent)
    reminders.sweep(MORNING)
    Reminder.objects.update(send_after=MORNING)
    delivery.deliver(MORNING)
    assert len(mail.outbox) == 1


def test_a_mail_that_may_have_arrived_stays_the_same_mail_whatever_comes_next(
    late: Appeal, agent: User, server: Server
) -> None:
    server.answers["agent@example.com"] = [smtplib.SMTPServerDisconnected("gone"), refused(450), None]
    delivery.deliver(MORNING)
    kept = only().message_id
    assert kept
    delivery.deliver(MORNING + timedelta(hours=1))
    assert only().message_id == kept
    delivery.deliver(MORNING + timedelta(hours=2))
    assert [one.extra_headers["Message-ID"] for one in mail.outbox] == [kept]


def test_what_was_one_mail_comes_back_as_one(late: Appeal, agent: User, server: Server) -> None:
    another(late, agent)
    reminders.sweep(NIGHT)
    server.answers["agent@example.com"] = [refused(450), None]
    delivery.deliver(MORNING)
    assert Reminder.objects.filter(state=State.PENDING).values("send_after").distinct().count() == 1


def test_after_two_days_of_trying_it_is_given_up_and_the_lead_is_told(
    late: Appeal, lead: User, server: Server
) -> None:
    server.answers["agent@example.com"] = [refused(450)] * 50
    now, pauses = MORNING, []
    for _attempt in range(50):
        delivery.deliver(now)
        if (row := Reminder.objects.get(address="agent@example.com")).state != State.PENDING:
            break
        pauses.append(row.send_after - now)
        now = row.send_after
    assert max(pauses) < 1.3 * delivery.LONGEST_PAUSE
    row = Reminder.objects.get(address="agent@example.com")
    assert (row.state, row.reason, row.detail) == ("failed", "gave_up", "450 no such user")
    assert now - MORNING > timedelta(days=2)
    delivery.deliver(now)
    assert [one.to for one in mail.outbox] == [["lead@example.com"]]
    assert not RefusedAddress.objects.exists()


def test_a_refused_sender_is_nobodys_bad_address(late: Appeal, server: Server) -> None:
    server.answers["agent@example.com"] = [smtplib.SMTPSenderRefused(550, b"relay denied", "hub@localhost")]
    delivery.deliver(MORNING)
    assert only().state == State.PENDING
    assert not RefusedAddress.objects.exists()


def test_a_lease_of_a_clock_that_was_set_back_holds_nothing_up(late: Appeal) -> None:
    Reminder.objects.update(leased_until=MORNING + timedelta(days=1))
    delivery.deliver(MORNING)
    assert len(mail.outbox) == 1


# Send again, and why


def test_a_sent_reminder_can_be_sent_again_at_night_as_another_mail(late: Appeal) -> None:
    delivery.deliver(NIGHT)
    User.objects.update(working_hours=OFFICE)
    reminders.send_again(reminder=only(), now=NIGHT)
    delivery.deliver(NIGHT)
    assert len({one.extra_headers["Message-ID"] for one in mail.outbox}) == 2


def test_sending_again_gives_a_refused_address_another_chance(late: Appeal, server: Server) -> None:
    server.answers["agent@example.com"] = [refused()]
    delivery.deliver(MORNING)
    reminders.send_again(reminder=only(), now=MORNING)
    delivery.deliver(MORNING)
    assert only().state == State.SENT
    assert not RefusedAddress.objects.exists()


def test_what_is_settled_is_not_sent_again(late: Appeal, agent: User) -> None:
    delivery.deliver(MORNING)
    lifecycle.record_reply(appeal=late, actor=agent, now=MORNING, kind="answer", text="Paid.")
    with translation.override("en"), pytest.raises(ValidationError, match="nothing to remind of"):
        reminders.send_again(reminder=only(), now=MORNING)
    assert only().state == State.SENT


def test_a_reminder_to_nobody_cannot_be_sent_again(sent: Appeal) -> None:
    User.objects.update(is_active=False)
    reminders.sweep(NIGHT)
    row = Reminder.objects.filter(reason="nobody").first()
    assert row
    with translation.override("en"), pytest.raises(ValidationError, match="nobody to tell"):
        reminders.send_again(reminder=row, now=NIGHT)


def test_a_reminder_explains_itself(late: Appeal) -> None:
    with translation.override("en"):
        text = reminders.explain(only())
    assert "agent@example.com is told as: assignee." in text
    assert "by the end of 8 October" in text
    assert "Rule: when the term runs out." in text
    assert "Reminder 1 of the ladder" in text


def test_a_slow_server_does_not_keep_a_worker_for_itself(
    late: Appeal, lead: User, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = another(late, lead, subject="Mine")
    Appeal.objects.filter(pk=mine.pk).update(assignee=lead)
    reminders.sweep(NIGHT)
    monkeypatch.setattr(delivery, "RUN_SECONDS", 0.0)
    assert not delivery.deliver(MORNING - timedelta(days=30))  # nothing waits
    assert delivery.deliver(MORNING)
    assert not server.tried
    monkeypatch.setattr(delivery, "RUN_SECONDS", 0.2)
    server.before = lambda: time.sleep(0.3)
    assert delivery.deliver(MORNING)
    assert len(server.tried) == 1
    assert Reminder.objects.filter(state=State.PENDING, leased_until=None, attempts=0).exists()


def team(late: Appeal, shop: Shop, count: int) -> list[User]:
    """So many more people, each with something late of their own."""
    people = [User.objects.create_user(f"member{number}@example.com") for number in range(count)]
    for user in people:
        Membership.objects.create(shop=shop, user=user)
        another(late, user)
    reminders.sweep(NIGHT)
    return people


def test_a_slow_server_is_handed_no_more_than_it_takes(
    late: Appeal, shop: Shop, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To claim and to give back costs as much as to send: with a slow server that was most of the work."""
    team(late, shop, 4)
    claimed: list[int] = []
    take = claims.take

    def noting(addresses: Sequence[str], now: datetime, roster: Roster) -> list[Claim] | None:
        claimed.append(len(addresses))
        return take(addresses, now, roster)

    monkeypatch.setattr(claims, "take", noting)
    monkeypatch.setattr(delivery, "FRESH_SECONDS", -1.0)  # one mail, and the second is over
    assert not delivery.deliver(MORNING)
    assert len(server.tried) == len(set(server.tried)) == 5
    assert claimed == [5, 1, 1, 1, 1]
    assert not Reminder.objects.filter(state=State.PENDING).exists()


@pytest.mark.parametrize("count", [1, 4])
def test_giving_back_costs_the_same_for_one_and_for_many(
    late: Appeal, shop: Shop, count: int, django_assert_max_num_queries: Any
) -> None:
    addresses = [user.email for user in team(late, shop, 4)[:count]]
    before = list(Reminder.objects.values_list("pk", "message_id", "attempts", "leased_until").order_by("pk"))
    taken = claims.take(addresses, MORNING, Roster())
    assert taken
    assert len(taken) == count
    with django_assert_max_num_queries(5):  # with the savepoint, and the lock on PostgreSQL
        claims.release(taken)
    after = list(Reminder.objects.values_list("pk", "message_id", "attempts", "leased_until").order_by("pk"))
    assert after == before


def test_what_another_worker_holds_by_now_is_not_given_back(late: Appeal, shop: Shop) -> None:
    first, second = claims.take([user.email for user in team(late, shop, 2)], MORNING, Roster()) or []
    Reminder.objects.filter(pk=first.reminders[0].pk).update(leased_until=MORNING + 2 * LEASE)
    claims.release([first, second])
    held = dict(Reminder.objects.exclude(leased_until=None).values_list("pk", "leased_until"))
    assert held == {first.reminders[0].pk: MORNING + 2 * LEASE}
