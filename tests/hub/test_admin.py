"""People, roles and tokens in the workplace, and its first doors."""

import re

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from knox.auth import TokenAuthentication

from hub.models import ApiToken, User
from hub.roles import ROLES


def person(role: str = "") -> User:
    user = User.objects.create_user(f"{role.replace(' ', '.') or 'nobody'}@example.com", language="en")
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("root@example.com", language="en")


def test_the_root_leads_to_the_workplace_and_it_asks_who_is_there(client: Client, db: None) -> None:
    assert client.get("/", follow=True).redirect_chain[-1][0].startswith("/admin/login/")


def test_people_unknown_are_addressed_in_russian(client: Client, db: None) -> None:
    assert 'lang="ru"' in client.get(reverse("admin:login")).content.decode()


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("viewer", "appeals.view_appeal", "appeals.add_appeal"),
        ("agent", "appeals.change_appeal", "appeals.add_shop"),
        ("lead", "appeals.change_membership", "marketplaces.change_channel"),
        ("directory editor", "marketplaces.change_channel", "appeals.add_appeal"),
        ("integration", "appeals.add_shop", "hub.view_user"),
        ("administrator", "hub.add_user", ""),
    ],
)
def test_each_role_may_what_it_needs_and_no_more(db: None, role: str, may: str, may_not: str) -> None:
    user = person(role)
    assert user.has_perm(may)
    assert not may_not or not user.has_perm(may_not)


@pytest.mark.parametrize("role", ["viewer", "agent", "lead", "directory editor", "integration"])
def test_the_menu_shows_what_one_may_open(client: Client, db: None, role: str) -> None:
    client.force_login(person(role))
    links = set(re.findall(r'href="(/admin/[a-z]+/[a-z]+/)"', client.get(reverse("admin:index")).content.decode()))
    assert links
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)
    assert reverse("admin:hub_user_changelist") not in links


