"""On every page, light and dark, wide and narrow: axe-core finds nothing against WCAG 2.2 A and AA, the browser
refuses nothing under the Content-Security-Policy, and no script fails.

A page is opened once for all of that. The pages are dealt out to several tests, which processes in parallel share; the
browser, the server and the rows are there once for all the tests of a process, which only look.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Browser, BrowserContext, Error, Page, Response, sync_playwright
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from hub.models import User
from marketplaces.models import ResponseTarget
from tests.hub.who_may import Address
from tests.services import chromium

from . import pages
from .conftest import ARGUMENTS, PASSWORD
from .listening import hear_refusals

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = "rules => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })"
SETTLED = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  document.getAnimations().forEach((one) => one.effect.getComputedTiming().iterations === Infinity || one.finish());
  done();
})))"""
DARK = (
    "is => document.documentElement.classList.toggle('dark', is)"  # the theme asks for the scheme when it starts only
)
# Texts that a box cuts off or squeezes to a letter or two a line; and names that the theme gives in English
SQUEEZED = """() => [...document.querySelectorAll('body *')].filter((one) => {
  const text = one.children.length ? '' : one.textContent.trim(), box = one.getBoundingClientRect();
  const letters = text.length > 3 && box.width > 1 && box.width < 20 && box.height > 60;
  return letters || one.matches('.hub-cell') && one.clientWidth && one.scrollWidth > one.clientWidth + 1;
}).map((one) => one.textContent.trim().slice(0, 60))"""
FOREIGN = """() => [...document.querySelectorAll('[aria-label], [title], [placeholder]')].filter(
  (one) => one.getClientRects().length
).flatMap((one) =>
  ['aria-label', 'title', 'placeholder'].map((name) => one.getAttribute(name) ?? '')
).filter((text) => /^[a-z]+( [a-z]+)+$/i.test(text))"""
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 800}
PARTS = 8


@dataclass(frozen=True)
class Hub:
    """Where it is served, to whom, and what there is to open."""

    url: str
    browser: Browser
    session: str
    known: list[Address]
    for_strangers: list[Address]


