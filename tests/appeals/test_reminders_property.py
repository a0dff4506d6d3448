"""Whatever happens in whatever order, the same people are told of the same rungs as by a plain model of the rules.

The model below knows no database, no calendar library and no lock: it walks day by day and keeps lists. What a clock's
state and due time are is taken from the hub (they are proven elsewhere); which reminders follow is not.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appeals import delivery, lifecycle, reminders, undo
from appeals.models import Appeal, Deadline, Membership, Reminder, ReminderRule, Shop
from hub.models import User
from marketplaces.models import EscalationStep, ResponseTarget
from tests.appeals.conftest import MOSCOW, SENT

pytestmark = pytest.mark.django_db

UNITY_DAY = date(2026, 11, 4)
OFFICE = "Mo-Fr 09:00-18:00; PH off"
INSTANT = timedelta(microseconds=1)


@dataclass
class Rung:
    at: datetime
    rule: int
    repetition: int


@dataclass
class Row:
    """One reminder of the model."""

    clock: int
    due: datetime
    rule: int
    repetition: int
    who: str
    state: str
    send_after: datetime

    @property
    def key(self) -> tuple[int, datetime, int, int, str]:
        return self.clock, self.due, self.rule, self.repetition, self.who


@dataclass
class Clock:
    kind: str
    state: str
    started: datetime
    due: datetime
    told_until: datetime | None = None
    look_at: datetime | None = None


def worked(day: date) -> bool:
    return day.weekday() < 5 and day != UNITY_DAY


def days_on(at: datetime, count: int) -> datetime:
    """The same time of day `count` working days later; midnight belongs to the day that ends."""
    at = at.astimezone(MOSCOW) - INSTANT
    while count:
        at += timedelta(days=1)
        count -= worked(at.date())
    return at + INSTANT


def office(at: datetime) -> datetime:
    """The first moment from `at` on at which the office is open."""
    at = at.astimezone(MOSCOW)
    while True:
        opens, closes = (datetime.combine(at.date(), time(hour), MOSCOW) for hour in (9, 18))
        if worked(at.date()) and at < closes:
            return max(at, opens)
        at = datetime.combine(at.date() + timedelta(days=1), time(0), MOSCOW)


@dataclass
class Model:
    """The rules of reminding, told plainly."""

    rules: dict[int, ReminderRule]
    sleeps: bool
    clocks: dict[int, Clock] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    snoozed_until: datetime | None = None

    def rungs(self, clock: Clock) -> list[Rung]:
        found = []
        for pk, rule in sorted(self.rules.items()):
            if rule.deadline_kind == clock.kind and rule.is_active:
                found += [Rung(at, pk, repetition) for repetition, at in enumerate(self.moments(rule, clock))]
        return sorted((one for one in found if one.at > clock.started), key=lambda one: (one.at, one.rule))

    @staticmethod
    def moments(rule: ReminderRule, clock: Clock) -> list[datetime]:
        if rule.moment == "share":
            return [clock.started + (clock.due - clock.started) * rule.amount / 100]
        if rule.moment == "before":
            return [clock.due - timedelta(hours=rule.amount) * (24 if rule.unit == "calendar_days" else 1)]
        first = (
            days_on(clock.due, rule.amount)
            if rule.unit == "working_days"
            else clock.due + timedelta(hours=rule.amount)
        )
        return [days_on(first, rule.repeat_amount * number) for number in range(rule.repeat_limit + 1)]

    def observe(self, deadlines: list[Deadline], now: datetime) -> None:
        """What the verbs did to the clocks: new ones, ended, paused, resumed, moved."""
        for row in deadlines:
            clock = self.clocks.get(row.pk)
            if clock is None:
                clock = self.clocks[row.pk] = Clock(row.kind, row.state, row.started_at, row.due_at)
                self.look_from(clock, None)
            resumed = clock.state == "paused" and row.state == "running"
            was, moved = clock.due, clock.due != row.due_at
            clock.state, clock.due = row.state, row.due_at
            if resumed:
                self.look_from(clock, now)
            elif moved and row.state == "running":
                self.look_from(clock, None if row.due_at < now <= was else now)

    def look_from(self, clock: Clock, told_until: datetime | None) -> None:
        clock.told_until = told_until
        ahead = [one.at for one in self.rungs(clock) if told_until is None or one.at > told_until]
        clock.look_at = min(ahead, default=None)

    def rule_saved(self, rule: ReminderRule, now: datetime) -> None:
        """A rule speaks of what lies ahead."""
        for clock in self.clocks.values():
            concerned = clock.kind == rule.deadline_kind and clock.state == "running" and rule.is_active
            if concerned and (clock.look_at is None or clock.look_at > now):
                clock.look_at = clock.told_until = now

    def sweep(self, now: datetime) -> None:
        for pk, clock in self.clocks.items():
            if clock.state == "running" and clock.look_at is not None and clock.look_at <= now:
                self.find(pk, clock, now)
                self.look_from(clock, now)

    def find(self, pk: int, clock: Clock, now: datetime) -> None:
        mine = [row for row in self.rows if row.clock == pk and row.due == clock.due]
        handled = {(row.rule, row.repetition) for row in mine if row.state != "cancelled"}
        told: set[str] = set()
        for rung in reversed(self.rungs(clock)):
            late = clock.told_until is None or rung.at > clock.told_until
            if rung.at > now or not late or (rung.rule, rung.repetition) in handled:
                continue
            for who in self.recipients(self.rules[rung.rule]):
                state = "superseded" if who in told else "pending"
                told.add(who)
                self.rows = [row for row in self.rows if row.key != (pk, clock.due, rung.rule, rung.repetition, who)]
                self.rows.append(
                    Row(pk, clock.due, rung.rule, rung.repetition, who, state, self.opens(who, clock, now))
                )
        for row in mine:
            if row.state == "pending" and row.who in told:
                row.state = "superseded"

    @staticmethod
    def recipients(rule: ReminderRule) -> list[str]:
        return ["agent@example.com", "boss@example.com"] if rule.tell_lead else ["agent@example.com"]

    def opens(self, who: str, clock: Clock, now: datetime) -> datetime:
        opens = office(now) if self.sleeps and who == "agent@example.com" else now
        return now if clock.kind == "our_reply" and now < clock.due <= opens else opens

    def deliver(self, now: datetime) -> set[tuple[int, datetime, int, int, str]]:
        sent = set()
        for row in self.rows:
            if row.state != "pending" or row.send_after > now or (self.snoozed_until and self.snoozed_until > now):
                continue
            clock = self.clocks[row.clock]
            if clock.state != "running" or clock.due != row.due or not self.rules[row.rule].is_active:
                row.state = "cancelled"
            elif (opens := self.opens(row.who, clock, now)) > now:
                row.send_after = opens
            else:
                row.state = "sent"
                sent.add(row.key)
        return sent


@dataclass
class WayBack:
    """What the model was before a verb, and which reminders were waiting."""

    at: datetime
    clocks: dict[int, Clock]
    snoozed_until: datetime | None
    waiting: set[tuple[int, datetime, int, int, str]]


class World:
    """The hub, and beside it the model, through the same events."""

    def __init__(self, appeal: Appeal, agent: User, steps: list[EscalationStep], *, sleeps: bool) -> None:
        self.appeal, self.agent, self.steps, self.now = appeal, agent, steps, SENT
        self.model = Model({rule.pk: rule for rule in ReminderRule.objects.all()}, sleeps)
        self.back: WayBack | None = None
        self.observe()

    def observe(self) -> None:
        self.model.observe(list(Deadline.objects.filter(appeal=self.appeal).order_by("pk")), self.now)

    def do(self, deed: str, hours: int, number: int) -> None:
        self.now += timedelta(hours=0 if deed == "undo" else hours, minutes=1)
        getattr(self, deed)(number)
        self.observe()

    def verb(self, name: str, **values: Any) -> None:
        if name in lifecycle.verbs(self.appeal) or name == "edit":
            waiting = {row.key for row in self.model.rows if row.state == "pending"}
            self.back = WayBack(self.now, deepcopy(self.model.clocks), self.model.snoozed_until, waiting)
            verb = getattr(lifecycle, name)
            self.appeal = verb(appeal=self.appeal, actor=self.agent, now=self.now, **values)

    def sweep(self, _number: int) -> None:
        before = set(self.sent())
        reminders.sweep(self.now)
        delivery.deliver(self.now)
        self.model.sweep(self.now)
        assert set(self.sent()) - before == self.model.deliver(self.now)

    @staticmethod
    def sent() -> list[tuple[int, datetime, int, int, str]]:
        rows = Reminder.objects.filter(state=Reminder.State.SENT)
        return list(rows.values_list("deadline_id", "due_at", "rule_id", "repetition", "address"))

    def reply(self, number: int) -> None:
        self.verb("record_reply", kind=("brush_off", "question", "question", "answer")[number % 4], text="Hm.")

    def message(self, _number: int) -> None:
        self.verb("message", text="Please.")

    def escalate(self, number: int) -> None:
        self.verb("escalate", step=self.steps[number % len(self.steps)])

    def resolve(self, number: int) -> None:
        if number % 3 == 0:
            self.verb("resolve", outcome="refused")

    def reopen(self, _number: int) -> None:
        self.verb("reopen")

    def snooze(self, number: int) -> None:
        until = self.now + timedelta(hours=10 * number) if number % 3 else None
        self.verb("snooze", until=until)
        self.model.snoozed_until = self.appeal.snoozed_until

    def move(self, _number: int) -> None:
        """Another promise applies: the due time moves."""
        self.verb("edit", is_complex=not self.appeal.is_complex)

    def undo(self, _number: int) -> None:
        """It had never happened: the clocks look on from where they were, and what it dropped waits again."""
        back, self.back = self.back, None
        if back is None or self.now - back.at >= undo.LIMIT:
            return
        self.appeal = undo.undo(appeal=self.appeal, actor=self.agent, now=self.now)
        gone = {pk: replace(clock, state="cancelled") for pk, clock in self.model.clocks.items()}
        self.model.clocks, self.model.snoozed_until = gone | back.clocks, back.snoozed_until
        for row in self.model.rows:
            if row.state == "cancelled" and row.key in back.waiting:
                row.state = "pending"

    def edit_rule(self, number: int) -> None:
        self.back = None  # a rule speaks from now on: it is not taken back with a verb
        rule = list(self.model.rules.values())[number % len(self.model.rules)]
        if number % 2 or rule.unit != "hours":
            rule.is_active = not rule.is_active
        else:
            rule.amount = 3 + number
        with time_machine.travel(self.now, tick=False):
            rule.save()
        self.model.rule_saved(rule, self.now)


DEEDS = ["sweep", "reply", "message", "escalate", "resolve", "reopen", "snooze", "move", "edit_rule"] + ["undo"] * 6
DEEDS += ["sweep"] * 8 + ["reply", "message", "move", "move", "snooze", "reopen", "edit_rule"]
HOURS = st.sampled_from([0, 1, 2, 3, 5, 7, 11, 16, 22, 30, 50, 100])
STEPS = st.tuples(st.sampled_from(DEEDS), HOURS, st.integers(0, 11))


@pytest.fixture
def boss(shop: Shop, agent: User) -> User:
    Membership.objects.filter(user=agent).update(is_lead=False)
    user = User.objects.create_user("boss@example.com")
    Membership.objects.create(shop=shop, user=user, is_lead=True)
    return user


@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(STEPS, min_size=10, max_size=40), start=st.sampled_from([0, 70, 85, 86]), sleeps=st.booleans())
def test_any_order_of_events_leads_to_the_reminders_of_a_plain_model(
    sent: Appeal,
    boss: User,
    steps: list[EscalationStep],
    deeds: list[tuple[str, int, int]],
    start: int,
    *,
    sleeps: bool,
) -> None:
    with transaction.atomic():
        ResponseTarget.objects.create(
            marketplace=sent.marketplace, kind="answer", topic=sent.topic, is_complex=True, amount=6,
            unit="working_days", source="test",
        )  # fmt: skip
        agent = sent.assignee
        assert agent
        User.objects.filter(pk=agent.pk).update(working_hours=OFFICE if sleeps else "")
        world = World(sent, agent, steps, sleeps=sleeps)
        for deed, hours, number in [("reply", start, 0), *deeds, ("sweep", 24, 0), ("sweep", 72, 0)]:
            world.do(deed, hours, number)
        mails = [one.extra_headers["Message-ID"] for one in mail.outbox]
        assert len(mails) == len(set(mails))
        mail.outbox.clear()
        transaction.set_rollback(True)
