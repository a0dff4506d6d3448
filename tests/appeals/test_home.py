"""Every figure of the home page is a link to the list that it counts, and the list is as long as the figure says."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from appeals import lifecycle, shops
from appeals.models import Membership, Shop
from hub.models import User
from marketplaces.models import Channel, Marketplace, ResponseTarget, Topic

from .conftest import moscow

NOW = moscow("2026-11-20 12:00")
COUNTED = re.compile(r'<a href="([^"]+)" data-count="(\d+)"')


def log(shop: Shop, actor: User, sent: datetime, *replies: tuple[str, datetime]) -> None:
    topic = Topic.objects.get(slug="finance")
    appeal = lifecycle.create(actor=actor, now=sent, shop=shop, subject="Тема", topic=topic, assignee=actor)
    appeal = lifecycle.submit(appeal=appeal, actor=actor, now=sent)
    for kind, at in replies:
        lifecycle.record_reply(appeal=appeal, actor=actor, now=at, kind=kind, text="Текст")


@pytest.fixture
def people(shop: Shop, agent: User, finance: Topic, desk: Channel) -> dict[str, Client]:
    """A lead of two shops on two marketplaces and an agent of one, after ten weeks of work."""
    lead = User.objects.create_user("lead@example.com")
    elsewhere = Marketplace.objects.create(slug="elsewhere", name="Другой", country="RU", time_zone="Europe/Moscow")
    other = shops.create(actor=lead, name="Вторая", marketplace=elsewhere)
    Membership.objects.create(shop=shop, user=lead, is_lead=True)
    ResponseTarget.objects.create(marketplace=elsewhere, kind="answer", amount=2, unit="hours", source="test")
    for week in range(9):
        sent = NOW - timedelta(weeks=week, hours=5)
        late = sent + timedelta(minutes=9 if week % 2 else 250)
        log(shop, agent, sent, ("brush_off", sent + timedelta(minutes=9)), ("answer", late))
        log(other, lead, sent, ("answer", late))
    for place, person in ((shop, agent), (other, lead)):
        log(place, person, NOW - timedelta(weeks=9))
        log(place, lead, NOW - timedelta(minutes=30), ("question", NOW - timedelta(minutes=20)))
    lifecycle.create(actor=lead, now=NOW, shop=other, subject="Черновик")
    clients = {}
    for role, person in (("lead", lead), ("agent", agent)):
        person.groups.add(Group.objects.get(name=role))
        clients[role] = Client()
        clients[role].force_login(person)
    return clients


@pytest.mark.parametrize("role", ["lead", "agent"])
@pytest.mark.parametrize("scope", ["", "?mine=1"])
@time_machine.travel(NOW, tick=False)
def test_each_figure_opens_a_list_of_as_many(people: dict[str, Client], role: str, scope: str) -> None:
    page = people[role].get(reverse("admin:index") + scope).content.decode()
    links = dict(COUNTED.findall(page))
    for address, count in links.items():
        listed = people[role].get(unescape(address)).context["cl"]
        assert listed.result_count == int(count), address
    places = {address for address in links if "marketplace=" in address}
    weeks = {address for address in links if "replied=2026-" in address and "kept" not in address}
    months = {address for address in links if "replied=month" in address}
    assert (len(places), len(weeks), len(months)) == (2 if (role, scope) == ("lead", "") else 1, 8, 2)


@time_machine.travel(NOW, tick=False)
def test_an_appeal_counts_once_in_a_week_and_as_late_if_any_promise_was_missed(
    shop: Shop, agent: User, finance: Topic, desk: Channel
) -> None:
    agent.groups.add(Group.objects.get(name="agent"))
    sent = moscow("2026-11-16 10:00")
    log(shop, agent, sent - timedelta(days=30), ("answer", sent))
    log(shop, agent, sent, ("answer", sent + timedelta(minutes=5)), ("answer", sent + timedelta(minutes=9)))
    client = Client()
    client.force_login(agent)
    weeks = client.get(reverse("admin:index")).context["weeks"]
    assert weeks[-1]["share"] == (1, 1)
    late = f"{reverse('admin:appeals_appeal_changelist')}?replied=2026-11-16&kept=no"
    assert client.get(late).context["cl"].result_count == 1


@pytest.mark.parametrize("wrong", ["replied=yesterday", "replied=2026-13-01", "kept=perhaps", "replied=0001-01-01"])
def test_a_time_that_nobody_knows_shows_the_whole_list_with_a_note(shop: Shop, agent: User, wrong: str) -> None:
    agent.groups.add(Group.objects.get(name="agent"))
    client = Client()
    client.force_login(agent)
    answer = client.get(f"{reverse('admin:appeals_appeal_changelist')}?{wrong}")
    assert answer.status_code in (200, 302)


@time_machine.travel(NOW, tick=False)
def test_what_is_awaited_says_how_much_time_is_left_and_until_when(people: dict[str, Client]) -> None:
    page = people["lead"].get("/admin/").content.decode()
    assert "осталось 23\u00a0ч 40\u00a0мин из 24\u00a0ч, до 11:40 21 ноября" in page


@time_machine.travel(NOW, tick=False)
def test_the_counts_of_the_menu_say_what_they_count(people: dict[str, Client]) -> None:
    page = people["agent"].get(reverse("admin:index")).content.decode()
    said = re.findall(r'role="img" title="([^"]+): (\d+)" aria-label="\1: \2">\2</span>', page)
    assert [words for words, _count in said] == ["Our turn", "Overdue"]
