"""The second step of a log-in: set up, asked for, lost and found again."""

import re
import time
from binascii import unhexlify
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django.fixtures import Settings

from hub import twofactor
from hub.models import ApiToken, User

PASSWORD = "long-enough-1"
NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
PAGE, CODE = "/admin/profile/second-step/", "/admin/login/code/"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def agent(db: None) -> User:
    user = User.objects.create_user("agent@example.com", PASSWORD, language="en")
    user.groups.add(Group.objects.get(name="agent"))
    return user


def code_of(key: str) -> str:
    totp = TOTP(unhexlify(key))
    totp.time = time.time()
    return f"{totp.token():06d}"


def current(user: User) -> str:
    return code_of(TOTPDevice.objects.get(user=user).key)


def password(client: Client, user: User) -> str:
    answer = client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    return str(answer.headers["Location"])


def test_the_first_field_of_the_page_has_the_focus(client: Client, agent: User) -> None:
    client.force_login(agent)
    page = client.get(PAGE).content.decode()
    focused = re.findall(r'<input[^>]* name="(\w+)"[^>]* autofocus', page)
    assert focused == ["password"]


def set_up(client: Client, user: User) -> list[str]:
    """The backup codes. The phone's next code comes half a minute later."""
    client.force_login(user)
    client.get(PAGE)
    answer = client.post(PAGE, {"password": PASSWORD, "code": code_of(client.session[twofactor.NEW_KEY])})
    return re.findall(r"<li><code>([a-z0-9]{8})</code>", answer.content.decode())


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_the_page_shows_a_key_and_a_picture_and_keeps_nothing_before_a_code_proves_it(agent: User) -> None:
    client = Client()
    client.force_login(agent)
    page = client.get(PAGE)
    assert "<svg" in page.content.decode()
    assert re.search(r'data-copy="[A-Z2-7 ]{39}"', page.content.decode())
    assert "no-store" in page.headers["Cache-Control"]
    wrong = client.post(PAGE, {"password": PASSWORD, "code": "000000"}).content.decode()
    assert "not the code that the app shows" in wrong
    refused = client.post(PAGE, {"password": "wrong", "code": code_of(client.session[twofactor.NEW_KEY])})
    assert "The password is wrong." in refused.content.decode()
    assert not TOTPDevice.objects.exists()


def test_once_it_is_on_the_other_sessions_end_and_the_backup_codes_are_shown_once(agent: User) -> None:
    client, other = Client(), Client()
    other.force_login(agent)
    codes = set_up(client, agent)
    assert len(set(codes)) == 10
    assert is_in(client)
    assert not is_in(other)
    assert codes[0] not in client.get(PAGE).content.decode()


def test_the_password_alone_opens_nothing_and_a_code_opens_once(agent: User, clock: time_machine.Traveller) -> None:
    set_up(Client(), agent)
    clock.shift(timedelta(seconds=60))
    client, thief = Client(), Client()
    assert password(client, agent) == CODE
    assert not is_in(client)
    code = current(agent)
    assert client.post(CODE, {"code": f"{code[:3]} {code[3:]}"}).headers["Location"] == "/admin/"
    assert is_in(client)
    password(thief, agent)
    assert "уже использован" in thief.post(CODE, {"code": code}).content.decode()
    assert not is_in(thief)


def test_the_page_that_was_wanted_opens_after_the_code_and_no_page_elsewhere(
    agent: User, clock: time_machine.Traveller
) -> None:
    codes = set_up(Client(), agent)
    for wanted, reached in ((PAGE, PAGE), ("https://evil.example.com/", "/admin/")):
        client = Client()
        client.post(f"/admin/login/?next={wanted}", {"username": agent.email, "password": PASSWORD})
        assert client.post(CODE, {"code": codes.pop()}).headers["Location"] == reached


def test_a_backup_code_opens_once(agent: User) -> None:
    codes = set_up(Client(), agent)
    first, second = Client(), Client()
    for client in (first, second):
        password(client, agent)
        client.post(CODE, {"code": codes[0].upper()})
    assert (is_in(first), is_in(second)) == (True, False)


def test_wrong_codes_cost_more_and_more_time_and_then_shut_out(agent: User, clock: time_machine.Traveller) -> None:
    set_up(Client(), agent)
    clock.shift(timedelta(seconds=60))
    client = Client()
    password(client, agent)
    client.post(CODE, {"code": "000000"})
    assert "Подождите 2 секунды" in client.post(CODE, {"code": current(agent)}).content.decode()
    for number in range(9):
        clock.shift(timedelta(seconds=2**number))
        if number % 4 == 3:  # the password is good for five minutes
            password(client, agent)
        client.post(CODE, {"code": "not-a-code"})
    assert client.post(CODE, {"code": current(agent)}).status_code == 429
    assert not is_in(client)


