"""Letters in a real browser: looked at, copied, read in the other language, reached from the escalation's step."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from appeals import lifecycle, shops
from appeals.models import Appeal
from hub.models import User
from marketplaces.models import Marketplace, Topic

from .conftest import log_in
from .test_road import press

pytestmark = pytest.mark.browser


@pytest.fixture
def appeal(administrator: User) -> Appeal:
    now = timezone.now()
    shop = shops.create(actor=administrator, name="Чайный дом", marketplace=Marketplace.objects.get(slug="ozon"))
    topic = Topic.objects.get(slug="finance")
    made = lifecycle.create(actor=administrator, now=now, shop=shop, topic=topic, subject="Нет выплаты <за октябрь>")
    sent = now - timedelta(days=20)  # three working days are over, in January too
    lifecycle.submit(appeal=made, actor=administrator, now=now, at=sent, external_number="22283263")
    text = "Читайте справку."
    return lifecycle.record_reply(appeal=made, actor=administrator, now=now, kind="brush_off", text=text, at=sent)


def test_a_letter_is_copied_read_in_english_and_kept(page: Page, administrator: User, appeal: Appeal) -> None:
    log_in(page, administrator)
    page.goto(appeal.get_absolute_url())
    page.click("#letter-stock_reply")
    letter = page.locator("dialog #letter")
    expect(letter).to_contain_text("На обращение № 22283263 «Нет выплаты <за октябрь>»")
    expect(page.locator("dialog")).to_contain_text("чего хотим: укажите в карточке обращения")
    page.click("dialog [data-copy]")
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.startsWith('Здравствуйте!'))")

    page.click("dialog [data-instead]")
    expect(letter).to_contain_text("To the request No. 22283263")
    assert page.locator("dialog").count() == 1

    page.click("dialog button[type=submit]")
    expect(page.locator("[aria-labelledby=files-title]")).to_contain_text(
        "Answer to a stock phrase, No. 22283263.docx"
    )


def test_the_step_of_an_escalation_leads_to_its_letter_and_back(
    page: Page, administrator: User, appeal: Appeal
) -> None:
    log_in(page, administrator)
    page.goto(appeal.get_absolute_url())
    press(page, "escalate")
    page.fill("dialog [name=note]", "Второй раз")
    page.click("dialog label:has(:checked) a[data-dialog]")
    expect(page.locator("dialog #letter")).to_contain_text("Срок ответа (3 рабочих дня) истёк")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(1)
    assert page.input_value("dialog [name=note]") == "Второй раз"
    page.click("dialog label:has-text('Иск в арбитражный суд')")
    expect(page.locator("dialog label:has(:checked)")).to_contain_text(
        "Сначала: «Жалоба оператору платформы по 289-ФЗ»"
    )


SEEN_WHOLE = "(one) => one.scrollHeight <= one.clientHeight"


def test_a_letter_is_whole_on_its_page_and_scrolls_in_a_dialog(
    page: Page, administrator: User, appeal: Appeal
) -> None:
    log_in(page, administrator)
    page.goto(f"/admin/appeals/appeal/{appeal.pk}/letter/claim/")
    assert page.locator("#letter").evaluate(SEEN_WHOLE)
    expect(page.locator("#main .hub-dialog-title")).to_be_hidden()
    expect(page.locator("[data-close]")).to_be_hidden()  # the way back stands above
    page.goto(appeal.get_absolute_url())
    page.click("summary:has-text('Другие письма')")
    page.click("#letter-claim")
    expect(page.locator("dialog .hub-dialog-title")).to_be_visible()
    assert not page.locator("dialog #letter").evaluate(SEEN_WHOLE)
    page.click("dialog [data-close]")
    expect(page.locator("dialog")).to_have_count(0)


def test_a_letter_leads_to_where_it_is_noted_as_sent(page: Page, administrator: User, appeal: Appeal) -> None:
    log_in(page, administrator)
    page.goto(appeal.get_absolute_url())
    page.click("#letter-stock_reply")
    page.click("dialog #note-sent")
    expect(page.locator("dialog")).to_have_count(1)
    page.fill("dialog [name=text]", "Ответ на отписку")
    page.click("dialog button:has-text('Записать письмо')")
    expect(page.locator(".hub-timeline")).to_contain_text("Ответ на отписку")
