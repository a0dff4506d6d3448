"""The ladder editor's rows: what they say, which can never fire, and when their rungs fall due."""

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from appeals import ladder, lifecycle
from appeals.models import Appeal, Deadline, Membership, ReminderRule
from appeals.recipients import Roster
from hub.models import User
from marketplaces.models import EscalationStep, Marketplace, ResponseTarget, Topic
from tests.appeals.conftest import moscow

pytestmark = pytest.mark.django_db


def rule(**fields: object) -> ReminderRule:
    return ReminderRule(**{"deadline_kind": "answer", "unit": "hours"} | fields)


def clock(appeal: Appeal, **fields: object) -> Deadline:
    """A running deadline as it stands, counted round the clock unless said otherwise."""
    values = {
        "kind": "answer",
        "started_at": moscow("2026-10-05 10:00"),
        "due_at": moscow("2026-10-08 14:30"),
        "amount": 76,
        "unit": "hours",
        "opening_hours": "24/7",
        "time_zone": "Europe/Moscow",
        "country": "RU",
    }
    return Deadline(appeal=appeal, **values | fields)


def moments(deadline: Deadline, *rules: ReminderRule) -> list[datetime]:
    for number, one in enumerate(rules, start=1):
        one.pk = one.pk or number
    return [rung.at for rung in ladder.rungs(deadline, list(rules))]


@pytest.mark.parametrize(
    ("fields", "due", "expected"),
    [
        ({"amount": 0}, "2026-10-08 14:30", "2026-10-08 14:30"),
        ({"amount": 5}, "2026-10-08 14:30", "2026-10-08 19:30"),
        ({"amount": 5, "moment": "before"}, "2026-10-08 14:30", "2026-10-08 09:30"),
        # the same time of day, so many working days on; midnight is the end of the day before
        ({"amount": 1, "unit": "working_days"}, "2026-10-08 14:30", "2026-10-09 14:30"),
        ({"amount": 2, "unit": "working_days"}, "2026-10-08 14:30", "2026-10-12 14:30"),
        ({"amount": 1, "unit": "working_days"}, "2026-10-09 00:00", "2026-10-10 00:00"),
        ({"amount": 1, "unit": "working_days"}, "2026-10-10 00:00", "2026-10-13 00:00"),
        ({"amount": 1, "unit": "working_days"}, "2026-10-10 14:30", "2026-10-12 14:30"),
        # 11 May 2026 is a day off that was moved; Saturday 20 February 2027 is worked
        ({"amount": 1, "unit": "working_days"}, "2026-05-08 14:30", "2026-05-12 14:30"),
        ({"amount": 1, "unit": "working_days"}, "2027-02-19 14:30", "2027-02-20 14:30"),
        ({"amount": 3, "unit": "working_days", "moment": "before"}, "2026-10-13 14:30", "2026-10-08 14:30"),
        ({"amount": 3, "unit": "calendar_days", "moment": "before"}, "2026-10-21 00:00", "2026-10-18 00:00"),
        ({"amount": 2, "unit": "calendar_days"}, "2026-10-08 14:30", "2026-10-10 14:30"),
    ],
)
def test_rungs_fall_due(sent: Appeal, fields: dict[str, object], due: str, expected: str) -> None:
    deadline = clock(sent, started_at=moscow("2026-01-12 10:00"), due_at=moscow(due))
    assert moments(deadline, rule(**fields)) == [moscow(expected)]


def test_half_of_a_term_leaves_pauses_out(sent: Appeal) -> None:
    pauses = [[moscow("2026-10-05 11:00").isoformat(), moscow("2026-10-05 21:00").isoformat()]]
    deadline = clock(sent, due_at=moscow("2026-10-06 00:00"), pauses=pauses)
    assert moments(deadline, rule(moment="share", amount=50)) == [moscow("2026-10-05 22:00")]


def test_a_moment_before_the_start_is_no_rung(sent: Appeal) -> None:
    assert moments(clock(sent), rule(moment="before", amount=77)) == []


