"""The whole road of a new team, as a person walks it: from the first log-in to a reopened appeal."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.translation import gettext as _
from playwright.sync_api import Page, expect

from appeals import lifecycle, shops, timeline
from appeals.models import Appeal
from hub.models import User
from marketplaces.models import Marketplace

from .conftest import log_in

pytestmark = pytest.mark.browser


def local(days_ago: int) -> str:
    """A moment as the browser's own picker takes it."""
    return f"{timezone.localtime(timezone.now() - timedelta(days=days_ago)):%Y-%m-%dT%H:%M}"


def press(page: Page, verb: str) -> None:
    page.click(f"#verb-{verb}")
    expect(page.locator("dialog")).to_be_visible()


def confirm(page: Page) -> None:
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog")).to_have_count(0)


def test_from_the_first_log_in_to_a_reopened_appeal(page: Page, administrator: User) -> None:
    log_in(page, administrator)
    expect(page.get_by_role("heading", name=_("First, add a shop"))).to_be_visible()

    page.get_by_role("link", name=_("Add a shop")).click()
    page.select_option("[name=marketplace]", label="Ozon")
    page.fill("[name=name]", "Чайный дом")
    page.click("button[name=_save]")
    expect(page.locator("[name=shop] option:checked")).to_have_text("Чайный дом")

    page.select_option("[name=topic]", label="Финансы")
    page.fill("[name=subject]", "Не поступила выплата")
    page.fill("[name=body]", "Выплата за сентябрь не пришла.")
    expect(page.locator("#promise")).to_contain_text(re.compile(r"\d"))
    page.fill("[name=sent_at]", local(days_ago=21))
    page.fill("[name=external_number]", "12345678")
    page.click("button[name=_sent]")

    appeal = Appeal.objects.get()
    clocks = page.locator("[aria-labelledby=clocks-title]")
    expect(page.locator("h1")).to_contain_text("Не поступила выплата")
    expect(clocks.locator(".hub-late").first).to_be_visible()
    expect(page.locator("[aria-labelledby=step-title]")).to_be_visible()
    assert appeal.overdue_by(timezone.now())

    press(page, "record_reply")
    page.check("dialog [value=question]")
    page.fill("dialog [name=text]", "Пришлите номер отчёта.")
    confirm(page)
    expect(page.locator(".hub-facts")).to_contain_text(str(Appeal.Status.OUR_TURN.label))

    press(page, "message")
    page.fill("dialog [name=text]", "Отчёт № 15.")
    confirm(page)
    expect(page.locator(".hub-timeline")).to_contain_text("Отчёт № 15.")

    press(page, "escalate")
    expect(page.locator("dialog [name=step]:checked")).to_have_count(1)
    confirm(page)
    [taken] = timeline.steps_taken(appeal)
    expect(page.locator(".hub-timeline > li").first).to_contain_text(str(taken.step))

    press(page, "resolve")
    page.check("dialog [value=granted]")
    page.fill("dialog [name=amount_recovered]", "1500")
    confirm(page)
    expect(page.locator(".hub-facts")).to_contain_text(str(Appeal.Outcome.GRANTED.label))

    press(page, "reopen")
    confirm(page)
    expect(page.locator(".hub-facts")).to_contain_text(str(Appeal.Status.WAITING.label))
    appeal.refresh_from_db()
    assert (appeal.status, appeal.resolved_at) == ("waiting", None)


def test_a_dialog_that_refuses_keeps_what_was_typed(page: Page, administrator: User) -> None:
    appeal = logged(page, administrator)
    press(page, "message")
    page.fill("dialog [name=text]", "Долго набранный текст")
    page.fill("dialog [name=at]", local(days_ago=400))
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog .hub-errors")).to_be_visible()
    expect(page.locator("dialog [name=text]")).to_have_value("Долго набранный текст")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    assert appeal.events.filter(kind="message").count() == 0


def test_topics_and_channels_of_other_marketplaces_are_not_on_offer(page: Page, administrator: User) -> None:
    logged(page, administrator)
    page.goto("/admin/appeals/appeal/add/")
    shown = page.locator("[name=channel] optgroup:not([hidden])")
    expect(shown).to_have_count(1)
    assert shown.get_attribute("label") == "Ozon"


def logged(page: Page, user: User) -> Appeal:
    """An appeal to Ozon that was sent an hour ago, with its page open."""
    now = timezone.now()
    shop = shops.create(actor=user, name="Чайный дом", marketplace=Marketplace.objects.get(slug="ozon"))
    appeal = lifecycle.create(actor=user, now=now, shop=shop, subject="Не поступила выплата", assignee=user)
    appeal = lifecycle.submit(appeal=appeal, actor=user, now=now, at=now - timedelta(hours=1))
    log_in(page, user)
    page.goto(appeal.get_absolute_url())
    return appeal
