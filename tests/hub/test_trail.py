"""Who did what to which thing, when: told for everything, changed by nobody, read by those whose business it is."""

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django_otp.plugins.otp_totp.models import TOTPDevice

from appeals import lifecycle, shops
from appeals.models import Appeal, Attachment, Event, Membership, ReminderRule, Shop
from hub.models import ApiToken, User
from hub.trail import reading
from hub.trail.models import AppendOnlyError, TrailEntry
from marketplaces import history, upkeep
from marketplaces.models import Channel, DirectoryChange, Marketplace, Topic

PASSWORD = "long-enough-1"
NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD, language="en")


def person(name: str, role: str) -> User:
    user = User.objects.create_user(f"{name}@example.com", PASSWORD, language="en")
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def lead(db: None) -> User:
    return person("lead", "lead")


@pytest.fixture
def ozon(db: None) -> Marketplace:
    return Marketplace.objects.create(slug="ozon", name="Ozon", name_en="Ozon")


@pytest.fixture
def shop(lead: User, ozon: Marketplace) -> Shop:
    return shops.create(actor=lead, name="Tea", marketplace=ozon)


@pytest.fixture
def appeal(shop: Shop, lead: User) -> Appeal:
    now = timezone.now()
    draft = lifecycle.create(actor=lead, now=now, shop=shop, subject="No money", body="secret words of a letter")
    return lifecycle.submit(appeal=draft, actor=lead, now=now)