def test_rungs_are_numbered_in_the_order_in_which_they_fall_due(sent: Appeal) -> None:
    deadline = clock(sent)
    first, second = rule(amount=3, repeat_amount=2, repeat_unit="hours", repeat_limit=2), rule(amount=4)
    first.pk, second.pk = 1, 2
    found = ladder.rungs(deadline, [first, second])
    assert [(rung.level, rung.rule.pk, rung.repetition) for rung in found] == [
        (1, 1, 0),
        (2, 2, 0),
        (3, 1, 1),
        (4, 1, 2),
    ]


def test_the_next_rung_is_the_first_after_a_moment(sent: Appeal) -> None:
    deadline, rules = clock(sent), [rule(pk=1, amount=0), rule(pk=2, amount=1)]
    assert ladder.next_rung(deadline, rules=rules) == deadline.due_at
    assert ladder.next_rung(deadline, rules=rules, after=deadline.due_at) == deadline.due_at + timedelta(hours=1)
    assert ladder.next_rung(deadline, rules=rules, after=deadline.due_at + timedelta(hours=1)) is None


def test_working_hours_are_those_of_the_person(draft: Appeal, agent: User) -> None:
    agent.working_hours = "Mo-Fr 09:00-18:00; PH off"
    agent.save()
    before = ReminderRule.objects.create(deadline_kind="answer", moment="before", amount=2, unit="working_hours")
    deadline = clock(draft, due_at=moscow("2026-10-12 10:00"))
    assert moments(deadline, before) == [moscow("2026-10-09 17:00")]
    after = ReminderRule.objects.create(deadline_kind="answer", amount=2, unit="working_hours")
    deadline = clock(draft, due_at=moscow("2026-10-09 17:00"))
    assert moments(deadline, after) == [moscow("2026-10-12 10:00")]


def test_of_two_people_the_first_hours_decide_and_each_keeps_their_own(draft: Appeal, agent: User) -> None:
    agent.working_hours = "Mo-Fr 09:00-18:00; PH off"
    agent.save()
    other = User.objects.create_user("late@example.com", working_hours="Mo-Fr 14:00-18:00; PH off")
    Membership.objects.create(shop=draft.shop, user=other, is_lead=True)
    both = ReminderRule.objects.create(deadline_kind="answer", amount=1, unit="working_hours", tell_lead=True)
    deadline = clock(draft, due_at=moscow("2026-10-09 08:00"))
    (rung,) = ladder.rungs(deadline, [both])
    assert rung.at == moscow("2026-10-09 10:00")
    told = Roster([draft.shop_id]).told(both, draft)
    assert {one.address: ladder.in_hours_of(rung, deadline, one) for one in told} == {
        "agent@example.com": moscow("2026-10-09 10:00"),
        "late@example.com": moscow("2026-10-09 15:00"),
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"moment": "share", "amount": 50}, "when 50% of the term has run"),
        ({"moment": "before", "amount": 2}, "2\u00a0hours before it is due"),
        ({"amount": 0}, "when the term runs out"),
        ({"amount": 1, "unit": "working_days"}, "1\u00a0working day after it was due"),
        (
            {"amount": 1, "unit": "working_days", "repeat_amount": 2, "repeat_limit": 5},
            "1\u00a0working day after it was due, then 5 more times with 2\u00a0working days between",
        ),
    ],
)
def test_a_rule_says_when(fields: dict[str, object], words: str) -> None:
    with translation.override("en"):
        assert rule(**fields).when == words


def refusal(one: ReminderRule) -> str:
    with translation.override("en"), pytest.raises(ValidationError) as error:
        one.full_clean()
    with translation.override("en"):
        return " ".join(error.value.messages)


def test_a_rung_is_due_once_from_its_moment_on() -> None:
    """At the very moment up to which was looked, nothing is found again."""
    at, instant = moscow("2026-10-08 14:30"), timedelta(microseconds=1)
    rung = ladder.Rung(rule(), 0, at, 1)
    assert ladder.between([rung], None, at - instant) == []
    assert ladder.between([rung], at - instant, at) == ladder.between([rung], None, at) == [rung]
    assert ladder.between([rung], at, at + instant) == []


