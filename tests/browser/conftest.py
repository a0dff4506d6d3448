"""A real Chromium before the real pages, in Russian, on an empty hub with the shipped directory."""

import re
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.utils import translation
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from hub.models import User
from tests.services import chromium

PASSWORD = "long-enough-1"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=30_000)  # as long as Playwright waits for all else: a busy machine is slow, not wrong


@pytest.fixture
def directory(transactional_db: None, django_db_serialized_rollback: None) -> None:
    call_command("load_directory", verbosity=0)


@pytest.fixture
def administrator(directory: None) -> User:
    return User.objects.create_superuser("admin@example.com", PASSWORD, full_name="Анна Примерова")


@pytest.fixture
def browser(directory: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A browser of this test alone: Playwright keeps an event loop in the thread of the test for as long as it runs,
    where Django would refuse to read rows, in other tests too."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """An empty browser. A script that fails or a page that breaks fails the test."""
    context = browser.new_context(
        base_url=live_server.url, locale="ru-RU", timezone_id="Europe/Moscow", viewport={"width": 1280, "height": 800}
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened, problems = context.new_page(), list[str]()
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("response", lambda answer: problems.append(answer.url) if answer.status >= 500 else None)
    with translation.override("ru"):
        yield opened
    context.close()
    assert not problems


def log_in(page: Page, user: User) -> None:
    page.goto("/admin/")
    page.fill("[name=username]", user.email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(re.compile(r"^[^?]*/admin/$"))  # the address of the log-in ends so too, after its "?"
