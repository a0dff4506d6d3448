"""Logging in: who is shut out and until when, sessions that end, and a new password by e-mail."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError
from pytest_django.fixtures import Settings

from hub import password_mail, security, tasks
from hub.celery import app
from hub.models import User

PASSWORD = "long-enough-1"
WRONG = "wrong"
LOGIN = "/admin/login/"
NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
def agent(db: None) -> User:
    return User.objects.create_user("agent@example.com", PASSWORD)


def attempt(client: Client, email: str = "agent@example.com", password: str = WRONG, **headers: str) -> int:
    return client.post(LOGIN, {"username": email, "password": password}, headers=headers).status_code


def shut_out(client: Client) -> None:
    for _number in range(10):
        attempt(client)


@pytest.mark.parametrize("page", [LOGIN, "/admin/password/"])
def test_pages_before_the_log_in_have_their_icon(client: Client, db: None, page: str) -> None:
    assert client.get(page).content.decode().count('rel="icon"') == 1


def test_after_ten_wrong_passwords_the_right_one_is_refused_until_the_time_that_is_told(
    client: Client, agent: User
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        shut_out(client)
        clock.shift(timedelta(minutes=5))
        refused = client.post(LOGIN, {"username": "AGENT@example.com", "password": PASSWORD})
        assert refused.status_code == 429
        assert "10 марта в 12:15:00" in refused.content.decode()
        assert refused.headers["Retry-After"] == "600"
        clock.shift(timedelta(minutes=10, seconds=1))
        assert attempt(client, password=PASSWORD) == 302


def test_other_people_and_other_addresses_are_not_shut_out_with_them(client: Client, agent: User) -> None:
    User.objects.create_user("other@example.com", PASSWORD)
    shut_out(client)
    assert attempt(client, "other@example.com", PASSWORD) == 302
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert attempt(elsewhere, password=PASSWORD) == 302


def test_a_stranger_is_shut_out_like_a_person_that_exists(client: Client, agent: User) -> None:
    for _number in range(10):
        attempt(client, "nobody@example.com")
    assert attempt(client, "nobody@example.com") == 429


def test_who_tries_many_people_from_one_address_is_shut_out(client: Client, agent: User) -> None:
    for number in range(100):
        attempt(client, f"person{number}@example.com")
    assert attempt(client, password=PASSWORD) == 429


def test_the_log_tells_from_where_and_not_who(client: Client, agent: User, caplog: pytest.LogCaptureFixture) -> None:
    shut_out(client)
    lines = [one.getMessage() for one in caplog.records if one.name == "hub.locks"]
    assert lines
    assert all("one from 127.0.0.1 is refused, until 20" in line for line in lines)
    assert agent.email not in caplog.text


def test_an_invented_forwarded_address_does_not_help(client: Client, agent: User) -> None:
    for number in range(10):
        attempt(client, **{"X-Forwarded-For": f"198.51.100.{number}"})
    assert attempt(client, password=PASSWORD, **{"X-Forwarded-For": "198.51.100.99"}) == 429


def test_behind_a_trusted_proxy_people_are_told_apart(client: Client, agent: User, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
    for _number in range(10):
        attempt(client, **{"X-Forwarded-For": "203.0.113.1, 198.51.100.1"})
    assert attempt(client, password=PASSWORD, **{"X-Forwarded-For": "203.0.113.2, 198.51.100.1"}) == 429
    assert attempt(client, password=PASSWORD, **{"X-Forwarded-For": "198.51.100.2"}) == 302


def test_a_server_that_listens_on_both_kinds_of_addresses_knows_the_proxy(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert security.is_trusted("::ffff:10.0.0.5")
    assert not security.is_trusted("::ffff:192.0.2.1")
    assert security.client_address("::ffff:10.0.0.5", "203.0.113.1, ::ffff:198.51.100.1") == "198.51.100.1"


def test_a_session_ends_when_nobody_uses_it(client: Client, agent: User, settings: Settings) -> None:
    settings.SESSION_IDLE = timedelta(hours=1)
    with time_machine.travel(NOW, tick=False) as clock:
        attempt(client, password=PASSWORD)
        for _page in range(3):
            clock.shift(timedelta(minutes=59))
            assert client.get("/admin/").status_code == 200
        clock.shift(timedelta(minutes=61))
        assert client.get("/admin/").headers["Location"].startswith(LOGIN)


def test_a_session_ends_at_its_age_however_busy_it_is(client: Client, agent: User, settings: Settings) -> None:
    settings.SESSION_LONGEST = timedelta(hours=3)
    with time_machine.travel(NOW, tick=False) as clock:
        attempt(client, password=PASSWORD)
        answers = []
        for _hour in range(4):
            answers.append(client.get("/admin/").status_code)
            clock.shift(timedelta(minutes=61))
        assert answers == [200, 200, 200, 302]


def test_sessions_that_are_over_are_forgotten_each_night(agent: User, settings: Settings) -> None:
    (entry,) = [one for one in settings.CELERY_BEAT_SCHEDULE.values() if one["task"] == "hub.tasks.forget_sessions"]
    with time_machine.travel(NOW, tick=False) as clock:
        attempt(Client(), password=PASSWORD)
        clock.shift(settings.SESSION_LONGEST + timedelta(minutes=1))
        attempt(Client(), password=PASSWORD)
        assert Session.objects.count() == 2
        app.tasks[entry["task"]].apply()
        assert Session.objects.count() == 1


def test_a_page_within_the_minute_writes_no_session(client: Client, agent: User, settings: Settings) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        attempt(client, password=PASSWORD)
        client.get("/admin/")
        clock.shift(timedelta(seconds=30))
        assert "sessionid" not in client.get("/admin/").cookies
        clock.shift(timedelta(seconds=31))
        assert "sessionid" in client.get("/admin/").cookies


def test_a_new_password_ends_the_other_sessions(client: Client, agent: User) -> None:
    other = Client()
    for one in (client, other):
        attempt(one, password=PASSWORD)
    form = {"old_password": PASSWORD, "new_password1": "another-long-1", "new_password2": "another-long-1"}
    client.post(reverse("admin:password_change"), form)
    assert client.get("/admin/").status_code == 200
    assert other.get("/admin/").status_code == 302


@pytest.mark.parametrize("password", ["short", "password123", "1234567890123", "agent@example.com"])
def test_weak_passwords_are_refused(client: Client, agent: User, password: str) -> None:
    attempt(client, password=PASSWORD)
    form = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    assert client.post(reverse("admin:password_change"), form).status_code == 200
    agent.refresh_from_db()
    assert agent.check_password(PASSWORD)


# A new password by e-mail


def ask(client: Client, email: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[str]]:
    """The answer of the page, and what was queued."""
    queued: list[str] = []
    monkeypatch.setattr(tasks.mail_password_reset, "delay", queued.append)
    answer = client.post(reverse("admin_password_reset"), {"email": email}, follow=True)
    return answer, queued


def link(agent: User) -> str:
    tasks.mail_password_reset(agent.email)
    found = re.search(r"http://127\.0\.0\.1:8000(/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_the_page_answers_the_same_for_strangers_and_asks_no_row(
    client: Client, agent: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        known, queued = ask(client, agent.email, monkeypatch)
        unknown, also_queued = ask(client, "stranger@example.com", monkeypatch)
    assert (queued, also_queued) == ([agent.email], ["stranger@example.com"])
    assert (known.redirect_chain, known.content) == (unknown.redirect_chain, unknown.content)


def test_the_answer_is_the_same_when_the_broker_is_away(
    client: Client, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(email: str) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(tasks.mail_password_reset, "delay", away)
    assert client.post(reverse("admin_password_reset"), {"email": agent.email}).status_code == 302


def test_strangers_closed_accounts_and_accounts_without_a_password_get_no_mail(agent: User) -> None:
    User.objects.create_user("program@example.com")
    User.objects.create_user("gone@example.com", PASSWORD, is_active=False)
    for email in ("stranger@example.com", "program@example.com", "gone@example.com"):
        tasks.mail_password_reset(email)
    assert mail.outbox == []


def test_one_person_gets_one_mail_in_five_minutes(agent: User) -> None:
    for minutes in (0, 1, 4, 6):
        password_mail.send("Agent@example.com", now=NOW + timedelta(minutes=minutes))
    assert [message.to for message in mail.outbox] == [[agent.email]] * 2


def test_the_mail_is_russian_and_its_link_sets_one_password_and_ends_the_lock(client: Client, agent: User) -> None:
    shut_out(client)
    elsewhere = Client(REMOTE_ADDR="192.0.2.8")
    attempt(elsewhere, password=PASSWORD)
    path = link(agent)
    assert mail.outbox[0].subject == "Новый пароль для «Поддержки продавца»"
    assert "Ссылка действует 60 минут" in str(mail.outbox[0].body)
    form = client.get(path, follow=True)
    where = form.redirect_chain[-1][0]
    new = {"new_password1": "another-long-1", "new_password2": "another-long-1"}
    assert client.post(where, new).headers["Location"] == LOGIN
    assert elsewhere.get("/admin/").status_code == 302
    assert attempt(client, password="another-long-1") == 302
    used = Client().get(path, follow=True).content.decode()
    assert "уже использована или устарела" in used
    assert f'href="{reverse("admin_password_reset")}"' in used
    assert f'href="{LOGIN}"' in used


def test_a_link_is_good_for_an_hour(client: Client, agent: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        path = link(agent)
        clock.shift(timedelta(minutes=61))
        assert "уже использована или устарела" in client.get(path, follow=True).content.decode()


def test_a_forged_host_does_not_get_into_the_mail(
    client: Client, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = reverse("admin_password_reset")
    assert client.post(page, {"email": agent.email}, headers={"Host": "evil.example.com"}).status_code == 400
    assert "evil" not in link(agent)
