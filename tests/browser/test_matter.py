"""One matter from the first message to the claim and the pack for a lawyer, with its clocks right at each stage."""

import hashlib
import json
from datetime import datetime, timedelta
from zipfile import ZipFile

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from appeals import shops, wording
from appeals.models import Appeal, Deadline
from hub.models import User
from marketplaces.models import EscalationStep, Marketplace
from marketplaces.working_time import Unit, clock

from .conftest import log_in
from .test_road import confirm, press

pytestmark = pytest.mark.browser

STOCK_PHRASE = "Мы проверили вашу ситуацию, нарушений не обнаружено. Подробнее читайте в справке."


def ago(days: int) -> datetime:
    """So many days before now, to the minute: that is as much as the browser's own picker takes.

    Over the New Year three working days last up to 18 days, and 15 calendar days up to 28.
    """
    return (timezone.now() - timedelta(days=days)).replace(second=0, microsecond=0)


def typed(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%dT%H:%M}"


def due(at: datetime, amount: int, unit: Unit) -> datetime:
    return clock("24/7", "Europe/Moscow", "RU").add(at, amount, unit)


def clocks(appeal: Appeal) -> dict[str, tuple[str, datetime]]:
    """By kind: how the latest clock stands, and when it was or is due."""
    rows = Deadline.objects.filter(appeal=appeal).order_by("id")
    return {row.kind: (str(row.state), row.due_at) for row in rows}


def shown_due(page: Page, due_at: datetime) -> None:
    expect(page.locator("[aria-labelledby=clocks-title]")).to_contain_text(wording.until(due_at, timezone.now())[1:])


def brush_off(page: Page, at: datetime) -> None:
    press(page, "record_reply")
    page.check("dialog [value=brush_off]")
    page.fill("dialog [name=text]", STOCK_PHRASE)
    page.fill("dialog [name=at]", typed(at))
    confirm(page)


def take_step(page: Page, key: str, at: datetime) -> None:
    step = EscalationStep.objects.get(marketplace__slug="ozon", key=key)
    press(page, "escalate")
    page.check(f"dialog [name=step][value='{step.pk}']")
    page.fill("dialog [name=at]", typed(at))
    confirm(page)


def test_one_matter_from_the_first_message_to_the_claim(page: Page, administrator: User) -> None:
    shop = shops.create(actor=administrator, name="Чайный дом", marketplace=Marketplace.objects.get(slug="ozon"))
    log_in(page, administrator)

    # The appeal: an answer on money is promised within three working days
    sent = ago(130)
    page.goto(f"/admin/appeals/appeal/add/?shop={shop.pk}")
    page.select_option("[name=topic]", label="Финансы")
    page.fill("[name=subject]", "Не поступила выплата")
    page.fill("[name=body]", "Выплата за сентябрь не пришла.")
    page.fill("[name=order_numbers]", "12345678-0001")
    page.fill("[name=sent_at]", typed(sent))
    page.fill("[name=external_number]", "12345678")
    page.click("button[name=_sent]")
    expect(page.locator("h1")).to_contain_text("Не поступила выплата")
    first = Appeal.objects.get()
    promised = due(sent, 3, Unit.WORKING_DAYS)
    assert clocks(first)["answer"] == ("running", promised)
    shown_due(page, promised)

    # A stock phrase settles nothing: the answer is still owed, and late
    brush_off(page, ago(128))
    assert clocks(first)["answer"] == ("running", promised)
    expect(page.locator("[aria-labelledby=clocks-title] .hub-late").first).to_be_visible()

    # A follow-up: the hub's letter quotes the number; what was sent is noted, and no term begins anew
    page.goto(reverse("admin:appeals_appeal_letter", args=[first.pk, "follow_up"]))
    letter = page.locator("#letter").inner_text()
    assert "12345678" in letter
    page.goto(first.get_absolute_url())
    press(page, "message")
    page.fill("dialog [name=text]", letter)
    page.fill("dialog [name=at]", typed(ago(118)))
    confirm(page)
    assert clocks(first)["answer"] == ("running", promised)

    # Given up and written again: a new promise runs, and the first one stays in sight
    press(page, "resolve")
    page.check("dialog [value=ignored]")
    page.fill("dialog [name=at]", typed(ago(105)))
    confirm(page)
    assert clocks(first)["answer"] == ("missed", promised)
    page.click("a[href*='previous=']")
    page.fill("[name=subject]", "Повторно: не поступила выплата")
    page.fill("[name=order_numbers]", "12345678-0001")
    again = ago(100)
    page.fill("[name=sent_at]", typed(again))
    page.click("button[name=_sent]")
    expect(page.locator("#matter li")).to_have_count(2)
    second = Appeal.objects.get(previous=first)
    promised_again = due(again, 3, Unit.WORKING_DAYS)
    assert clocks(second)["answer"] == ("running", promised_again)
    expect(page.locator("#first-promise")).to_contain_text(f"№ {first.pk}")
    expect(page.locator(".hub-timeline")).to_contain_text(STOCK_PHRASE)

    # The same phrase once more, and a complaint: the answer's clock ends as missed, the step's fifteen days run
    brush_off(page, ago(98))
    complained = ago(45)  # the step is there since 1 October 2026
    take_step(page, "operator-complaint", complained)
    term = due(complained, 15, Unit.CALENDAR_DAYS)
    assert clocks(second)["answer"] == ("missed", promised_again)
    assert clocks(second)["escalation"] == ("running", term)
    shown_due(page, term)

    # The claim: the complaint's term ends, its own thirty calendar days run, and are not over
    claimed = ago(10)
    take_step(page, "claim", claimed)
    last = due(claimed, 30, Unit.CALENDAR_DAYS)
    assert clocks(second)["escalation"] == ("running", last)
    ended = Deadline.objects.filter(appeal=second, kind="escalation").earliest("id")
    assert (ended.state, ended.due_at) == ("missed", term)
    assert Appeal.objects.get(pk=second.pk).next_due_at == last
    shown_due(page, last)
    expect(page.locator("#first-promise")).to_contain_text(f"№ {first.pk}")

    # The pack: the whole story, and every hash verifies
    with page.expect_download() as download:
        page.click("#evidence-matter")
    with ZipFile(download.value.path()) as pack:
        manifest = json.loads(pack.read("manifest.json"))
        assert [one["number"] for one in manifest["appeals"]] == [first.pk, second.pk]
        for entry in manifest["entries"]:
            assert hashlib.sha256(pack.read(entry["path"])).hexdigest() == entry["sha256"]
        texts = "".join(pack.read(name).decode("utf-8-sig") for name in pack.namelist() if name.startswith("texts/"))
    assert STOCK_PHRASE in texts
    assert letter.splitlines()[0] in texts
    page.reload()
    expect(page.locator(".hub-timeline > li").first).to_contain_text("Выгружен пакет доказательств")