def test_a_rule_that_tells_nobody_is_refused() -> None:
    with pytest.raises(ValidationError):
        rule(tell_assignee=False).check_heard([])
    rule(tell_assignee=False).check_heard([User()])


def test_before_nothing_is_refused(finance: Topic) -> None:
    assert "at least 1" in refusal(rule(moment="before", amount=0))


def test_longer_before_than_any_term_is_refused(finance: Topic) -> None:
    assert "never fire" in refusal(rule(deadline_kind="our_reply", moment="before", amount=24))
    rule(deadline_kind="our_reply", moment="before", amount=23).full_clean()


def test_the_longest_term_counts(finance: Topic, market: Marketplace) -> None:
    too_long = rule(deadline_kind="our_reply", moment="before", amount=2, unit="calendar_days")
    assert "never fire" in refusal(too_long)
    ResponseTarget.objects.create(
        marketplace=market, kind="our_reply", topic=finance, amount=72, unit="hours", source="test"
    )
    too_long.full_clean()


def test_a_marketplace_that_promises_no_such_thing_is_refused(finance: Topic) -> None:
    silent = Marketplace.objects.create(slug="silent", name="Тихий", name_en="Silent")
    assert "no such term for Silent" in refusal(rule(marketplace=silent))


def test_a_topic_of_another_marketplace_is_refused(finance: Topic, market: Marketplace) -> None:
    other = Marketplace.objects.create(slug="other", name="Другой")
    topic = Topic.objects.create(slug="their", name="Их", marketplace=other, source="test")
    assert "another marketplace" in refusal(rule(marketplace=market, topic=topic))


def test_a_topic_is_checked_against_the_terms_of_its_own_marketplace(finance: Topic, market: Marketplace) -> None:
    """Whether the rule names the marketplace as well makes no difference."""
    topic = Topic.objects.create(slug="ours", name="Наша", marketplace=market, source="test")
    slow = Marketplace.objects.create(slug="slow", name="Долгий")
    ResponseTarget.objects.create(marketplace=slow, kind="our_reply", amount=90, unit="hours", source="test")
    EscalationStep.objects.create(
        marketplace=slow, position=1, key="s", name="Шаг", term_amount=90, term_unit="calendar_days", source="test"
    )
    for place in (None, market):
        at_most = {"marketplace": place, "topic": topic, "deadline_kind": "our_reply", "moment": "before"}
        assert "never fire" in refusal(rule(**at_most, amount=24))
        rule(**at_most, amount=23).full_clean()
        assert "no such term for" in refusal(rule(**at_most | {"deadline_kind": "escalation"}, amount=1))


def test_a_step_of_the_path_gives_escalation_its_term(steps: list[EscalationStep]) -> None:
    rule(deadline_kind="escalation", moment="before", amount=3, unit="calendar_days").full_clean()
    assert "never fire" in refusal(rule(deadline_kind="escalation", moment="before", amount=90, unit="calendar_days"))


def test_what_is_no_address_is_refused(finance: Topic) -> None:
    assert "e-mail addresses" in refusal(rule(extra_addresses=["nobody"]))
    good = rule(extra_addresses=[" Lawyer@Example.com "])
    good.full_clean()
    assert good.extra_addresses == ["lawyer@example.com"]


def test_the_shipped_ladder_could_be_typed_in(finance: Topic, steps: list[EscalationStep]) -> None:
    for shipped in ReminderRule.objects.all():
        shipped.full_clean()
        shipped.check_heard([])


def test_a_ladder_reaches_a_deadline_as_soon_as_it_starts(draft: Appeal, agent: User) -> None:
    lifecycle.submit(appeal=draft, actor=agent, now=moscow("2026-10-05 10:00"))
    assert draft.deadlines.get(kind="answer").remind_at == moscow("2026-10-09 00:00")
