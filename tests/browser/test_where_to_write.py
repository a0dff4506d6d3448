"""Where to write, as a person asks it: by keyboard, on a phone, and without scripts."""

import re

import pytest
from django.utils.translation import gettext as _
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hub.models import User
from marketplaces.models import Marketplace

from .conftest import log_in

pytestmark = pytest.mark.browser
ADDRESS = "/admin/where-to-write/"


def overflow(page: Page) -> int:
    """How far the page is wider than the screen."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


def test_a_change_of_the_question_changes_the_answer_where_one_stands(page: Page, administrator: User) -> None:
    log_in(page, administrator)
    page.locator("nav a, aside a").filter(has_text=_("Where to write")).first.click()
    page.locator("#marketplaces").get_by_role("link", name="Ozon").click()
    first = page.locator("#write > li").first
    expect(first).to_contain_text("Чат поддержки в кабинете продавца")
    page.wait_for_load_state()

    page.focus("[name=topic]")
    page.select_option("[name=topic]", label="Аккаунт и доступ")
    expect(page.locator("[aria-labelledby=ready-title]")).to_be_visible()
    expect(page.locator("[name=topic]")).to_be_focused()
    page.focus("[name=account_access][value=true]")
    page.keyboard.press("ArrowRight")
    expect(first).to_contain_text("help@ozon.ru")
    page.wait_for_url("**account_access=false*")
    expect(page.locator("#marketplaces a").first).to_have_attribute("href", re.compile("account_access=false"))

    page.reload()
    expect(first).to_contain_text("help@ozon.ru")


def test_an_address_is_copied_after_the_answer_changed_too(page: Page, administrator: User) -> None:
    log_in(page, administrator)
    page.goto(f"{ADDRESS}?marketplace=ozon")
    page.check("[name=account_access][value=false]")
    first = page.locator("#write > li").first
    expect(first).to_contain_text("help@ozon.ru")
    first.locator("[data-copy]").click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => text === 'help@ozon.ru')")


def test_what_not_to_write_to_is_folded_and_a_source_is_one_click_away(page: Page, administrator: User) -> None:
    log_in(page, administrator)
    page.goto(f"{ADDRESS}?marketplace=wildberries")
    dead = page.get_by_text("8-800-100-7505")
    expect(dead).to_be_hidden()
    page.click("#avoid > summary")
    expect(dead).to_be_visible()
    page.locator("#write [data-source]").first.click()
    expect(page.locator("#sources dl")).to_be_visible()


def test_the_ladder_leads_from_a_step_to_what_must_come_first(page: Page, administrator: User) -> None:
    log_in(page, administrator)
    page.goto("/admin/escalation-path/ozon/")
    page.locator("dd a[href^='#step-']").first.click()
    expect(page.locator(".hub-ladder > li:target")).to_be_in_viewport()


def test_nothing_is_wider_than_a_phone(page: Page, administrator: User) -> None:
    log_in(page, administrator)
    page.set_viewport_size({"width": 375, "height": 812})
    for slug in Marketplace.objects.values_list("slug", flat=True):
        for address in (f"{ADDRESS}?marketplace={slug}&topic=account", f"/admin/escalation-path/{slug}/"):
            page.goto(address)
            page.evaluate("document.querySelectorAll('#content details').forEach((part) => { part.open = true; })")
            assert overflow(page) == 0, address


def test_it_works_without_scripts(browser: Browser, page: Page, live_server: LiveServer, administrator: User) -> None:
    log_in(page, administrator)
    context = browser.new_context(
        base_url=live_server.url, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    plain = context.new_page()
    plain.goto(f"{ADDRESS}?marketplace=ozon")
    plain.check("[name=account_access][value=false]")
    plain.click("#asked [type=submit]")
    expect(plain.locator("#write > li").first).to_contain_text("help@ozon.ru")
    expect(plain.locator("#write [data-copy]").first).to_be_hidden()
    context.close()
