"""The home page stays open all day: it brings itself up to date and leaves the reader where they are."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from appeals import lifecycle, shops
from appeals.models import Appeal
from hub.models import User
from marketplaces.models import Marketplace

from .conftest import log_in

pytestmark = pytest.mark.browser


@pytest.fixture
def waiting(administrator: User) -> Appeal:
    now = timezone.now()
    shop = shops.create(actor=administrator, name="Чайный дом", marketplace=Marketplace.objects.get(slug="ozon"))
    for subject in ("Первое", "Второе", "Третье"):
        appeal = lifecycle.create(actor=administrator, now=now, shop=shop, subject=subject)
        appeal = lifecycle.submit(appeal=appeal, actor=administrator, now=now, at=now - timedelta(days=30))
    return appeal


def test_it_refreshes_by_itself_and_keeps_focus_and_place(page: Page, administrator: User, waiting: Appeal) -> None:
    page.clock.install()
    page.set_viewport_size({"width": 1280, "height": 400})
    log_in(page, administrator)
    ours = page.locator(".hub-figures .hub-our_turn b")
    expect(ours).to_have_text("0")
    link = page.locator(".hub-rows a").filter(has_text="Первое").first
    link.focus()
    page.evaluate("scrollTo(0, 150)")
    place = page.evaluate("scrollY")
    lifecycle.record_reply(
        appeal=waiting, actor=administrator, now=timezone.now(), kind="question", text="Какой заказ?"
    )
    page.clock.fast_forward(61_000)
    expect(ours).to_have_text("1")
    expect(link).to_be_focused()
    assert place > 0
    assert page.evaluate("scrollY") == place


def test_a_refresh_after_the_log_out_changes_nothing(page: Page, administrator: User, waiting: Appeal) -> None:
    page.clock.install()
    log_in(page, administrator)
    page.context.clear_cookies()
    with page.expect_response(lambda answer: "/admin/login/" in answer.url):
        page.clock.fast_forward(61_000)
    expect(page.locator(".hub-figures .hub-waiting b")).to_have_text("3")
