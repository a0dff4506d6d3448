"""Who was told and why, sending again, whom mail does not reach, and the rules that leads write."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client
from django.urls import reverse, reverse_lazy
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from appeals import delivery, lifecycle, reminders
from appeals.models import Appeal, Membership, RefusedAddress, Reminder, ReminderRule, Shop
from hub.models import ApiToken, User
from marketplaces.models import Marketplace, Topic
from tests.appeals.conftest import moscow

pytestmark = pytest.mark.django_db

LIST = reverse_lazy("admin:appeals_reminder_changelist")
BREACH = moscow("2026-10-09 00:00")
RULE = {
    **{"deadline_kind": "answer", "moment": "after", "amount": "1", "unit": "hours", "is_active": "on"},
    **{"marketplace": "", "topic": "", "priority": "", "extra_addresses": ""},
    **{"repeat_amount": "0", "repeat_unit": "working_days", "repeat_limit": "0"},
}


def log_in(client: Client, user: User, role: str) -> Client:
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return client


@pytest.fixture
def ours(client: Client, shop: Shop, agent: User) -> Client:
    return log_in(client, agent, "lead")


@pytest.fixture
def outsider(market: Marketplace) -> Client:
    user = User.objects.create_user("outsider@example.com", language="en")
    Membership.objects.create(shop=Shop.objects.create(name="Others", marketplace=market), user=user)
    return log_in(Client(), user, "agent")


@pytest.fixture
def told(sent: Appeal, time_machine: TimeMachineFixture) -> Reminder:
    """The agent was told at the breach."""
    time_machine.move_to(BREACH)
    reminders.sweep(BREACH)
    delivery.deliver(BREACH)
    return Reminder.objects.get(deadline__kind="answer")


def page(reminder: Reminder) -> str:
    return reverse("admin:appeals_reminder_change", args=[reminder.pk])


def again(reminder: Reminder) -> str:
    return reverse("admin:appeals_reminder_send_again", args=[reminder.pk])


def test_while_the_appeal_is_snoozed_nothing_is_sent_and_the_page_says_why(
    ours: Client, told: Reminder, agent: User
) -> None:
    until = BREACH + timedelta(days=1)
    lifecycle.snooze(appeal=told.deadline.appeal, actor=agent, now=BREACH, until=until)
    found = ours.get(page(told)).content.decode()
    assert "nobody is reminded of it until" in found
    assert again(told) not in found
    answer = ours.post(again(told), follow=True).content.decode()
    assert "nobody is reminded of it until" in answer
    told.refresh_from_db()
    assert (told.state, told.resends) == ("sent", 0)


def test_one_that_is_superseded_says_so_once(told: Reminder) -> None:
    Reminder.objects.update(state="superseded", reason="later_rung", sent_at=None)
    told.refresh_from_db()
    said = reminders.explain(told)
    assert str(told.get_reason_display()) in said
    assert str(told.get_state_display()) not in said


def test_a_reminder_has_a_page_that_says_why(ours: Client, told: Reminder) -> None:
    found = ours.get(page(told)).content.decode()
    assert "agent@example.com is told as: assignee." in found
    assert "Rule: when the term runs out." in found
    assert told.message_id.strip("<>") in found


def test_the_list_leads_to_it_by_its_time_and_says_no_reason_twice(ours: Client, told: Reminder) -> None:
    later = {"state": "superseded", "reason": "later_rung", "sent_at": None}
    Reminder.objects.filter(pk=told.pk).update(**later)
    found = ours.get(LIST).content.decode()
    assert re.search(rf'<a href="{page(told)}[^>]*>9 October, 00:00</a>', found)
    assert "took its place" not in found


@pytest.mark.parametrize(
    ("asked", "is_found"), [("№ {0}", True), ("{0}", True), ("№ {0}0", False), ("agent@", True), ("9" * 18, False)]
)
def test_it_is_found_by_the_number_of_its_appeal(ours: Client, told: Reminder, asked: str, is_found: bool) -> None:
    answer = ours.get(LIST, {"q": asked.format(told.deadline.appeal_id)})
    assert (told in answer.context["cl"].queryset) == is_found


def test_it_is_sent_again_from_its_page(ours: Client, told: Reminder) -> None:
    answer = ours.post(again(told), follow=True)
    assert "It goes out with the next sweep" in answer.content.decode()
    delivery.deliver(BREACH + timedelta(minutes=1))
    assert len(mail.outbox) == 2


def test_it_says_why_it_is_not_sent_again(ours: Client, told: Reminder, agent: User) -> None:
    lifecycle.resolve(appeal=told.deadline.appeal, actor=agent, now=BREACH, outcome="granted")
    assert "There is nothing to remind of any more" in ours.post(again(told), follow=True).content.decode()


def test_looking_alone_sends_nothing(ours: Client, told: Reminder) -> None:
    assert ours.get(again(told)).status_code == 405
    delivery.deliver(BREACH + timedelta(minutes=1))
    assert len(mail.outbox) == 1


def test_an_outsider_neither_sees_it_nor_sends_it(outsider: Client, told: Reminder) -> None:
    assert outsider.get(page(told)).status_code == 302  # there is no such reminder for them
    assert outsider.post(again(told)).status_code == 404
    told.refresh_from_db()
    assert told.state == "sent"


def test_who_may_only_look_sees_why_and_sends_nothing(told: Reminder, shop: Shop) -> None:
    user = User.objects.create_user("viewer@example.com", language="en")
    Membership.objects.create(shop=shop, user=user)
    viewer = log_in(Client(), user, "viewer")
    assert "Send again" not in viewer.get(page(told)).content.decode()
    assert viewer.post(again(told)).status_code == 403


def test_the_mail_says_why_and_leads_to_that_page(told: Reminder) -> None:
    body = str(mail.outbox[0].body)
    assert "You are told as: assignee. Rule: " in body
    assert any(page(one) in body for one in Reminder.objects.filter(message_id=told.message_id))


def test_its_link_proposes_tomorrow_morning_for_a_snooze(ours: Client, told: Reminder) -> None:
    link = next(word for word in str(mail.outbox[0].body).split() if "until=" in word)
    form = ours.get(link[link.index("/admin/") :]).content.decode()
    assert 'value="2026-10-10T09:00"' in form


def api_of(user: User) -> APIClient:
    user.groups.add(Group.objects.get(name="agent"))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.objects.create(user, name='test')[1]}")
    return client


def test_a_program_reads_why_and_sends_again(told: Reminder, agent: User) -> None:
    api = api_of(agent)
    row = next(one for one in api.get("/api/v1/reminders/").json()["results"] if one["id"] == told.pk)
    assert "is told as: assignee" in row["why"]
    assert api.post(f"/api/v1/reminders/{told.pk}/send-again/").json()["state"] == "pending"


def test_a_program_is_told_what_is_not_sent_again(told: Reminder, agent: User) -> None:
    lifecycle.resolve(appeal=told.deadline.appeal, actor=agent, now=BREACH, outcome="granted")
    answer = api_of(agent).post(f"/api/v1/reminders/{told.pk}/send-again/")
    assert answer.status_code == 400
    assert "nothing to remind of" in answer.json()["errors"][0]["detail"]


def test_a_program_of_others_sends_nothing(told: Reminder, outsider: Client) -> None:
    api = api_of(User.objects.get(email="outsider@example.com"))
    assert api.post(f"/api/v1/reminders/{told.pk}/send-again/").status_code == 404


# Whom mail does not reach


@pytest.fixture
def unreached(shop: Shop) -> RefusedAddress:
    user = User.objects.create_user("gone@example.com")
    Membership.objects.create(shop=shop, user=user)
    return RefusedAddress.objects.create(address="gone@example.com", reason="550 no such user", at=BREACH)


def test_the_lead_sees_whom_mail_does_not_reach(ours: Client, unreached: RefusedAddress) -> None:
    found = ours.get(reverse("admin:index")).content.decode()
    assert "gone@example.com" in found
    assert "550 no such user" in found


def test_an_address_of_a_rule_is_seen_too(ours: Client, unreached: RefusedAddress) -> None:
    RefusedAddress.objects.create(address="boss@example.com", reason="550 moved", at=BREACH)
    ReminderRule.objects.create(deadline_kind="answer", extra_addresses=["boss@example.com"])
    assert "550 moved" in ours.get(reverse("admin:index")).content.decode()


def test_an_agent_and_the_lead_of_others_do_not_see_it(
    ours: Client, outsider: Client, agent: User, unreached: RefusedAddress
) -> None:
    Membership.objects.filter(user=agent).update(is_lead=False)
    for client in (ours, outsider):
        assert "550 no such user" not in client.get(reverse("admin:index")).content.decode()


# Rules


def saved(client: Client, **changes: str) -> str:
    return client.post(reverse("admin:appeals_reminderrule_add"), RULE | changes, follow=True).content.decode()


def test_a_lead_writes_a_rule(ours: Client, finance: Topic) -> None:
    saved(ours, tell_assignee="on", extra_addresses="Boss@example.com", amount="7")
    rule = ReminderRule.objects.get(amount=7)
    assert (rule.extra_addresses, rule.tell_assignee, rule.tell_lead) == (["boss@example.com"], True, False)
    assert "assignee, boss@example.com" in ours.get(reverse("admin:appeals_reminderrule_changelist")).content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "This rule tells nobody."),
        (
            {"tell_assignee": "on", "moment": "before", "amount": "999"},
            "no term that it speaks of is longer than that",
        ),
        ({"tell_assignee": "on", "moment": "before", "amount": "0"}, "needs an amount of at least 1"),
        ({"tell_assignee": "on", "extra_addresses": "nobody"}, "valid email address"),
        ({"tell_assignee": "on", "repeat_amount": "2"}, "Repeating needs an interval and a limit"),
    ],
)
def test_a_rule_that_would_never_be_heard_is_refused_with_the_reason(
    ours: Client, finance: Topic, changes: dict[str, str], words: str
) -> None:
    before = ReminderRule.objects.count()
    assert words in saved(ours, **changes)
    assert ReminderRule.objects.count() == before


def test_the_same_rule_is_not_written_twice(ours: Client, finance: Topic) -> None:
    saved(ours, tell_assignee="on", amount="7")
    first = ReminderRule.objects.get(amount=7)
    answer = saved(ours, tell_assignee="on", amount="7")
    assert "Such a rule is there already" in answer
    assert reverse("admin:appeals_reminderrule_change", args=[first.pk]) in answer
    saved(ours, tell_assignee="on", amount="7", unit="working_days")
    saved(ours, tell_assignee="on", amount="7", extra_addresses="boss@example.com")
    assert ReminderRule.objects.filter(amount=7).count() == 3
    address = reverse("admin:appeals_reminderrule_change", args=[first.pk])
    assert ours.post(address, RULE | {"amount": "7", "tell_assignee": "on"}).status_code == 302


def test_an_agent_writes_no_rules(client: Client, agent: User, shop: Shop) -> None:
    log_in(client, agent, "agent")
    assert client.post(reverse("admin:appeals_reminderrule_add"), RULE | {"tell_assignee": "on"}).status_code == 403


def test_an_address_that_is_told_of_every_shop_is_chosen_by_somebody_who_leads_them_all(
    agent: User, shop: Shop, finance: Topic
) -> None:
    lead = log_in(Client(), agent, "lead")
    Shop.objects.create(name="Of another team", marketplace=shop.marketplace)
    saved(lead, tell_assignee="on", extra_addresses="boss@example.com", amount="7")
    assert ReminderRule.objects.latest("pk").extra_addresses == []
    rule = ReminderRule.objects.create(
        deadline_kind="answer", tell_assignee=False, extra_addresses=["old@example.com"]
    )
    answer = lead.post(reverse("admin:appeals_reminderrule_change", args=[rule.pk]), RULE | {"amount": "9"})
    assert answer.status_code == 302
    rule.refresh_from_db()
    assert (rule.amount, rule.extra_addresses) == (9, ["old@example.com"])


def test_the_people_of_a_rule_are_boxes_and_nothing_beside_them_adds_one(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("root@example.com"))
    page = client.get(reverse("admin:appeals_reminderrule_add")).content.decode()
    assert 'id="id_people_0"' in page
    assert 'data-id="related-widget-wrapper-people"' not in page