def test_the_page_of_a_part_lists_it_as_the_menu_does(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    page = client.get(reverse("admin:app_list", args=["appeals"])).content.decode()
    listed = re.findall(r'<li><a class="hub-link" href="/admin/appeals/([a-z]+)/">', page)
    assert listed == ["appeal", "incident", "shop", "reminder", "reminderrule"]


@pytest.mark.parametrize(("shown", "says"), [("hub_apitoken", True), ("auth_group", False)])
def test_a_list_names_the_zone_where_it_shows_moments(
    client: Client, administrator: User, shown: str, says: bool
) -> None:
    client.force_login(administrator)
    page = client.get(reverse(f"admin:{shown}_changelist")).content.decode()
    assert ("your time, " in page) == says


def test_somebody_without_a_role_is_told_to_ask_for_one(client: Client, db: None) -> None:
    client.force_login(person())
    assert "Ask an administrator to give you a role." in client.get(reverse("admin:index")).content.decode()


def test_a_user_is_added_by_e_mail_with_a_role(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    agent = Group.objects.get(name="agent")
    form = {
        "email": "New@Example.com",
        "full_name": "Some Body",
        "usable_password": "true",
        "password1": "long-enough-1",
        "password2": "long-enough-1",
        "groups": [agent.pk],
    }
    client.post(reverse("admin:hub_user_add"), form)
    added = User.objects.get(email="new@example.com")
    assert list(added.groups.all()) == [agent]
    assert added.check_password("long-enough-1")


def test_who_administers_the_team_cannot_make_or_touch_administrators_of_the_installation(
    client: Client, administrator: User
) -> None:
    user = person("administrator")
    client.force_login(user)
    own = reverse("admin:hub_user_change", args=[user.pk])
    form = {"email": user.email, "language": "en", "time_zone": "Europe/Moscow", "is_active": "on", "is_staff": "on"}
    client.post(own, form | {"is_superuser": "on"})
    user.refresh_from_db()
    assert not user.is_superuser
    theirs = reverse("admin:hub_user_change", args=[administrator.pk])
    assert client.post(theirs, form | {"email": "stolen@example.com"}).status_code == 403
    assert client.post(reverse("admin:hub_user_delete", args=[administrator.pk]), {"post": "yes"}).status_code == 403


def test_a_new_token_is_shown_once_and_works(client: Client, db: None) -> None:
    user = person("agent")
    client.force_login(user)
    answer = client.post(reverse("admin:hub_apitoken_add"), {"user": user.pk, "name": "script", "days": "30"})
    found = re.search(r'<code id="token">([^<]+)</code>', answer.content.decode())
    assert found
    assert "no-store" in answer.headers["Cache-Control"]
    known, token = TokenAuthentication().authenticate_credentials(found[1].encode())
    assert (known, token.name, token.expiry is not None) == (user, "script", True)
    for page in (reverse("admin:hub_apitoken_changelist"), reverse("admin:hub_apitoken_change", args=[token.pk])):
        assert found[1] not in client.get(page).content.decode()


def test_nobody_makes_or_sees_a_token_of_somebody_else(client: Client, administrator: User) -> None:
    client.force_login(person("agent"))
    theirs, _secret = ApiToken.objects.create(user=administrator, name="master key")
    client.post(reverse("admin:hub_apitoken_add"), {"user": administrator.pk, "name": "mine"})
    assert list(ApiToken.objects.values_list("name", flat=True)) == ["master key"]
    assert "master key" not in client.get(reverse("admin:hub_apitoken_changelist")).content.decode()
    client.post(reverse("admin:hub_apitoken_delete", args=[theirs.pk]), {"post": "yes"})
    assert ApiToken.objects.filter(pk=theirs.pk).exists()


def test_everybody_sets_their_own_language_zone_and_hours(client: Client, db: None) -> None:
    user = person("viewer")
    client.force_login(user)
    form = {
        "full_name": "A B",
        "language": "ru",
        "time_zone": "Asia/Vladivostok",
        "working_hours": "Mo-Fr 09:00-18:00",
    }
    client.post(reverse("profile"), form | {"is_superuser": "on"})
    user.refresh_from_db()
    assert (user.language, user.time_zone, user.is_superuser) == ("ru", "Asia/Vladivostok", False)
    bad = client.post(reverse("profile"), form | {"time_zone": "Moscow"})
    user.refresh_from_db()
    assert user.time_zone == "Asia/Vladivostok"
    assert "hub-errors" in bad.content.decode()


@pytest.mark.parametrize("view", ["hub_user_changelist", "auth_group_changelist", "hub_apitoken_changelist"])
def test_people_roles_and_tokens_are_closed_to_a_viewer(client: Client, db: None, view: str) -> None:
    client.force_login(person("viewer"))
    assert client.get(reverse(f"admin:{view}")).status_code == 403


def test_a_role_of_the_hub_stays_and_another_goes_with_its_name_and_its_people(
    client: Client, administrator: User
) -> None:
    client.force_login(administrator)
    own = Group.objects.get(name="viewer")
    refused = client.post(reverse("admin:auth_group_delete", args=[own.pk]), {"post": "yes"}, follow=True)
    assert "The role “viewer” belongs to the hub and stays." in refused.content.decode()
    mark = {"action": "delete_selected", "_selected_action": [own.pk], "post": "yes"}
    several = client.post(reverse("admin:auth_group_changelist"), mark).content.decode()
    assert "belongs to the hub and stays" in several
    assert f'<a class="hub-button" href="{reverse("admin:auth_group_changelist")}">Back</a>' in several
    assert Group.objects.filter(pk=own.pk).exists()
    other = Group.objects.create(name="Some other role")
    other.permissions.add(*Permission.objects.all()[:3])
    person().groups.add(other)
    page = client.get(reverse("admin:auth_group_delete", args=[other.pk])).content.decode()
    assert "Some other role" in page
    assert "People who have them: 1" in page
    assert "Group_permissions" not in page
    client.post(reverse("admin:auth_group_delete", args=[other.pk]), {"post": "yes"})
    assert not Group.objects.filter(pk=other.pk).exists()


def test_roles_stand_in_their_order_with_the_number_of_their_people(client: Client, administrator: User) -> None:
    for role in ("lead", "agent"):
        person(role)
    person().groups.add(Group.objects.create(name="About nothing"))
    both = User.objects.get(email="lead@example.com")
    both.groups.add(Group.objects.get(name="agent"))
    client.force_login(administrator)
    page = client.get(reverse("admin:auth_group_changelist")).content.decode()
    names = re.findall("field-shown_name.*?<a[^>]*>([^<]+)</a>", page, re.DOTALL)
    assert names == [*ROLES, "About nothing"]
    counts = re.findall(r"field-people[^>]*>\s*(\d+)", page)
    assert counts == ["0", "2", "1", "0", "0", "0", "1"]
    people = client.get(reverse("admin:hub_user_changelist")).content.decode()
    assert "agent, lead" in people
    offered = re.findall(r"groups__id__exact=(\d+)", people)
    assert offered == sorted(offered, key=int)


def test_people_are_found_whatever_the_case_of_the_letters(client: Client, administrator: User) -> None:
    ivan = User.objects.create_user("i@example.com", full_name="Иван Ёлкин")
    client.force_login(administrator)
    for asked in ("иван", "ЁЛКИН", "I@EXAMPLE.COM"):
        answer = client.get(reverse("admin:hub_user_changelist"), {"q": asked})
        assert list(answer.context["cl"].result_list) == [ivan], asked


def test_somebody_without_a_role_has_a_dash_for_it(client: Client, administrator: User) -> None:
    person()
    client.force_login(administrator)
    page = client.get(reverse("admin:hub_user_changelist"), {"q": "nobody"}).content.decode()
    assert re.search(r"field-roles[^>]*>\s*—", page)


def test_a_token_is_known_by_its_name_and_its_end_is_told_before_it(client: Client, administrator: User) -> None:
    token, _secret = ApiToken.objects.create(user=administrator, name="stock program")
    client.force_login(administrator)
    page = client.get(reverse("admin:hub_apitoken_changelist")).content.decode()
    assert re.search(r"field-name.*?<a[^>]*>stock program</a>", page, re.DOTALL)
    address = reverse("admin:hub_apitoken_delete", args=[token.pk])
    assert "The program with this token will be shut out at once." in client.get(address).content.decode()
    done = client.post(address, {"post": "yes"}, follow=True)
    assert done.redirect_chain == [(reverse("admin:hub_apitoken_changelist"), 302)]
    assert "stock program" in str(*done.context["messages"])


def test_ones_own_settings_lead_to_the_password_and_the_second_step(client: Client, db: None) -> None:
    client.force_login(person("viewer"))
    page = client.get(reverse("profile")).content.decode()
    content = page[page.index("hub-narrow") :]
    assert f'href="{reverse("admin:password_change")}"' in content
    assert f'href="{reverse("second-step")}"' in content
    done = client.get(reverse("admin:password_change_done")).content.decode()
    assert re.search(rf'<a class="hub-button" href="{reverse("admin:index")}"', done)


def test_the_form_of_a_new_token_has_one_button(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    page = client.get(reverse("admin:hub_apitoken_add")).content.decode()
    assert 'name="_save"' in page
    assert 'name="_continue"' not in page
    assert 'name="_addanother"' not in page


def test_a_role_is_named_in_the_readers_language_offers_what_is_given_by_hand_and_keeps_the_rest(
    client: Client, administrator: User
) -> None:
    User.objects.filter(pk=administrator.pk).update(language="ru")
    client.force_login(administrator)
    role = Group.objects.get(name="administrator")
    address = reverse("admin:auth_group_change", args=[role.pk])
    form = client.get(address)
    shown = form.content.decode()
    assert str(form.context["original"]) == "администратор"
    assert "ключи идемпотентности" not in shown
    assert "администратор" in client.get(reverse("admin:auth_group_history", args=[role.pk])).content.decode()
    hidden = Permission.objects.get(codename="add_idempotencykey")
    kept = Permission.objects.get(codename="view_appeal")
    assert role.permissions.filter(pk=hidden.pk).exists()
    assert client.post(address, {"permissions": [kept.pk], "name": "other"}).status_code == 302
    role.refresh_from_db()
    left = set(role.permissions.all())
    assert role.name == "administrator"
    assert {hidden, kept} <= left
    assert Permission.objects.get(codename="add_appeal") not in left


def test_a_new_role_has_the_rights_that_were_ticked_and_no_other(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    ticked = list(Permission.objects.filter(codename__in=["view_appeal", "add_appeal"]))
    form = {"name": "Night shift", "permissions": [one.pk for one in ticked]}
    assert client.post(reverse("admin:auth_group_add"), form).status_code == 302
    assert set(Group.objects.get(name="Night shift").permissions.all()) == set(ticked)
    again = client.post(reverse("admin:auth_group_add"), form).content.decode()
    assert "There is a role of this name already." in again


@pytest.mark.parametrize("name", ["viewer", "Наблюдатель"])
def test_no_role_takes_the_name_of_one_of_the_hub_in_any_language(
    client: Client, administrator: User, name: str
) -> None:
    client.force_login(administrator)
    page = client.post(reverse("admin:auth_group_add"), {"name": name}).content.decode()
    assert "A role of the hub is called that. Choose another name." in page
    assert Group.objects.count() == len(ROLES)


def test_a_moment_in_a_form_has_the_zone_of_its_reader(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    page = client.get(reverse("admin:hub_user_change", args=[administrator.pk])).content.decode()
    assert "(UTC+3)" in page


def test_the_search_of_the_menu_says_when_nothing_is_found(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    found = client.get(reverse("admin:search"), {"s": "zzzz", "extended": "1"}).content.decode()
    assert re.search('id="command-results-list"[^>]*><p role="status">No results', found)
    found = client.get(reverse("admin:search"), {"s": "appeal", "extended": "1"}).content.decode()
    assert 'id="command-results-list"' in found
    assert "No results" not in found


def test_how_a_password_is_stored_is_told_to_nobody(client: Client, administrator: User) -> None:
    person = User.objects.create_user("agent@example.com", "long-enough-1")
    client.force_login(administrator)
    page = client.get(reverse("admin:hub_user_change", args=[person.pk])).content.decode()
    algorithm, *_rest, stored = person.password.split("$")
    assert "There is a password." in page or "Пароль задан." in page
    assert algorithm not in page
    assert stored[:6] not in page


def test_the_history_of_a_person_names_the_fields_in_the_readers_language(client: Client, administrator: User) -> None:
    User.objects.filter(pk=administrator.pk).update(language="ru")
    client.force_login(administrator)
    other = person()
    told = [{"changed": {"fields": ["Working hours", "Roles"]}}]
    LogEntry.objects.log_actions(administrator.pk, [other], CHANGE, told, single_object=True)
    page = client.get(reverse("admin:hub_user_history", args=[other.pk])).content.decode()
    assert "Рабочие часы" in page
    assert "Working hours" not in page


def test_a_row_that_there_is_not_is_told_of_without_its_number(client: Client, administrator: User) -> None:
    User.objects.filter(pk=administrator.pk).update(language="ru")
    client.force_login(administrator)
    page = client.get(reverse("admin:hub_user_change", args=[99999]), follow=True).content.decode()
    assert "Такой записи нет: её могли удалить." in page


def test_who_may_only_look_reads_a_person_in_words(client: Client, administrator: User) -> None:
    viewer = person("administrator")
    administrator.working_hours, administrator.days_off = "Mo-Fr 09:00-18:00", [["2026-12-28", "2027-01-09"]]
    administrator.save()
    administrator.groups.add(Group.objects.get(name="lead"))
    User.objects.filter(pk=viewer.pk).update(language="ru")
    client.force_login(viewer)
    page = client.get(reverse("admin:hub_user_change", args=[administrator.pk])).content.decode()
    assert "пн–пт 09:00–18:00" in page
    assert "Mo-Fr 09:00-18:00" not in page
    assert "28.12.2026 – 09.01.2027" in page
    assert "администратор системы, старший" in page


def test_the_path_of_a_page_says_no_word_twice(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    page = client.get(reverse("admin:appeals_appeal_changelist")).content.decode()
    assert "Work with support" in page