def entered(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(user: User, **query: Any) -> str:
    answer = entered(user).get(reverse("trail"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def told(kind: str) -> list[tuple[str, str | None]]:
    """The lines of one kind: what, and by whom."""
    lines = TrailEntry.objects.filter(kind=kind).order_by("id")
    return [(str(line), line.actor_email) for line in lines]


def test_a_change_of_a_person_in_the_workplace_is_told_with_the_actor_and_without_the_password(root: User) -> None:
    agent = person("agent", "agent")
    page = reverse("admin:auth_user_password_change", args=[agent.pk])
    new = {"usable_password": "true", "password1": "another-long-1", "password2": "another-long-1"}
    client = entered(root)
    client.post(page, new)
    agent.refresh_from_db()
    assert agent.check_password("another-long-1")
    line = TrailEntry.objects.filter(kind="person", actor=root).latest("id")
    assert (line.object_id, line.changes) == (agent.pk, {"password": ["•••", "•••"]})
    assert agent.password not in text(root)


def test_roles_given_and_taken_are_told(root: User) -> None:
    agent = person("agent", "agent")
    agent.groups.remove(Group.objects.get(name="agent"))
    page = text(root)
    assert "Groups: + agent" in page
    assert "Groups: − agent" in page


def test_the_columns_of_a_token_are_named_in_the_language_of_the_reader(root: User) -> None:
    token, _key = ApiToken.objects.create(user=person("agent", "agent"), name="1С")
    root.language = User.Language.RUSSIAN
    root.save()
    page = text(root)
    assert f"Начало ключа: {token.token_key}" in page
    assert "Сотрудник: agent@example.com" in page
    assert "Token key" not in page


def test_a_choice_is_told_in_words_and_an_empty_list_not_at_all(root: User) -> None:
    agent = person("agent", "agent")
    agent.language = User.Language.RUSSIAN
    agent.save()
    page = text(root)
    assert "Language: English → Russian" in page
    assert ": []" not in page


def test_days_moments_and_rights_are_told_as_people_read_them(root: User) -> None:
    root.language = User.Language.RUSSIAN
    root.time_zone = "Europe/Moscow"
    root.days_off = [["2026-12-25", "2026-12-25"], ["2026-12-28", "2027-01-09"]]
    root.save()
    token, _key = ApiToken.objects.create(user=root, name="1С")
    token.expiry = datetime(2026, 12, 29, 10, 48, 9, 217829, tzinfo=UTC)
    token.save()
    root.user_permissions.add(Permission.objects.get(codename="add_totpdevice"))
    page = text(root)
    assert "25.12.2026, 28.12.2026 – 09.01.2027" in page
    assert "→ 29 декабря 2026 г. 13:48" in page
    assert "TOTP devices" not in page


def test_a_token_is_told_without_anything_that_opens_a_door(root: User) -> None:
    token, secret = ApiToken.objects.create(user=root, name="stock program")
    digest = token.digest
    token.delete()
    kept = [str(values) for values in TrailEntry.objects.filter(kind="token").values()]
    assert len(kept) == 2
    assert "stock program" in kept[0]
    assert not any(digest in line or secret in line for line in kept)


def test_shops_members_and_rules_are_told(root: User, shop: Shop, lead: User) -> None:
    agent = person("agent", "agent")
    shops.edit(shop=shop, actor=lead, members=[lead, agent], legal_name="Tea Ltd")
    shops.edit(shop=shop, actor=lead, members=[lead])
    ReminderRule.objects.create(deadline_kind="answer", moment="before", amount=1, unit="hours")
    assert len(told("shop")) == 2
    assert len(told("member")) == 3
    assert len(told("rule")) == 1
    assert {line.shop_id for line in TrailEntry.objects.filter(kind__in=["shop", "member"])} == {shop.pk}


def test_a_change_through_the_api_names_who_made_it(shop: Shop, lead: User) -> None:
    _token, secret = ApiToken.objects.create(user=lead, name="program")
    answer = Client().patch(
        f"/api/v1/shops/{shop.pk}/",
        {"legal_name": "Tea Ltd"},
        "application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 200
    line = TrailEntry.objects.filter(kind="shop").latest("id")
    assert (line.actor, line.remote_addr) == (lead, "127.0.0.1")
    assert line.changes["legal_name"] == ["", "Tea Ltd"]


def test_log_ins_and_files_taken_out_are_told(root: User, appeal: Appeal) -> None:
    client = entered(root)
    client.get(reverse("admin:appeals_appeal_export", args=["csv"]), {"status": "open"})
    file = Attachment.objects.create(
        appeal=appeal, file=ContentFile(b"x", "x"), name="act.pdf", content_type="a/b", size=1, created_at=NOW
    )
    saved = client.get(reverse("admin:appeals_appeal_file", args=[appeal.pk, file.pk]))
    assert saved.getvalue() == b"x"
    assert told("login")[0][1] == root.email
    table, attachment = TrailEntry.objects.filter(kind="export").order_by("id")
    assert table.object_repr.startswith("appeals-")
    assert table.additional_data == {"address": "/admin/appeals/appeal/export/csv/?status=open"}
    assert (attachment.object_repr, attachment.shop_id, attachment.actor) == ("act.pdf", appeal.shop_id, root)


def test_taking_out_the_trail_is_a_line_of_it_and_carries_no_formulas(root: User, ozon: Marketplace) -> None:
    User.objects.create_user("evil@example.com", full_name="=HYPERLINK(1)")
    client = entered(root)
    answer = client.get(reverse("trail"), {"table": "csv"})
    assert "'=HYPERLINK" in answer.getvalue().decode()
    assert "file taken out" in text(root, kind="export").lower()
    assert TrailEntry.objects.get(kind="export").object_repr.startswith("trail-")
    User.objects.filter(pk=root.pk).update(language="ru")
    assert client.get(reverse("trail"), {"table": "csv"}).getvalue().decode().startswith("\ufeffКогда,Кто,Вид,")


def test_a_deleted_draft_leaves_a_line(shop: Shop, lead: User) -> None:
    draft = lifecycle.create(actor=lead, now=timezone.now(), shop=shop, subject="Thrown away")
    lifecycle.delete_draft(appeal=draft, actor=lead, now=timezone.now())
    assert TrailEntry.objects.get(kind="draft").shop_id == shop.pk
    assert "Thrown away" in text(lead)


def test_the_page_tells_all_three_as_one_by_time(root: User, appeal: Appeal) -> None:
    call_command("load_directory", verbosity=0)
    ours = [line.at for line in reading.lines(root, reading.Asked(), count=1000)]
    assert ours == sorted(ours, reverse=True)
    kinds = {line.kind for line in reading.lines(root, reading.Asked(), count=1000)}
    assert len(kinds) >= 4
    assert "secret words" not in text(root)


def test_reminders_of_one_moment_are_told_apart_and_each_cell_says_what_it_is(root: User, appeal: Appeal) -> None:
    for email in ("first@example.com", "second@example.com"):
        data = {"recipient": email, "level": 1, "deadline": "our_reply"}
        Event.objects.create(appeal=appeal, kind="reminded", at=NOW, recorded_at=NOW, data=data)
    page = text(root, kind="appeals")
    assert "first@example.com · Our reply" in page
    assert "second@example.com · Our reply" in page
    assert f"{appeal} · {appeal.shop}" in page
    assert page.count('<td data-label="Details">') == page.count("</tr>") - 1
    root.language = User.Language.RUSSIAN
    root.save()
    assert "first@example.com · Наш ответ" in text(root, kind="appeals")


def test_pages_follow_one_another_without_a_gap_or_a_double_even_at_one_moment(root: User, ozon: Marketplace) -> None:
    with time_machine.travel(NOW, tick=False):
        for number in range(7):
            User.objects.create_user(f"u{number}@example.com")
            DirectoryChange.objects.create(kind="channel", row_id=number, name=f"c{number}", action="created", at=NOW)
        asked = reading.Asked()
        whole = reading.lines(root, asked, count=1000)
        found: list[reading.Line] = []
        after = None
        while page := reading.lines(root, asked, after, 3):
            found += page
            after = reading.decode(reading.Position(*page[-1].place).encode())
    assert [line.place for line in found] == [line.place for line in whole]
    assert len(whole) >= 14


@pytest.mark.parametrize("count", [5, 60])
def test_a_page_costs_the_same_queries_however_long_the_trail_is(
    root: User, appeal: Appeal, count: int, django_assert_max_num_queries: Any
) -> None:
    for number in range(count):
        User.objects.create_user(f"u{number}@example.com")
        Event.objects.create(appeal=appeal, kind="edited", at=NOW, recorded_at=NOW, actor=root)
        DirectoryChange.objects.create(kind="channel", row_id=number, name="c", action="created", at=NOW, actor=root)
    root = User.objects.get(pk=root.pk)
    with django_assert_max_num_queries(4):  # the three lists, and the marketplaces that a shop's line may name
        found = reading.lines(root, reading.Asked(), count=10)
    assert len(found) == 10


def test_filters_by_person_kind_thing_day_and_shop(root: User, lead: User, appeal: Appeal, ozon: Marketplace) -> None:
    other = shops.create(actor=root, name="Rugs", marketplace=ozon)
    lifecycle.create(actor=root, now=timezone.now(), shop=other, subject="Other matter")
    assert "Other matter" not in text(root, who=lead.pk)
    assert "No money" not in text(root, kind="person")
    assert "No money" in text(root, thing=str(appeal.pk))
    assert "Other matter" not in text(root, thing="money")
    assert "No money" not in text(root, shop=other.pk)
    assert "Nothing of this kind was done." in text(root, until="2020-01-01")
    for day in ("yesterday", "1999-12-31"):
        refused = text(root, since=day)
        assert "hub-errors" in refused
        assert "No money" not in refused
        assert "2000-01-01" not in refused
    assert "No money" in text(root, after="nonsense")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", "0001-01-01"),
        ("until", "9999-12-31"),
        ("after", '["2020-01-01T00:00:00+00:00", 0, Infinity]'),
        ("after", '["0001-01-01T00:00:00+14:00", 0, 1]'),
        ("after", '["9999-12-31T23:59:59-14:00", 0, 1]'),
        ("after", "[" * 5000),
    ],
)
def test_times_that_no_calendar_holds_are_refused_or_passed_over(root: User, name: str, value: str) -> None:
    if name == "after":
        assert "root@example.com" in text(root, after=base64.urlsafe_b64encode(value.encode()).decode())
    else:
        assert "hub-errors" in text(root, **{name: value})


def test_a_lead_reads_the_lines_of_their_shops_and_no_others(root: User, lead: User, appeal: Appeal) -> None:
    foreign = shops.create(actor=root, name="Rugs", marketplace=appeal.shop.marketplace)
    lifecycle.create(actor=root, now=timezone.now(), shop=foreign, subject="Foreign matter")
    person("unrelated", "agent")
    DirectoryChange.objects.create(kind="channel", row_id=1, name="Hotline", action="created", at=NOW)
    page = text(lead)
    assert "No money" in page
    assert "Tea" in page
    for hidden in ("Foreign matter", "Rugs", "unrelated@example.com", "Hotline"):
        assert hidden not in page
    assert "Foreign matter" not in text(lead, shop=foreign.pk)


def test_who_administers_people_reads_about_people_and_not_about_shops_that_are_not_theirs(
    root: User, appeal: Appeal
) -> None:
    page = text(person("manager", "administrator"))
    assert "root@example.com" in page
    assert "No money" not in page
    assert "Tea" not in page


@pytest.mark.parametrize("role", ["viewer", "agent", "directory editor", "integration"])
def test_the_trail_is_closed_to_others(shop: Shop, role: str) -> None:
    user = person("other", role)
    Membership.objects.create(shop=shop, user=user)
    assert entered(user).get(reverse("trail")).status_code == 403


def test_no_code_changes_or_deletes_a_line(root: User) -> None:
    line = TrailEntry.objects.all()[0]
    for attempt in (
        line.save,
        line.delete,
        TrailEntry.objects.all().delete,
        lambda: TrailEntry.objects.update(kind="x"),
    ):
        with pytest.raises(AppendOnlyError):
            attempt()
    assert not any(model is TrailEntry for model in admin.site._registry)


def test_the_database_refuses_to_change_a_line(root: User) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE trail_trailentry SET kind = 'rule'")


@pytest.mark.postgres
def test_postgresql_refuses_to_delete_a_line_too(root: User) -> None:
    for statement in ("DELETE FROM trail_trailentry", "UPDATE trail_trailentry SET kind = 'rule'"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_lines_outlive_the_person_and_the_thing(root: User) -> None:
    agent = person("agent", "agent")
    client = entered(root)
    client.post(reverse("admin:hub_user_delete", args=[agent.pk]), {"post": "yes"})
    assert not User.objects.filter(pk=agent.pk).exists()
    root_pk, root_email = root.pk, root.email
    User.objects.filter(pk=root_pk).delete()
    second = User.objects.create_superuser("second@example.com", language="en")
    page = text(second)
    assert "agent@example.com" in page
    assert root_email in page
    assert re.search("deleted", page)


def test_a_second_step_is_told_when_it_comes_and_when_somebody_takes_it_away(root: User) -> None:
    agent = person("agent", "agent")
    TOTPDevice.objects.create(user=agent, key="00" * 20).save()
    call_command("addstatictoken", agent.email, verbosity=0)
    form = {"action": "turn_second_step_off", "_selected_action": [agent.pk]}
    entered(root).post(reverse("admin:hub_user_changelist"), form)
    lines = TrailEntry.objects.filter(kind="person", object_id=agent.pk, action=TrailEntry.Action.UPDATE)
    told = [(line.changes, line.actor) for line in lines.order_by("id") if "full_name" not in line.changes]
    step, codes = "Second step of the log-in", "New backup codes"
    assert ({step: ["False", "True"]}, None) in told
    assert ({codes: ["", "1"]}, None) in told
    assert told[-1] == ({step: ["True", "False"]}, root)
    assert sum(step in changes for changes, _actor in told) == 2
    assert f"{step}: yes → no" in text(root, who=root.pk)
    User.objects.filter(pk=root.pk).update(language="ru")
    assert "Второй шаг входа: да → нет" in text(root, who=root.pk)


def test_that_somebody_ended_the_locks_of_a_person_is_told(root: User) -> None:
    agent = person("agent", "agent")
    Client().post("/admin/login/", {"username": agent.email, "password": "wrong"})
    form = {"action": "end_locks", "_selected_action": [agent.pk]}
    for _time in range(2):  # the second ends nothing
        entered(root).post(reverse("admin:hub_user_changelist"), form)
    (line,) = TrailEntry.objects.filter(kind="person", actor=root)
    assert (line.object_id, line.changes) == (agent.pk, {"Let them try to log in again at once": ["1", "0"]})


@pytest.mark.parametrize(("actor", "reader"), [("ru", "en"), ("en", "ru")])
def test_what_was_named_is_said_in_the_language_of_the_reader(root: User, actor: str, reader: str) -> None:
    place = Marketplace.objects.create(slug="bazaar", name="Базар", name_en="Bazaar")
    row = Topic.objects.create(slug="money", name="Деньги", name_en="Money", marketplace=place)
    with translation.override(actor):
        rule = ReminderRule.objects.create(
            deadline_kind="answer", moment="before", amount=1, unit="hours", marketplace=place
        )
        role = Group.objects.create(name="Helper")
        role.permissions.add(*Permission.objects.filter(codename="view_appeal"))
        upkeep.delete(row=row, actor=root, now=timezone.now())
    with translation.override(reader):
        lines = reading.lines(root, reading.Asked())
        name = str(rule)
    said = {
        "ru": ("Базар", "Деньги (Базар)", "обращения: смотреть"),
        "en": ("Bazaar", "Money (Bazaar)", "appeals: view"),
    }
    told = [(line.thing, detail) for line in lines for detail in line.details]
    market, topic, right = said[reader]
    assert any(thing == name and detail.endswith(f": {market}") for thing, detail in told)
    assert any(thing == topic for thing, _detail in told)
    assert any(detail.endswith(f": + {right}") for _thing, detail in told)


def test_values_of_the_directory_are_said_in_words(root: User, ozon: Marketplace) -> None:
    channel = Channel.objects.create(marketplace=ozon, kind="chat", name="Чат", source="test")
    before = history.values_of(channel)
    channel.state, channel.first_reply_typical = "dead", timedelta(minutes=10)
    history.record(row=channel, before=before, action=history.Action.CHANGED, now=timezone.now(), actor=root)
    with translation.override("en"):
        (line,) = reading.lines(root, reading.Asked(kind="directory"))
    assert "State: unconfirmed → dead" in line.details
    assert any(detail.endswith("→ 10\u00a0min") for detail in line.details)
