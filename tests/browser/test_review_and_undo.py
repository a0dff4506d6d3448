"""The text is reviewed while it is typed, and what was noted by mistake is taken back, in Russian."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from appeals import lifecycle, shops
from appeals.models import Appeal
from hub.models import User
from marketplaces.models import Marketplace, Topic

from .conftest import log_in

pytestmark = pytest.mark.browser

ADD = "/admin/appeals/appeal/add/"


@pytest.fixture
def member(administrator: User) -> User:
    shops.create(actor=administrator, name="Чайный дом", marketplace=Marketplace.objects.get(slug="ozon"))
    return administrator


def test_remarks_come_while_one_types_and_lead_to_their_place(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.select_option("[name=topic]", label="Финансы")
    page.fill("[name=subject]", "Нет выплаты")
    page.fill("[name=body]", "🙂 Где выплата?\nВы мошенники!!! Верните.")
    said = page.locator("[data-review] [role=status]")
    expect(said).to_contain_text("замечани")
    expect(page.locator(".hub-finding", has_text="Нет дат.")).to_be_visible()

    accusation = page.locator(".hub-finding", has_text="Обвинение или оскорбление")
    button = accusation.get_by_role("button", name="Показать место: Текст")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[name=body]")).to_be_focused()
    marked = "() => { const f = document.activeElement; return f.value.slice(f.selectionStart, f.selectionEnd); }"
    assert page.evaluate(marked) == "мошенники"

    page.keyboard.type("выплату задержали 12.10.2026")
    expect(accusation).to_have_count(0)
    expect(page.locator(".hub-finding", has_text="Нет дат.")).to_have_count(0)
    page.locator(".hub-finding", has_text="Нет номера отчёта").get_by_role("button").click()
    expect(page.locator("[name=body]")).to_be_focused()

    page.click("button[name=_sent]")  # nothing forbids it
    expect(page.locator("h1")).to_contain_text("Нет выплаты")
    assert Appeal.objects.get().status == "waiting"


def test_the_same_text_a_second_time_is_noticed_before_it_is_sent(page: Page, member: User) -> None:
    text = "Выплата за заказ 12345678-0001-1 не поступила, просим перечислить её до 12.10.2026."
    first = logged(member, body=text)
    log_in(page, member)
    page.goto(ADD)
    page.fill("[name=subject]", first.subject)
    page.fill("[name=body]", f"Здравствуйте. {text}")
    expect(page.locator(".hub-finding", has_text=f"№ {first.pk}")).to_contain_text("ни один срок не начнётся заново")


def test_without_scripts_the_page_of_the_draft_says_the_same(page: Page, member: User) -> None:
    now = timezone.now()
    topic = Topic.objects.get(slug="logistics")
    draft = lifecycle.create(actor=member, now=now, shop=member.shops.get(), subject="Нет", body="Где?!!", topic=topic)
    log_in(page, member)
    plain = page.context.browser.new_context(  # type: ignore[union-attr]
        base_url=page.url, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    tab = plain.new_page()
    tab.goto(draft.get_absolute_url())
    expect(tab.locator("#review")).to_contain_text("Нет номера заказа.")
    expect(tab.locator("#review")).to_contain_text("нужно исправить")
    tab.locator(".hub-finding", has_text="Нет номера заказа.").get_by_role("link").click()
    expect(tab.locator("[name=order_numbers]")).to_be_visible()
    plain.close()


def test_a_reply_noted_by_mistake_is_taken_back_by_the_button_in_the_message(page: Page, member: User) -> None:
    appeal = logged(member)
    clocks = list(appeal.deadlines.order_by("pk").values())
    log_in(page, member)
    page.goto(appeal.get_absolute_url())
    page.click("#verb-record_reply")
    page.check("dialog [value=answer]")
    page.fill("dialog [name=text]", "Не то обращение")
    page.click("dialog button[type=submit]")
    expect(page.locator(".hub-facts")).to_contain_text(str(Appeal.Status.OUR_TURN.label))

    offers = page.locator(".hub-undo")
    expect(offers).to_have_count(2)
    expect(offers.first).to_contain_text("ещё 10 мин")
    offers.first.get_by_role("button", name="Отменить").click()
    expect(page.locator(".hub-facts")).to_contain_text(str(Appeal.Status.WAITING.label))
    expect(page.locator("main, body").first).to_contain_text("Отменено: всё как было.")
    lines = page.locator(".hub-timeline > li")
    expect(lines.first).to_contain_text("Отменено: маркетплейс ответил")
    expect(page.locator(".hub-undone")).to_contain_text("Не то обращение")
    expect(page.locator(".hub-undo")).to_have_count(0)
    assert list(appeal.deadlines.order_by("pk").values()) == clocks


def test_the_line_of_the_timeline_offers_it_by_keyboard_until_the_minutes_are_over(page: Page, member: User) -> None:
    appeal = logged(member)
    now = timezone.now()
    lifecycle.message(appeal=appeal, actor=member, now=now, text="Ошибка")
    log_in(page, member)
    page.goto(appeal.get_absolute_url())
    offer = page.locator(".hub-timeline .hub-undo")
    expect(offer).to_be_visible()
    page.evaluate(
        """() => {
            document.querySelector("[data-undo-until]").dataset.undoUntil = new Date(Date.now() - 1).toISOString();
            countDown();
        }"""
    )
    expect(offer).to_have_count(0)

    page.reload()
    offer.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".hub-timeline > li").first).to_contain_text("Отменено: мы написали")
    assert appeal.events.filter(kind="undone").count() == 1


def logged(user: User, **fields: str) -> Appeal:
    """An appeal to Ozon that was sent an hour ago."""
    now = timezone.now() - timedelta(hours=1)
    fields = {"subject": "Не поступила выплата", **fields}
    appeal = lifecycle.create(actor=user, now=now, shop=user.shops.get(), assignee=user, **fields)
    return lifecycle.submit(appeal=appeal, actor=user, now=now)