def test_who_is_slow_or_whose_password_changed_begins_again(agent: User, clock: time_machine.Traveller) -> None:
    codes = set_up(Client(), agent)
    slow, changed = Client(), Client()
    password(slow, agent)
    clock.shift(timedelta(minutes=6))
    password(changed, agent)
    agent.set_password("another-long-1")
    agent.save()
    for client in (slow, changed):
        assert client.post(CODE, {"code": codes[0]}).headers["Location"] == "/admin/login/"
    assert Client().get(CODE).headers["Location"] == "/admin/login/"


def test_each_act_is_a_form_of_its_own_and_a_code_alone_does_nothing(
    agent: User, clock: time_machine.Traveller
) -> None:
    client = Client()
    set_up(client, agent)
    clock.shift(timedelta(seconds=60))
    page = client.get(PAGE).content.decode()
    acts = [part for part in page.split("</form>") if 'name="code"' in part]
    assert [re.findall(r'type="submit" name="(\w+)"', act) for act in acts] == [["_codes"], ["_off"]]
    client.post(PAGE, {"code": current(agent)})
    assert (twofactor.is_set_up(agent), twofactor.backup_codes_left(agent)) == (True, 10)


def test_it_is_turned_off_with_a_code_and_not_without(agent: User, clock: time_machine.Traveller) -> None:
    client = Client()
    set_up(client, agent)
    clock.shift(timedelta(seconds=60))
    client.post(PAGE, {"code": "12345678", "_off": "1"})
    assert twofactor.is_set_up(agent)
    clock.shift(timedelta(seconds=60))
    client.post(PAGE, {"code": current(agent), "_off": "1"})
    assert not twofactor.is_set_up(agent)
    assert is_in(client)
    assert password(Client(), agent) == "/admin/"


def test_new_backup_codes_take_the_place_of_the_old(agent: User, clock: time_machine.Traveller) -> None:
    client = Client()
    old = set_up(client, agent)
    clock.shift(timedelta(seconds=60))
    told = client.post(PAGE, {"code": current(agent), "_codes": "1"}).content.decode()
    assert "The codes that you had before are good no more." in told
    assert "other sessions" not in told
    again = Client()
    password(again, agent)
    again.post(CODE, {"code": old[0]})
    assert not is_in(again)


@pytest.mark.parametrize("role", ["superuser", "administrator"])
def test_where_it_is_required_an_administrator_opens_nothing_before_it_is_set_up(
    db: None, settings: Settings, role: str
) -> None:
    settings.REQUIRE_2FA = True
    user = User.objects.create_user("root@example.com", PASSWORD, is_superuser=role == "superuser", language="en")
    user.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(user)
    assert client.get("/admin/hub/user/").headers["Location"] == PAGE
    refused = client.get("/api/v1/me/")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "second_step")
    for header in ("Basic cm9vdDpyb290", "Token abc", "Bearer"):
        assert client.get("/api/v1/me/", headers={"Authorization": header}).status_code in (401, 403)
    set_up(client, user)
    assert client.get("/admin/hub/user/").status_code == 200
    assert client.get("/api/v1/me/").status_code == 200


def test_where_it_is_required_others_work_without_but_make_no_token(agent: User, settings: Settings) -> None:
    settings.REQUIRE_2FA = True
    client = Client()
    client.force_login(agent)
    assert is_in(client)
    form = {"user": agent.pk, "name": "script", "days": "30"}
    assert client.post(reverse("admin:hub_apitoken_add"), form).status_code == 403
    set_up(client, agent)
    assert client.post(reverse("admin:hub_apitoken_add"), form).status_code == 200
    assert ApiToken.objects.count() == 1


def test_a_token_needs_no_code(db: None, settings: Settings) -> None:
    settings.REQUIRE_2FA = True
    root = User.objects.create_superuser("root@example.com", PASSWORD)
    _token, secret = ApiToken.objects.create(user=root, name="program")
    assert Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_the_demonstration_opens_with_the_password_alone(db: None) -> None:
    demo = User.objects.create_user("lead@example.com", PASSWORD)
    assert password(Client(), demo) == "/admin/"


def test_nobody_reads_the_keys_in_the_admin(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    for page in ("otp_totp/totpdevice/", "otp_static/staticdevice/", "axes/accessattempt/"):
        assert client.get(f"/admin/{page}").status_code == 404
