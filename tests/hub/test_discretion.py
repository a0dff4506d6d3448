"""What nobody finds in the logs: passwords, tokens, links that open accounts, and the words of letters."""

import logging
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from appeals import lifecycle, shops
from hub import tasks
from hub.models import ApiToken, User
from marketplaces.models import Marketplace

PASSWORD = "long-enough-1"
LETTER = "Words that are for the marketplace alone"


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD, language="en")


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Any:
    """Everything that was logged, at any level, with tracebacks."""
    caplog.set_level(logging.DEBUG)
    for name in ("django.db.backends", "django.template"):
        caplog.set_level(logging.INFO, name)  # debugging by hand, which production has not
    return lambda: caplog.text


def crash(**values: Any) -> None:
    raise RuntimeError("out of order")


@pytest.mark.parametrize("door", ["api", "page"])
def test_a_crash_is_logged_without_the_letter_and_without_the_key(
    root: User, monkeypatch: pytest.MonkeyPatch, logged: Any, door: str
) -> None:
    ozon = Marketplace.objects.create(slug="ozon", name="Ozon", name_en="Ozon")
    shop = shops.create(actor=root, name="Tea", marketplace=ozon)
    monkeypatch.setattr(lifecycle, "create", crash)
    _token, secret = ApiToken.objects.create(user=root, name="program")
    client = Client(raise_request_exception=False)
    body = {"shop": shop.pk, "subject": LETTER, "body": LETTER}
    if door == "api":
        key = {"Authorization": f"Bearer {secret}"}
        answer = client.post("/api/v1/appeals/", body, "application/json", headers=key)
    else:
        client.force_login(root)
        answer = client.post(reverse("admin:appeals_appeal_add"), body)
    assert answer.status_code == 500
    assert LETTER.encode() not in answer.content
    assert "out of order" in logged()
    assert LETTER not in logged()
    assert secret not in logged()


def test_a_log_in_leaves_no_password_and_no_code(root: User, logged: Any) -> None:
    client = Client()
    client.post("/admin/login/", {"username": root.email, "password": "wrong-but-close"})
    client.post("/admin/login/", {"username": root.email, "password": PASSWORD})
    assert "axes" in logged()
    assert PASSWORD not in logged()
    assert "wrong-but-close" not in logged()


def test_the_link_to_a_new_password_is_in_the_mail_alone(root: User, logged: Any) -> None:
    tasks.mail_password_reset(root.email)
    link = re.search(r"http://127\.0\.0\.1:8000(/\S+/(\S+)/)\n", str(mail.outbox[0].body))
    assert link
    assert Client().get(link[1]).status_code == 302
    assert "/admin/password/<uidb64>/<token>/ 302" in logged()
    assert link[2] not in logged()
