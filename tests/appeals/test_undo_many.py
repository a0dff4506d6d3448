"""What was done to many appeals at once is taken back at once, as far as each of them can be."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from time_machine import TimeMachineFixture

from appeals import lifecycle
from appeals.models import Appeal, Event, Membership, Shop
from hub.models import User
from marketplaces.models import Channel, Topic

UNDO = "/admin/appeals/appeal/many/undo/"


def browser_of(user: User, role: str = "agent") -> Client:
    user.groups.add(Group.objects.get(name=role))
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def three(agent: User, shop: Shop, finance: Topic, desk: Channel) -> list[Appeal]:
    """Two that wait for an answer, and a draft."""
    now = timezone.now()
    made = [
        lifecycle.create(actor=agent, now=now, shop=shop, subject=f"No. {number}", topic=finance, channel=desk)
        for number in range(3)
    ]
    return [lifecycle.submit(appeal=one, actor=agent, now=now) for one in made[:2]] + made[2:]


def resolve(browser: Client, appeals: list[Appeal]) -> str:
    """The numbers of the lines that the button names, "" without a button."""
    ids = "-".join(str(one.pk) for one in appeals)
    answer = browser.post(
        f"{reverse('admin:appeals_appeal_many', args=['resolve'])}?ids={ids}", {"outcome": "ignored"}, follow=True
    )
    lines = "-".join(str(row.line.pk) for row in answer.context["rows"] if row.line)
    assert (f'value="{lines}"' in answer.content.decode()) == bool(lines)
    return lines


def statuses(appeals: list[Appeal]) -> list[str]:
    return [Appeal.objects.get(pk=one.pk).status for one in appeals]


def test_one_button_takes_back_what_was_done_to_each(agent: User, three: list[Appeal]) -> None:
    browser = browser_of(agent)
    lines = resolve(browser, three)
    assert statuses(three) == ["resolved", "resolved", "draft"]
    answer = browser.post(UNDO, {"event": lines}, follow=True)
    assert answer.context["done"] == 2
    assert statuses(three) == ["waiting", "waiting", "draft"]
    assert "undo_button" not in answer.context or not answer.context["undo_button"]


def test_what_has_moved_on_since_stays_and_says_why(agent: User, three: list[Appeal]) -> None:
    browser = browser_of(agent)
    lines = resolve(browser, three)
    lifecycle.reopen(appeal=three[0], actor=agent, now=timezone.now())
    rows = {row.appeal.pk: row.problem for row in browser.post(UNDO, {"event": lines}, follow=True).context["rows"]}
    assert rows[three[0].pk]
    assert not rows[three[1].pk]
    assert [one.appeal for one in Event.objects.filter(kind="undone")] == [three[1]]


def test_after_ten_minutes_nothing_is_taken_back(
    agent: User, three: list[Appeal], time_machine: TimeMachineFixture
) -> None:
    browser = browser_of(agent)
    lines = resolve(browser, three)
    time_machine.move_to(timezone.now() + timedelta(minutes=11))
    answer = browser.post(UNDO, {"event": lines}, follow=True)
    assert answer.context["done"] == 0
    assert all(row.problem for row in answer.context["rows"])
    assert statuses(three[:2]) == ["resolved", "resolved"]


def test_a_colleague_takes_back_nothing_and_a_lead_does(agent: User, three: list[Appeal], shop: Shop) -> None:
    lines = resolve(browser_of(agent), three)
    colleague = User.objects.create_user("colleague@example.com")
    member = Membership.objects.create(shop=shop, user=colleague)
    browser = browser_of(colleague)
    assert browser.post(UNDO, {"event": lines}, follow=True).context["done"] == 0
    member.is_lead = True
    member.save()
    assert browser.post(UNDO, {"event": lines}, follow=True).context["done"] == 2


def test_outsiders_viewers_and_odd_numbers_get_nothing(agent: User, three: list[Appeal], shop: Shop) -> None:
    lines = resolve(browser_of(agent), three)
    outsider = browser_of(User.objects.create_user("outsider@example.com"), "lead")
    assert outsider.post(UNDO, {"event": lines}, follow=True).context["rows"] == []
    viewer = User.objects.create_user("viewer@example.com")
    Membership.objects.create(shop=shop, user=viewer)
    assert browser_of(viewer, "viewer").post(UNDO, {"event": lines}).status_code == 403
    browser = browser_of(agent)
    for odd in ("", "x", "1--2", "-".join(["1"] * 201)):
        assert browser.post(UNDO, {"event": odd}).status_code == 404
    assert browser.get(UNDO).status_code == 404
    assert statuses(three[:2]) == ["resolved", "resolved"]


def test_what_changed_nothing_offers_no_way_back_to_something_earlier(agent: User, three: list[Appeal]) -> None:
    browser = browser_of(agent)
    ids = "-".join(str(one.pk) for one in three)
    assign = f"{reverse('admin:appeals_appeal_many', args=['assign'])}?ids={ids}"
    answer = browser.post(assign, {"assignee": ""}, follow=True)
    assert answer.context["done"] == 3
    assert [row.line for row in answer.context["rows"]] == [None, None, None]
