"""Logging an appeal fast and safely: what is typed is not lost, numbers and pictures are taken, keys are enough."""

import re
import time

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import FilePayload, Page, expect

from appeals import lifecycle, shops
from appeals.models import Appeal, Shop
from hub.models import User
from marketplaces.models import Marketplace

from .conftest import PASSWORD, log_in

pytestmark = pytest.mark.browser

ADD = "/admin/appeals/appeal/add/"


@pytest.fixture
def member(administrator: User) -> User:
    shops.create(actor=administrator, name="Чайный дом", marketplace=Marketplace.objects.get(slug="ozon"))
    return administrator


def test_what_was_typed_survives_a_closed_tab_until_it_is_sent(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.fill("[name=subject]", "Не поступила выплата")
    page.fill("[name=body]", "Длинный текст")
    wait_for_draft(page, "Длинный текст")
    again = page.context.new_page()
    page.close()
    again.goto(ADD)
    expect(again.locator("[name=subject]")).to_have_value("Не поступила выплата")
    expect(again.locator(".hub-note")).to_be_visible()
    again.click("button[name=_draft]")
    expect(again.locator("h1")).to_contain_text("Не поступила выплата")
    again.goto(ADD)
    expect(again.locator("[name=subject]")).to_have_value("")


def test_what_was_typed_survives_a_lost_session(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.fill("[name=subject]", "Не поступила выплата")
    page.fill("[name=body]", "Длинный текст")
    Session.objects.all().delete()
    page.click("button[name=_sent]")
    page.fill("[name=username]", member.email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator("[name=body]")).to_have_value("Длинный текст")
    assert not Appeal.objects.exists()


def test_a_text_that_comes_back_says_that_its_files_did_not(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.set_input_files("[name=attachments]", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"})
    page.fill("[name=subject]", "С файлом")
    wait_for_draft(page, "С файлом")
    page.goto(ADD)
    expect(page.locator(".hub-note")).to_contain_text("Файлы выберите заново.")


def test_what_is_discarded_is_gone(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.fill("[name=subject]", "Лишнее")
    wait_for_draft(page, "Лишнее")
    page.goto(ADD)
    page.click(".hub-note button")
    expect(page.locator(".hub-note")).to_have_count(0)
    expect(page.locator("[name=subject]")).to_have_value("")


def test_a_text_typed_into_a_dialog_is_there_when_it_opens_again(page: Page, member: User) -> None:
    appeal = sent(member)
    log_in(page, member)
    page.goto(appeal.get_absolute_url())
    page.click("#verb-message")
    page.fill("dialog [name=text]", "Начал писать")
    wait_for_draft(page, "Начал писать")
    page.keyboard.press("Escape")
    page.click("#verb-message")
    expect(page.locator("dialog [name=text]")).to_have_value("Начал писать")
    page.click("dialog button[type=submit]")
    expect(page.locator(".hub-timeline")).to_contain_text("Начал писать")
    page.click("#verb-message")
    expect(page.locator("dialog [name=text]")).to_have_value("")


def test_order_numbers_in_the_text_are_offered_and_taken(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.fill("[name=body]", "Заказы 12345678-0001-1 и 87654321-0002-3, звонили с +79990001122, сумма 1500")
    field = page.locator(".hub-field", has=page.locator("[name=order_numbers]"))
    found = field.locator(".hub-found")
    expect(found).to_contain_text("12345678-0001-1, 87654321-0002-3")
    assert "9990001122" not in found.inner_text()
    found.locator("button").click()
    expect(page.locator("[name=order_numbers]")).to_have_value("12345678-0001-1\n87654321-0002-3")
    expect(found).to_be_empty()
    expect(field.locator(".hub-recognised")).to_contain_text("2")


def test_a_number_of_something_else_is_offered_as_no_order(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.fill(
        "[name=body]",
        "Отчёт о реализации № 1234567, ИНН 7701234567. Заказ № 87654321-0002-1, отчёт по заказу 7654321.",
    )
    found = page.locator(".hub-field", has=page.locator("[name=order_numbers]")).locator(".hub-found")
    expect(found).to_have_text("Номера из текста: 87654321-0002-1, 7654321 Добавить")


def test_product_codes_in_the_text_are_offered_where_they_belong(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.fill("[name=subject]", "Скрыт артикул TEA-100")
    page.fill("[name=body]", "Артикулы продавца: КР-5, 87654321 и tea_7/2. Заказ 12345678-0001-1, всего 12 штук.")
    codes = page.locator(".hub-field", has=page.locator("[name=product_codes]"))
    orders = page.locator(".hub-field", has=page.locator("[name=order_numbers]"))
    expect(codes.locator(".hub-found")).to_contain_text("Артикулы из текста: TEA-100, КР-5, 87654321, tea_7/2 ")
    expect(orders.locator(".hub-found")).to_contain_text("12345678-0001-1")
    expect(orders.locator(".hub-found")).not_to_contain_text("87654321")
    codes.locator("button").click()
    expect(page.locator("[name=product_codes]")).to_have_value("TEA-100\nКР-5\n87654321\ntea_7/2")


def test_a_picture_is_pasted(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.fill("[name=subject]", "Со снимком")
    page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(2, 2); canvas.getContext("2d");
            const blob = await canvas.convertToBlob({ type: "image/png" });
            const data = new DataTransfer(); data.items.add(new File([blob], "снимок.png", { type: "image/png" }));
            document.querySelector("[name=body]").dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator(".hub-files-list")).to_contain_text("снимок.png")
    page.click("button[name=_draft]")
    expect(page.locator("[aria-labelledby=files-title]")).to_contain_text("снимок.png")
    assert Appeal.objects.get().attachments.get().content_type == "image/png"


def test_files_are_dropped(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.fill("[name=subject]", "С файлами")
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            const file = (name) => new File([name], name, { type: "text/plain" });
            for (const name of ["акт.txt", "сверка.txt"]) data.items.add(file(name));
            document.querySelector("[name=body]").dispatchEvent(
                new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator(".hub-files-list")).to_contain_text("сверка.txt")
    page.click("button[name=_draft]")
    expect(page.locator("[aria-labelledby=files-title]")).to_contain_text("сверка.txt")
    assert sorted(file.name for file in Appeal.objects.get().attachments.all()) == ["акт.txt", "сверка.txt"]


def test_an_appeal_is_written_again_with_the_number_of_the_first(page: Page, member: User) -> None:
    now = timezone.now()
    first = lifecycle.create(actor=member, now=now, shop=Shop.objects.get(), subject="Нет выплаты", assignee=member)
    lifecycle.submit(appeal=first, actor=member, now=now, external_number="31500001")
    log_in(page, member)
    page.goto(first.get_absolute_url())
    page.get_by_role("link", name="Написать снова").click()
    page.wait_for_url(f"**{ADD}?*")
    expect(page.locator("[name=body]")).to_have_value(re.compile("31500001"))
    page.locator("[name=body]").press_sequentially(" Заказ 12345678-0001-1.")
    found = page.locator(".hub-field", has=page.locator("[name=order_numbers]")).locator(".hub-found")
    expect(found).to_contain_text("12345678-0001-1")
    expect(found).not_to_contain_text("31500001")


def test_choosing_a_file_touches_no_other_field(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    page.set_input_files("[name=attachments]", FilePayload(name="a.txt", mimeType="text/plain", buffer=b"text"))
    expect(page.locator(".hub-files-list")).to_contain_text("a.txt")
    expect(page.locator("[name=subject]")).to_have_value("")


@pytest.mark.parametrize("height", [400, 800])
def test_what_is_wrong_is_scrolled_into_sight(page: Page, member: User, height: int) -> None:
    """And stays there when the promise and the remarks, which are loaded above it, push it down."""
    log_in(page, member)
    page.set_viewport_size({"width": 1280, "height": height})
    page.goto(ADD)
    page.fill("[name=subject]", "Слишком длинный номер")
    number = page.locator("[name=external_number]")
    number.evaluate("field => field.removeAttribute('maxlength')")
    number.fill("1" * 500)
    page.click("button[name=_sent]")
    expect(page.locator("[name=external_number][aria-invalid=true]")).to_be_focused()
    expect(page.locator("#promise b").first).to_be_visible()
    expect(page.locator("[data-review]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(number).to_be_in_viewport(timeout=5_000)


def test_the_directory_proposes_the_channel_and_leaves_a_choice_alone(page: Page, member: User) -> None:
    log_in(page, member)
    page.goto(ADD)
    channel = page.locator("[name=channel]")
    expect(channel).not_to_have_value("")
    other = channel.locator("optgroup:not([hidden]) option").last.get_attribute("value")
    channel.select_option(other)
    page.select_option("[name=topic]", label="Финансы")
    expect(page.locator("#promise b").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert channel.input_value() == other


def test_an_appeal_is_logged_by_keyboard_alone_in_seconds(page: Page, member: User) -> None:
    """From the home page to a sent appeal: five keys besides the texts; shop and channel are proposed."""
    log_in(page, member)
    keys, started = 0, time.monotonic()

    def press(*names: str) -> None:
        nonlocal keys
        for name in names:
            page.keyboard.press(name)
            keys += 1

    press("Alt+n")
    page.wait_for_url(f"**{ADD}")
    expect(page.locator("[name=topic]")).to_be_focused()
    press("ArrowDown", "Tab")
    page.keyboard.type("Нет выплаты")
    press("Tab")
    page.keyboard.type("Выплата за сентябрь не пришла.")
    expect(page.locator("[name=channel]")).not_to_have_value("")
    press("Control+Enter")
    expect(page.locator("h1")).to_contain_text("Нет выплаты")
    appeal = Appeal.objects.get()
    assert (appeal.status, appeal.topic and appeal.topic.slug) == ("waiting", "finance")
    assert appeal.channel
    assert keys <= 5
    print(f"{keys} keys besides the texts, {time.monotonic() - started:.1f} s")  # noqa: T201 - shown with -s


def test_the_menu_of_the_person_opens_by_keyboard(page: Page, member: User) -> None:
    log_in(page, member)
    menu = page.get_by_role("button", name=re.compile(member.email))
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#logout-form button")).to_be_visible()


def test_pages_show_without_scripts(page: Page, member: User) -> None:
    appeal = sent(member)
    log_in(page, member)
    plain = page.context.browser.new_context(  # type: ignore[union-attr]
        base_url=page.url, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    tab = plain.new_page()
    tab.goto(appeal.get_absolute_url())
    tab.click("#verb-message")
    tab.fill("[name=text]", "Без скриптов")
    tab.click("button[type=submit].hub-primary")
    expect(tab.locator(".hub-timeline")).to_contain_text("Без скриптов")
    plain.close()


def wait_for_draft(page: Page, text: str) -> None:
    """What was typed is kept when the typing has paused."""
    page.wait_for_function("text => Object.values(localStorage).some((kept) => kept.includes(text))", arg=text)


def sent(user: User) -> Appeal:
    now = timezone.now()
    shop = user.shops.get()
    appeal = lifecycle.create(actor=user, now=now, shop=shop, subject="Не поступила выплата")
    return lifecycle.submit(appeal=appeal, actor=user, now=now)
