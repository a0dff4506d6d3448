"""Somebody leaves: tokens die, sessions end at once, and a lead hands their appeals over."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from appeals import lifecycle, shops
from appeals.models import Appeal, Membership, Shop
from hub import people
from hub.models import ApiToken, User
from marketplaces.models import Marketplace

PASSWORD = "long-enough-1"


def person(name: str, role: str) -> User:
    user = User.objects.create_user(f"{name}@example.com", PASSWORD, language="en")
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD, language="en")


@pytest.fixture
def agent(db: None) -> User:
    return person("agent", "agent")


@pytest.fixture
def lead(db: None) -> User:
    return person("lead", "lead")


@pytest.fixture
def shop(lead: User, agent: User) -> Shop:
    ozon = Marketplace.objects.create(slug="ozon", name="Ozon", name_en="Ozon")
    return shops.create(actor=lead, name="Tea", marketplace=ozon, members=[agent])


@pytest.fixture
def appeal(shop: Shop, agent: User) -> Appeal:
    now = timezone.now()
    return lifecycle.create(actor=agent, now=now, shop=shop, subject="No money", assignee=agent)


def entered(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def close_account(root: User, user: User) -> None:
    form = {"email": user.email, "language": "en", "time_zone": "Europe/Moscow", "is_staff": "on"}
    answer = entered(root).post(reverse("admin:hub_user_change", args=[user.pk]), form)
    assert answer.status_code == 302, answer.content.decode()
    user.refresh_from_db()
    assert not user.is_active


def test_tokens_die_and_sessions_end_at_once_and_neither_comes_back(root: User, agent: User, appeal: Appeal) -> None:
    browser = entered(agent)
    _token, secret = ApiToken.objects.create(user=agent, name="program")
    program = {"Authorization": f"Bearer {secret}"}
    assert browser.get("/admin/").status_code == 200
    close_account(root, agent)
    assert browser.get("/admin/").status_code == 302
    assert Client().get("/api/v1/me/", headers=program).status_code == 401
    assert Client().post("/admin/login/", {"username": agent.email, "password": PASSWORD}).status_code == 200
    agent.is_active = True
    agent.save()
    assert browser.get("/admin/").status_code == 302
    assert Client().get("/api/v1/me/", headers=program).status_code == 401
    appeal.refresh_from_db()
    assert appeal.assignee == agent


def test_an_account_that_was_used_is_not_deleted(root: User, agent: User) -> None:
    entered(agent)
    page = reverse("admin:hub_user_delete", args=[agent.pk])
    assert entered(root).post(page, {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [agent.pk], "post": "yes"}
    entered(root).post(reverse("admin:hub_user_changelist"), action)
    assert User.objects.filter(pk=agent.pk).exists()


def test_neither_is_the_account_of_a_program_that_did_something(root: User, appeal: Appeal) -> None:
    programs = [person("erp", "integration"), person("bot", "integration")]
    lifecycle.submit(appeal=appeal, actor=programs[0], now=timezone.now())
    statuses = []
    for program in programs:
        page = reverse("admin:hub_user_delete", args=[program.pk])
        statuses.append(entered(root).post(page, {"post": "yes"}).status_code)
    assert statuses == [403, 302]


def test_the_page_of_a_person_tells_what_they_have_open(root: User, agent: User, appeal: Appeal) -> None:
    page = entered(root).get(reverse("admin:hub_user_change", args=[agent.pk])).content.decode()
    assert "1 appeal: hand over" in page
    assert reverse("handover-person", args=[agent.pk]) in page


@pytest.mark.parametrize("who", ["root", "lead"])
def test_who_leads_the_shop_hands_over_what_was_left_open(
    root: User, lead: User, agent: User, appeal: Appeal, who: str
) -> None:
    next_one = person("next", "agent")
    Membership.objects.create(shop=appeal.shop, user=next_one)
    people.deactivate(agent)
    client = entered({"root": root, "lead": lead}[who])
    listed = client.get(reverse("handover")).content.decode()
    assert "agent@example.com" in listed
    assert "the account is closed" in listed
    page = reverse("handover-person", args=[agent.pk])
    assert "No money" in client.get(page).content.decode()
    done = client.post(page, {"to": next_one.pk, "appeals": [appeal.pk]}, follow=True)
    assert "1 appeal is now with next@example.com." in done.content.decode()
    appeal.refresh_from_db()
    assert appeal.assignee == next_one
    assert "There is nothing left to hand over." in client.get(page, follow=True).content.decode()


def test_who_does_not_see_the_shop_cannot_take_an_appeal_over(
    root: User, agent: User, appeal: Appeal, shop: Shop
) -> None:
    other_lead = person("other", "lead")
    shops.create(actor=other_lead, name="Rugs", marketplace=shop.marketplace)
    page = reverse("handover-person", args=[agent.pk])
    answer = entered(root).post(page, {"to": other_lead.pk, "appeals": [appeal.pk]}, follow=True)
    assert "No money" in answer.content.decode()
    appeal.refresh_from_db()
    assert appeal.assignee == agent


def test_leads_of_other_shops_and_those_who_lead_none_hand_nothing_over(
    agent: User, lead: User, appeal: Appeal, shop: Shop
) -> None:
    stranger = person("stranger", "lead")
    shops.create(actor=stranger, name="Rugs", marketplace=shop.marketplace)
    page = reverse("handover-person", args=[agent.pk])
    assert entered(stranger).get(page).status_code == 404
    assert "agent@example.com" not in entered(stranger).get(reverse("handover")).content.decode()
    forged = {"to": stranger.pk, "appeals": [appeal.pk]}
    assert entered(stranger).post(page, forged).status_code == 404
    for client in (entered(agent), entered(person("viewer", "viewer"))):
        assert client.get(reverse("handover")).status_code == 403
        assert client.post(page, forged).status_code == 403


def test_an_administrator_is_told_that_nobody_has_open_appeals_before_there_is_a_shop(root: User) -> None:
    answer = entered(root).get(reverse("handover"))
    assert "Nobody has open appeals in your shops." in answer.content.decode()


def test_an_administrator_ends_a_lock_and_turns_off_the_second_step_of_somebody_who_lost_the_phone(
    root: User, agent: User
) -> None:
    for _number in range(10):
        Client().post("/admin/login/", {"username": agent.email, "password": "wrong"})
    right = {"username": agent.email, "password": PASSWORD}
    assert Client().post("/admin/login/", right).status_code == 429
    chosen = {"_selected_action": [agent.pk]}
    entered(root).post(reverse("admin:hub_user_changelist"), chosen | {"action": "end_locks"})
    assert Client().post("/admin/login/", right).status_code == 302
    answer = entered(root).post(reverse("admin:hub_user_changelist"), chosen | {"action": "turn_second_step_off"})
    assert answer.status_code == 302


def test_who_administers_people_ends_no_lock_of_an_administrator_of_the_installation(root: User) -> None:
    for _number in range(10):
        Client().post("/admin/login/", {"username": root.email, "password": "wrong"})
    manager = entered(person("manager", "administrator"))
    chosen = {"_selected_action": [root.pk], "action": "end_locks"}
    manager.post(reverse("admin:hub_user_changelist"), chosen)
    assert Client().post("/admin/login/", {"username": root.email, "password": PASSWORD}).status_code == 429
