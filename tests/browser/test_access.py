"""The keyboard alone, and what somebody hears who does not see the page."""

import pytest
from django.utils.translation import gettext as _
from playwright.sync_api import Page, expect

from hub.models import User

from .conftest import log_in

pytestmark = pytest.mark.browser


def test_the_first_tab_stop_leads_past_the_menu(page: Page, administrator: User) -> None:
    log_in(page, administrator)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name=_("To the contents"))
    expect(skip).to_be_focused()
    skip.click(trial=True)  # nothing covers it
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("main").locator(":focus")).to_have_count(1)


def test_parts_of_the_page_are_named_and_icons_are_not_read_out(page: Page, administrator: User) -> None:
    log_in(page, administrator)
    expect(page.get_by_role("main")).to_have_count(1)
    menu = page.get_by_role("navigation", name=_("Parts of the hub"))
    expect(menu.get_by_role("link", name=_("Appeals"), exact=True)).to_have_count(1)
    expect(menu.get_by_role("link").first).to_have_accessible_name(_("Seller support hub"))


def test_a_form_names_what_stands_beside_its_choices_and_capitals_stand_before_filters(
    page: Page, administrator: User
) -> None:
    log_in(page, administrator)
    page.goto("/admin/marketplaces/responsetarget/add/")
    expect(page.get_by_role("button", name=_("The chosen row: open, add")).first).to_be_visible()
    expect(page.get_by_role("button", name="more_vert")).to_have_count(0)
    page.goto("/admin/appeals/appeal/")
    title = page.locator("#changelist-filter label").first
    assert title.evaluate("label => getComputedStyle(label, '::first-letter').textTransform") == "uppercase"


def test_the_menu_of_the_person_is_walked_by_keyboard(page: Page, administrator: User) -> None:
    log_in(page, administrator)
    button = page.get_by_role("button", name=administrator.email)
    button.focus()
    expect(button).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    themes = page.get_by_role("navigation", name=_("My account")).get_by_role("button")
    expect(themes.first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("html.dark")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(themes.first).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_the_menu_of_a_phone_says_whether_it_is_open_and_escape_closes_it(page: Page, administrator: User) -> None:
    log_in(page, administrator)
    page.set_viewport_size({"width": 375, "height": 800})
    button = page.get_by_role("button", name=_("Menu"), exact=True)
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    menu = page.get_by_role("navigation", name=_("Parts of the hub"))
    expect(menu).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(menu).not_to_be_in_viewport()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