@pytest.fixture(scope="module")
def rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What the migrations wrote and the directory, for all the tests here; afterwards the database is empty."""
    with django_db_blocker.unblock():
        connection.creation.deserialize_db_from_string(connection._test_serialized_contents)  # type: ignore[attr-defined]
        call_command("load_directory", verbosity=0)
        yield
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)


@pytest.fixture(scope="module")
def hub(rows: None) -> Iterator[Hub]:
    administrator = User.objects.create_superuser("admin@example.com", full_name="Анна Примерова")
    client = Client()
    client.force_login(administrator)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    known = pages.known(pages.example(administrator), administrator)
    server = LiveServer("localhost")
    with (
        override_settings(ALLOWED_HOSTS=["localhost"]),
        pytest.MonkeyPatch.context() as environment,
        sync_playwright() as playwright,
    ):
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield Hub(server.url, browser, session, known, pages.for_strangers(administrator))
        browser.close()
        server.stop()


def context(hub: Hub) -> BrowserContext:
    return hub.browser.new_context(
        base_url=hub.url, locale="ru-RU", timezone_id="Europe/Moscow", color_scheme="light", reduced_motion="reduce"
    )


@pytest.fixture
def page(hub: Hub) -> Iterator[Page]:
    """Of a stranger."""
    opened = context(hub)
    yield opened.new_page()
    opened.close()


@pytest.fixture
def found(page: Page) -> list[str]:
    """What went wrong in the page: refused by a policy, a script that failed, an answer that says so."""
    wrong = hear_refusals(page)
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on("response", lambda answer: wrong.append(f"{page.url}: {answer.url}") if answer.status >= 500 else None)
    return wrong


def violations(page: Page, rules: list[str]) -> list[str]:
    page.evaluate(SETTLED)
    wrong = page.evaluate(RUN, rules)["violations"]
    return [f"{one['id']}: {node['target']} {node['html'][:150]}" for one in wrong for node in one["nodes"]]


def looks(page: Page) -> Iterator[str]:
    """What is wrong with the page as it is opened, then in the dark, then on a phone. Colours are all that the dark
    changes."""
    page.evaluate(AXE)
    yield from (f"{page.url}: {one}" for one in violations(page, RULES))
    yield from (f"{page.url}: {one!r} is cut" for one in page.evaluate(SQUEEZED))
    yield from (f"{page.url}: {one!r} is not Russian" for one in page.evaluate(FOREIGN))
    page.emulate_media(color_scheme="dark")
    page.evaluate(DARK, True)
    yield from (f"{page.url}, dark: {one}" for one in violations(page, ["color-contrast"]))
    page.emulate_media(color_scheme="light")
    page.evaluate(DARK, False)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    yield from (f"{page.url}, narrow: {one}" for one in violations(page, RULES))
    yield from (f"{page.url}, narrow: {one!r} is cut" for one in page.evaluate(SQUEEZED))
    if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
        yield f"{page.url}: wider than a phone"


def opened(page: Page, one: Address) -> Response | None:
    """The answer, if it is a page of its own and not a file or a way to another page."""
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    try:
        answer = page.goto(one.url)
    except Error as error:
        if "Download is starting" in error.message:
            return None
        raise
    assert answer
    assert answer.status != 404 or "<" not in one.shown, f"Give an example that exists for {one.shown}: {one.url}"
    astray = page.url.endswith(reverse("admin:index")) and "<" in one.shown
    assert not astray, f"Give an example that exists for {one.shown}: {one.url}"
    elsewhere = answer.request.redirected_from is not None and "token" not in one.shown
    is_page = answer.status in (200, 403, 404) and answer.headers["content-type"].startswith("text/html")
    return answer if is_page and not elsewhere else None


def guarded(answer: Response) -> Iterator[str]:
    policy = answer.headers.get("content-security-policy", "")
    if "default-src 'none'" not in policy or "unsafe-inline" in policy.partition("script-src")[2].partition(";")[0]:
        yield f"{answer.url}: the policy is {policy!r}"


def walk(page: Page, known: list[Address]) -> Iterator[str]:
    for one in known:
        if answer := opened(page, one):
            yield from guarded(answer)
            if not one.url.startswith("/api/"):  # the pages there are Swagger UI's
                yield from looks(page)


def test_before_the_log_in(hub: Hub, page: Page, found: list[str]) -> None:
    found += walk(page, hub.for_strangers)
    assert not found, "\n".join(found)


def test_where_the_code_is_asked_for(hub: Hub, page: Page, found: list[str]) -> None:
    user = User.objects.create_user("code@example.com", PASSWORD)
    TOTPDevice.objects.create(user=user, name="phone", confirmed=True)
    page.goto("/admin/")
    page.fill("[name=username]", user.email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"**{reverse('login-code')}*")
    found += looks(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("amount", "is_sound"), [("7", True), ("many", False)])
def test_what_a_table_of_the_directory_would_change(
    hub: Hub, page: Page, found: list[str], amount: str, is_sound: bool
) -> None:
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": hub.session, "url": hub.url}])
    target = ResponseTarget.objects.exclude(amount=7)[0]
    table = f"id,marketplace,amount\n{target.pk},{target.marketplace.slug},{amount}\n"
    page.goto(reverse("admin:marketplaces_responsetarget_import"))
    page.set_input_files("[type=file]", {"name": "table.csv", "mimeType": "text/csv", "buffer": table.encode()})
    page.select_option("[name=format]", label="csv")
    page.click(".hub-primary")
    page.wait_for_selector("th:text-is('Станет')" if is_sound else "th:text-is('Что не так')")
    found += looks(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("part", range(PARTS))
def test_after_the_log_in(hub: Hub, page: Page, found: list[str], part: int) -> None:
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": hub.session, "url": hub.url}])
    found += walk(page, hub.known[part::PARTS])
    assert not found, "\n".join(found)
