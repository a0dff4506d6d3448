"""A hub in production: nothing to complain of, no start with what must not be, and headers on every answer."""

import logging
import re
import secrets

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django.fixtures import Settings

from hub import checks, csp, startup
from hub.demo import PASSWORD
from hub.management.commands import headers
from hub.models import User
from tests.hub.running import manage


@pytest.fixture
def production(ready: dict[str, str]) -> dict[str, str]:
    return ready | {
        "HUB_SECRET_KEY": secrets.token_urlsafe(50),
        "HUB_BASE_URL": "https://hub.example.com",
        "HUB_ALLOWED_HOSTS": "hub.example.com",
        "HUB_TRUSTED_PROXIES": "10.0.0.5",
        "HUB_MAIL_FROM": "hub@example.com",
        "EMAIL_URL": "smtp+tls://hub:word@mail.example.com:587",
    }


def test_djangos_check_for_deployment_has_nothing_to_say(production: dict[str, str]) -> None:
    done = manage(production, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HUB_DEBUG", "true", "HUB_DEBUG is on"),
        ("HUB_ALLOWED_HOSTS", "*", "HUB_ALLOWED_HOSTS lets every host name through"),
        (
            "HUB_SECRET_KEY",
            "demo-key-of-the-demonstration-demo-key-of-it",
            "HUB_SECRET_KEY is one that others can guess",
        ),
        ("HUB_TRUSTED_PROXIES", "", "HUB_TRUSTED_PROXIES names no proxy"),
        ("HUB_TRUSTED_PROXIES", "0.0.0.0/0", "everybody could invent the address"),
    ],
)
def test_it_does_not_start_with_what_must_not_be(production: dict[str, str], name: str, value: str, told: str) -> None:
    done = manage(production | {name: value}, "up", "--only", "web")
    assert done.returncode == 1
    assert told in done.stderr
    assert "HINT: " in done.stderr


def test_the_demonstration_does_not_start_on_a_public_address(ready: dict[str, str]) -> None:
    """Neither anew, nor on a database that it left."""
    public = ready | {
        "HUB_BASE_URL": "https://hub.example.com",
        "HUB_TRUSTED_PROXIES": "10.0.0.5",
        "HUB_SECRET_KEY": secrets.token_urlsafe(50),
    }
    done = manage(public, "up", "--only", "prepare", "--demo")
    assert done.returncode == 1
    assert "HUB_BASE_URL: https://hub.example.com is public" in done.stderr


@pytest.mark.parametrize("public", [True, False])
def test_a_database_with_the_people_of_the_demonstration_does_not_go_public(
    db: None, monkeypatch: pytest.MonkeyPatch, public: bool
) -> None:
    User.objects.create_user("lead@example.com", PASSWORD)
    monkeypatch.setattr(checks, "is_public", lambda: public)
    if public:
        with pytest.raises(ImproperlyConfigured, match="HUB_BASE_URL"):
            startup.refuse_demo(wanted=False)
    else:
        startup.refuse_demo(wanted=True)


ALWAYS = {
    "Cache-Control",
    "Content-Security-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
}


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        "/admin/login/",
        "/admin/password/",
        "/api/docs/",
        "/api/schema/",
        "/api/v1/me/",
        "/nowhere/",
        "/admin/x/",
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_every_answer_has_the_headers(db: None, address: str, known: bool) -> None:
    client = Client()
    if known:
        client.force_login(User.objects.create_superuser("root@example.com"))
    answer = client.get(address)
    assert set(answer.headers) >= ALWAYS
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    page = answer.headers.get("Content-Type", "").startswith("text/html")
    assert (policy == csp.NO_PAGE) is not page


def test_the_command_that_tells_headers_tells_nothing_else(db: None, capfd: pytest.CaptureFixture[str]) -> None:
    call_command("headers", "/admin/login/", "/nowhere/")
    told = capfd.readouterr()
    assert told.out.splitlines()[0] == "200 /admin/login/"
    assert "404 /nowhere/" in told.out
    assert told.err == ""
    assert logging.getLogger("hub.requests").isEnabledFor(logging.INFO)


@pytest.mark.parametrize("name", ["trail", "handover", "profile", "where-to-write", "me", "appeals-list"])
def test_nothing_that_people_read_stays_in_the_browser(db: None, name: str) -> None:
    """Whoever presses "back" after the log-out sees nothing."""
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com"))
    answer = client.get(reverse(name))
    assert answer.status_code == 200 or name == "handover"
    assert {"private", "no-store"} <= set(answer.headers["Cache-Control"].split(", "))


def test_no_page_holds_a_script_of_its_own(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com"))
    for name in (
        "admin:index",
        "admin:appeals_appeal_changelist",
        "second-step",
        "trail",
        "docs",
        "admin:hub_user_add",
    ):
        page = client.get(reverse(name)).content.decode()
        inline = [tag for tag in re.findall(r"<script\b[^>]*>", page) if "src=" not in tag and "json" not in tag]
        assert inline == [], name
        assert not re.search(r"\son(click|change|submit|load|error|input)=", page), name


def test_over_https_cookies_are_secure_and_browsers_stay_there(production: dict[str, str]) -> None:
    done = manage(production, "headers", "/admin/login/")
    assert done.returncode == 0, done.stderr
    assert "Strict-Transport-Security: max-age=31536000; includeSubDomains" in done.stdout
    cookie = re.findall(r"Set-Cookie: (csrftoken=.*)", done.stdout)[0]
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_over_plain_http_on_this_machine_nothing_needs_tls(ready: dict[str, str]) -> None:
    done = manage(ready, "headers", "/admin/login/")
    assert done.returncode == 0, done.stderr
    assert "200 /admin/login/" in done.stdout
    assert "Strict-Transport-Security" not in done.stdout
    assert "Secure" not in re.findall(r"Set-Cookie: (csrftoken=.*)", done.stdout)[0].split("; ")


def test_headers_are_printed_as_somebody_who_is_logged_in_gets_them_and_nothing_is_left_of_it(
    db: None, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REQUIRE_2FA = True
    root = User.objects.create_superuser("root@example.com")
    call_command("headers", "/admin/trail/", "/admin/", "/api/v1/me/", user=root.email)
    told = capsys.readouterr().out
    assert "200 /admin/trail/" in told
    assert "200 /admin/\n" in told
    assert "200 /api/v1/me/" in told
    root.refresh_from_db()
    assert root.last_login is None
    assert not Session.objects.exists()
    assert not TOTPDevice.objects.exists()
    with pytest.raises(CommandError, match=r"nobody@example\.com"):
        call_command("headers", user="nobody@example.com")


def test_the_list_of_headers_covers_every_page(db: None) -> None:
    addresses = list(headers.addresses())
    assert reverse("admin:appeals_appeal_changelist") in addresses
    assert reverse("trail") in addresses
    assert len(addresses) > 40
