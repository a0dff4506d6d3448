"""Letters: what each quotes, how it says it, what it names as missing, and that it promises what somebody promised."""

import re
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from django.core.management import call_command
from django.utils import translation
from django.utils.translation import override

from appeals import letters, lifecycle
from appeals.letters import Kind, Letter, markup, speech
from appeals.models import Appeal, Shop
from hub.models import User
from marketplaces import platform
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Source, Topic
from marketplaces.working_time import Unit
from tests.appeals.conftest import SENT, moscow

pytestmark = pytest.mark.django_db

LATE = moscow("2026-10-13 09:00")  # two working days after Thursday 8 October
LEGAL = (Kind.COMPLAINT, Kind.CLAIM, Kind.FAS)


@pytest.fixture
def published(db: None) -> Source:
    return Source.objects.create(key="test", title="Справка Базара", title_en="Bazaar's help", grade="A")


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.legal_name, shop.inn, shop.ogrn = "ООО «Пример»", "7700000001", "1027700000001"
    shop.seller_id, shop.postal_address = "10001", "101000, Москва, Примерная улица, дом 1"
    shop.save()
    return shop


@pytest.fixture
def step(steps: list[EscalationStep]) -> EscalationStep:
    """The claim, as a law that a source of grade B tells of has it."""
    steps[3].letter, steps[3].source_grade, steps[3].term_basis = Kind.CLAIM, "B", "Закон о претензиях."
    steps[3].save()
    return steps[3]


def letter(appeal: Appeal, kind: str, now: datetime = LATE, language: str = "ru") -> Letter:
    fresh = Appeal.objects.select_related("shop__marketplace", "topic", "channel").get(pk=appeal.pk)
    return letters.compose(fresh, kind, now=now, language=language)


def missing(found: Letter) -> set[str]:
    return {gap.field for gap in found.missing}


def in_word(found: Letter) -> list[str]:
    """Paragraphs and rows of the .docx, in their order."""
    document = docx.Document(BytesIO(found.docx()))
    parts = (part for part in document.iter_inner_content())
    said: list[str] = []
    for part in parts:
        said += [part.text] if hasattr(part, "text") else [" — ".join(c.text for c in row.cells) for row in part.rows]
    return said


# Follow-up


def test_a_follow_up_quotes_number_date_promise_and_lateness(sent: Appeal, published: Source) -> None:
    Appeal.objects.update(external_number="12345678", order_numbers=["0001-0002"])
    text = letter(sent, Kind.FOLLOW_UP).plain
    assert "5 октября 2026 г. мы направили вам обращение № 12345678 «Where is the money?» (тема: Финансы)." in text
    assert "Срок ответа (3\u00a0рабочих дня) истёк 8 октября 2026 г., а ответа по существу мы не получили." in text
    assert "Просрочка — 2\u00a0рабочих дня." in text
    assert "Номера заказов: 0001-0002." in text
    assert text.endswith("ООО «Пример», номер продавца 10001")


def test_it_says_the_same_in_english_for_the_team(sent: Appeal, published: Source) -> None:
    Appeal.objects.update(external_number="12345678")
    text = letter(sent, Kind.FOLLOW_UP, language="en").plain
    assert "On 5 October 2026 we sent you the request No. 12345678" in text
    assert "The term of the answer (3\u00a0working days) ran out on 8 October 2026" in text
    assert "It is overdue by 2\u00a0working days." in text


def test_the_language_of_the_reader_changes_nothing_in_the_letter(sent: Appeal, published: Source) -> None:
    with override("en"):
        english = letter(sent, Kind.FOLLOW_UP).text
    with override("ru"):
        assert letter(sent, Kind.FOLLOW_UP).text == english


def test_a_rule_of_our_own_is_not_called_their_promise(sent: Appeal) -> None:
    text = letter(sent, Kind.FOLLOW_UP).text
    assert "Срок ответа" not in text
    assert "Мы ждали ответа 3\u00a0рабочих дня — до 8 октября 2026 г.; с тех пор прошло ещё 2\u00a0рабочих дня" in text


def test_before_the_term_is_over_it_says_so(sent: Appeal, published: Source, desk: Channel) -> None:
    ResponseTarget.objects.all().delete()
    in_time = letter(sent, Kind.FOLLOW_UP, SENT).plain
    assert "Срок первого ответа (2\u00a0рабочих часа) истекает 5 октября 2026 г. в 12:00 (UTC+3)" not in in_time
    assert "Срок ответа (3\u00a0рабочих дня) истекает 8 октября 2026 г.; ответа по существу пока нет." in in_time


def test_a_term_in_hours_ends_at_an_hour(sent: Appeal, published: Source, agent: User) -> None:
    Topic.objects.update(name="Финансы")
    sent.deadlines.filter(kind="answer").delete()
    text = letter(sent, Kind.FOLLOW_UP, moscow("2026-10-05 15:30")).plain
    assert "Срок первого ответа (2\u00a0рабочих часа) истёк 5 октября 2026 г. в 12:00 (UTC+3), а обращение" in text
    assert "Просрочка — 3\u00a0рабочих часа." in text


def test_after_a_step_the_first_broken_promise_stays_in_sight(
    sent: Appeal, published: Source, agent: User, step: EscalationStep
) -> None:
    lifecycle.escalate(appeal=sent, actor=agent, now=LATE, step=step)
    text = letter(sent, Kind.FOLLOW_UP, moscow("2026-10-20 09:00")).plain
    assert "Ещё 8 октября 2026 г. истёк срок ответа на обращение (3\u00a0рабочих дня)." in text
    assert ".." not in text
    assert "13 октября 2026 г. мы сделали следующий шаг: «claim»." in text
    assert "Срок ответа (30\u00a0календарных дней) истекает 12 ноября 2026 г.; ответа по существу пока нет." in text


# A stock phrase


def test_the_answer_to_a_stock_phrase_quotes_it_and_repeats_the_request(sent: Appeal, agent: User) -> None:
    Appeal.objects.update(desired_outcome="Доплатить 500 ₽", external_number="7")
    at = moscow("2026-10-06 11:00")
    lifecycle.record_reply(
        appeal=sent, actor=agent, now=at, kind="brush_off", text="Мы всё проверили. Читайте справку."
    )
    found = letter(sent, Kind.STOCK_REPLY)
    assert "5 октября 2026 г., 6 октября 2026 г. пришёл ответ: «Мы всё проверили. Читайте справку»." in found.plain
    assert "Напоминаем нашу просьбу:\nДоплатить 500 ₽." in found.plain
    assert "1. какое решение принято по нашему вопросу;\n2. на каком пункте" in found.plain
    assert not missing(found)


def test_without_a_reply_it_asks_to_note_one(sent: Appeal) -> None:
    found = letter(sent, Kind.STOCK_REPLY)
    assert {"reply", "wish", "external_number"} == missing(found)
    assert "[ответ маркетплейса: запишите, что вам ответили]" in found.plain


def test_penalties_ask_for_the_papers_of_the_deduction(sent: Appeal) -> None:
    assert "удержание" not in letter(sent, Kind.STOCK_REPLY).plain
    Topic.objects.update(slug="penalties")
    assert "какими документами подтверждено удержание" in letter(sent, Kind.STOCK_REPLY).plain


# A claim


@pytest.fixture
def claimed(sent: Appeal, agent: User, market: Marketplace, published: Source, step: EscalationStep) -> Appeal:
    ResponseTarget.objects.update(source_grade="A")
    market.legal_entity, market.postal_address = "ООО «Базар»", "г. Москва, Рыночная площадь, дом 2"
    market.provenance = {
        "legal_entity": {"source": "test", "source_grade": "A", "verified_on": "2026-10-01"},
        "postal_address": {"source": "Код", "source_grade": "E", "verified_on": "2026-10-01", "note": "Из кода."},
    }
    market.save()
    Appeal.objects.update(
        external_number="12345678",
        body="Выплата не пришла.",
        desired_outcome="Перечислить выплату",
        amount_at_stake=Decimal("15000.00"),
    )
    at = moscow("2026-10-06 11:00")
    return lifecycle.record_reply(appeal=sent, actor=agent, now=at, kind="brush_off", text="Читайте справку.")


def test_a_claim_has_all_its_parts(claimed: Appeal) -> None:
    text = letter(claimed, Kind.CLAIM).plain
    for part in (
        "Кому: ООО «Базар»\nАдрес: г. Москва, Рыночная площадь, дом 2 [не подтверждено: сверьте с договором]",
        "От кого: ООО «Пример»\nИНН 7700000001\nОГРН 1027700000001\nАдрес: 101000, Москва, Примерная улица, дом 1",
        "Магазин «Tea and Cups», номер продавца 10001",
        "ПРЕТЕНЗИЯ\nпо обращению № 12345678 от 5 октября 2026 г.\n«Where is the money?»",
        "Выплата не пришла.",
        "5 октября 2026 г. — Продавец направил обращение № 12345678 «Where is the money?» (канал: Чат).",
        "5 октября 2026 г. — Истёк срок первого ответа (2\u00a0рабочих часа), ответа не было.",
        "6 октября 2026 г. — Пришёл ответ без решения по существу: «Читайте справку».",
        "8 октября 2026 г. — Истёк срок ответа (3\u00a0рабочих дня), ответа по существу не было.",
        "Итого к выплате — 15\xa0000,00",
        "Сумма требования: 15\xa0000 (пятнадцать тысяч) рублей 00 копеек.",
        "Продавец требует в течение 30 календарных дней со дня направления этой претензии:",
        "1. Перечислить выплату.\n2. Выплатить 15\xa0000 (пятнадцать тысяч) рублей 00 копеек",
        "часть 5 статьи 4 Арбитражного процессуального кодекса",
        "Приложения (копии)\n\n1. Переписка с поддержкой маркетплейса: обращение и ответы.",
        "13 октября 2026 г.",
    ):
        assert part in text, part


def test_a_broken_term_of_a_doubtful_source_is_marked_in_the_chronology(claimed: Appeal) -> None:
    ResponseTarget.objects.update(source_grade="D")
    found = letter(claimed, Kind.CLAIM)
    assert "Истёк срок ответа (3\u00a0рабочих дня [не подтверждено]), ответа по существу не было." in found.plain
    assert "Срок ответа по существу" in [one.name for one in found.doubts]


def test_below_a_line_it_says_what_to_check_and_that_it_is_a_draft(claimed: Appeal) -> None:
    found = letter(claimed, Kind.CLAIM)
    notes = found.text.split("\n----\n")[1].strip().splitlines()
    assert "Claim. Закон о претензиях. Источник: test." in notes
    assert "Почтовый адрес (не подтверждено). Из кода. Источник: Код." in notes
    assert "test: Справка Базара (надёжность A)" in notes
    assert any("«Деньги на кону»" in line for line in notes)
    assert notes[-1] == "Это черновик: перед отправкой его должен проверить человек, лучше всего юрист."
    assert [one.name for one in found.doubts] == ["Почтовый адрес"]


def test_what_is_missing_is_named_with_the_place_where_it_is_entered(claimed: Appeal, market: Marketplace) -> None:
    Shop.objects.update(inn="", legal_name="")
    Marketplace.objects.update(postal_address="")
    found = letter(claimed, Kind.CLAIM)
    with override("ru"):
        named = {gap.field: (gap.name, gap.where, gap.url) for gap in found.missing}
    shop_url = f"/admin/appeals/shop/{claimed.shop_id}/change/"
    assert named["inn"] == ("ИНН", "укажите в карточке магазина", shop_url)
    assert named["addressee_address"][2] == f"/admin/marketplaces/marketplace/{market.pk}/change/"
    assert named["signatory"][2] == ""
    assert missing(found) == {"inn", "legal_name", "addressee_address", "contract", "clause", "signatory"}
    assert "ИНН [ИНН: укажите в карточке магазина]" in found.plain
    assert "Не хватает: " in found.text


def test_what_was_recovered_is_taken_off(claimed: Appeal) -> None:
    Appeal.objects.update(amount_recovered=Decimal("4000.50"))
    text = letter(claimed, Kind.CLAIM).plain
    assert "Возмещено маркетплейсом — −4\xa0000,50\nИтого к выплате — 10\xa0999,50" in text
    assert "10\xa0999 (десять тысяч девятьсот девяносто девять) рублей 50 копеек" in text


def test_without_money_the_sum_is_named_as_missing(claimed: Appeal) -> None:
    Appeal.objects.update(amount_at_stake=None)
    found = letter(claimed, Kind.CLAIM)
    assert "sum" in missing(found)
    assert "укажите в карточке обращения или удалите этот раздел" in found.plain
    assert "Выплатить" not in found.plain


def test_a_matter_of_several_appeals_is_told_as_one(claimed: Appeal, agent: User, shop: Shop) -> None:
    at = moscow("2026-10-12 10:00")
    again = lifecycle.create(actor=agent, now=at, shop=shop, subject="Второе", previous=claimed)
    again = lifecycle.submit(appeal=again, actor=agent, now=at)
    text = letter(again, Kind.CLAIM).plain
    assert "№ 12345678 «Where is the money?»" in text
    assert "12 октября 2026 г. — Продавец направил обращение «Второе»." in text
    assert "обращения и ответы" in text


def test_our_notes_to_ourselves_stay_with_us(claimed: Appeal, agent: User, steps: list[EscalationStep]) -> None:
    lifecycle.escalate(appeal=claimed, actor=agent, now=LATE, step=steps[1], note="Юрист говорит, что дело слабое")
    assert "слабое" not in letter(claimed, Kind.CLAIM).text


def test_a_term_that_nobody_knows_is_asked_for(sent: Appeal) -> None:
    found = letter(sent, Kind.CLAIM)
    assert "term" in missing(found)
    assert "статьи 4" not in found.plain


def test_a_term_of_a_doubtful_source_is_marked(claimed: Appeal) -> None:
    EscalationStep.objects.update(source_grade="C")
    assert "в течение 30 календарных дней [не подтверждено: сверьте с законом]" in letter(claimed, Kind.CLAIM).plain


def test_a_sole_trader_has_an_ogrnip(claimed: Appeal) -> None:
    Shop.objects.update(ogrn="304770000000002")
    assert "ОГРНИП 304770000000002" in letter(claimed, Kind.CLAIM).plain


def test_the_files_of_the_matter_are_listed(claimed: Appeal) -> None:
    claimed.attachments.create(name="акт.pdf", size=1, content_type="application/pdf", sha256="", created_at=SENT)
    assert "\n3. акт.pdf\n4. Доверенность" in letter(claimed, Kind.CLAIM).plain


# Every letter


@pytest.mark.parametrize("kind", Kind.values)
def test_the_word_file_says_what_the_text_says(claimed: Appeal, kind: str) -> None:
    found = letter(claimed, kind)
    assert [
        line
        for line in "\n".join(in_word(found)).splitlines()
        if line not in ("Дата — Событие", "Основание — Сумма, руб.")
    ] == [line for line in found.text.splitlines() if line]


@pytest.mark.parametrize("kind", Kind.values)
def test_a_draft_that_says_nothing_gives_a_letter_that_says_what_it_lacks(draft: Appeal, kind: str) -> None:
    found = letter(draft, kind)
    assert "sent_on" in missing(found) or kind == Kind.FAS
    for gap in found.missing:
        with override("ru"):
            assert f"[{gap}]" in found.plain
    assert found.text.rstrip().splitlines()[-1].startswith("Это черновик: перед отправкой")


def test_the_file_of_one_day_is_the_same_byte_by_byte(claimed: Appeal) -> None:
    first = letter(claimed, Kind.CLAIM, moscow("2026-10-13 09:00")).docx()
    assert letter(claimed, Kind.CLAIM, moscow("2026-10-13 18:00")).docx() == first
    assert docx.Document(BytesIO(first)).core_properties.created.isoformat() == "2026-10-06T08:00:00+00:00"


def test_letters_to_the_state_are_in_russian_only(sent: Appeal) -> None:
    assert [letters.languages(sent, kind) for kind in Kind] == [["ru", "en"]] * 2 + [["ru"]] * 3
    with pytest.raises(letters.NoSuchLanguageError):
        letter(sent, Kind.CLAIM, language="en")


# What fits


def fit(appeal: Appeal, step: EscalationStep | None = None) -> list[str]:
    offers = letters.offers(Appeal.objects.get(pk=appeal.pk), step)
    assert {offer.kind for offer in offers} == set(Kind)
    return [offer.kind.value for offer in offers if offer.fits]


def test_what_fits_the_state_comes_first(sent: Appeal, agent: User, step: EscalationStep) -> None:
    assert fit(sent) == ["follow_up"]
    assert fit(sent, step) == ["claim", "follow_up"]
    lifecycle.record_reply(appeal=sent, actor=agent, now=LATE, kind="brush_off", text="Читайте справку")
    assert fit(sent, step) == ["stock_reply", "claim", "follow_up"]
    lifecycle.message(appeal=sent, actor=agent, now=LATE, text="Читали")
    assert fit(sent, step) == ["claim", "follow_up"]
    lifecycle.resolve(appeal=sent, actor=agent, now=LATE, outcome="granted")
    assert fit(sent) == []
    assert letters.offers(sent, None)[0].label


def test_a_refusal_leaves_the_claim(sent: Appeal, agent: User) -> None:
    lifecycle.resolve(appeal=sent, actor=agent, now=LATE, outcome="refused")
    assert fit(sent) == ["claim"]


def test_nothing_fits_a_draft(draft: Appeal) -> None:
    assert fit(draft) == []


# Grammar


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("15000", "15\xa0000 (пятнадцать тысяч) рублей 00 копеек"),
        ("1", "1 (один) рубль 00 копеек"),
        ("22.02", "22 (двадцать два) рубля 02 копейки"),
        ("111.11", "111 (сто одиннадцать) рублей 11 копеек"),
        ("2001.21", "2\xa0001 (две тысячи один) рубль 21 копейка"),
        ("0.50", "0 (ноль) рублей 50 копеек"),
        ("184320", "184\xa0320 (сто восемьдесят четыре тысячи триста двадцать) рублей 00 копеек"),
        ("1000000", "1\xa0000\xa0000 (один миллион) рублей 00 копеек"),
    ],
)
def test_sums_are_said_in_words(amount: str, text: str) -> None:
    with override("ru"):
        assert speech.money(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (1, "working_days", "в течение 1 рабочего дня"),
        (2, "working_days", "в течение 2 рабочих дней"),
        (15, "calendar_days", "в течение 15 календарных дней"),
        (21, "calendar_days", "в течение 21 календарного дня"),
        (11, "calendar_days", "в течение 11 календарных дней"),
        (48, "hours", "в течение 48 часов"),
        (1, "minutes", "в течение 1 минуты"),
        (3, "working_hours", "в течение 3 рабочих часов"),
        (30, "working_minutes", "в течение 30 рабочих минут"),
    ],
)
def test_a_term_within_which_stands_in_the_genitive(amount: int, unit: str, text: str) -> None:
    with override("ru"):
        assert speech.within(amount, unit) == text


def test_every_unit_has_its_words() -> None:
    assert all(speech.within(5, unit) for unit in Unit)


@pytest.mark.parametrize(
    ("text", "said"), [("Да.", "«Да»."), ("Нет", "«Нет»."), ("Где?", "«Где?»"), ("Ждите …", "«Ждите …»")]
)
def test_a_quotation_ends_its_sentence(text: str, said: str) -> None:
    with override("ru"):
        assert speech.quoted(text) == said


# Templates


def test_a_marketplace_has_its_own_words_in_its_own_folder(
    market: Marketplace, sent: Appeal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "follow_up.ru.txt").write_text(
        '{% extends "follow_up.ru.txt" %}{% block request %}{{ it.marketplace }}, ответьте.{% endblock %}'
    )

    class Bazaar:
        slug, letters_path = "bazaar", tmp_path / "letters"

    monkeypatch.setattr(platform, "installed", lambda: [Bazaar])
    markup.engine.cache_clear()
    try:
        text = letter(sent, Kind.FOLLOW_UP).plain
    finally:
        markup.engine.cache_clear()
    assert "Базар, ответьте." in text
    assert "Просим рассмотреть" not in text
    assert text.startswith("Здравствуйте!")


@pytest.mark.parametrize(
    ("template", "problem"),
    [("Мимо", "outside of its parts"), ('{% part "poem" %}{% endpart %}', "A part is one of")],
)
def test_a_template_that_would_lose_text_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str, problem: str
) -> None:
    monkeypatch.setattr(markup, "SHARED", tmp_path)
    (tmp_path / "bad.txt").write_text(template)
    markup.engine.cache_clear()
    try:
        with pytest.raises(Exception, match=problem):
            markup.render("bazaar", "bad.txt", {})
    finally:
        markup.engine.cache_clear()


@pytest.mark.parametrize("slug", ["ozon", "wildberries", "yandex_market", "aliexpress"])
def test_every_letter_of_every_shipped_marketplace_is_whole(agent: User, slug: str) -> None:
    call_command("load_directory", verbosity=0)
    place = Marketplace.objects.get(slug=slug)
    shop = Shop.objects.create(name="Чай", marketplace=place, legal_name="ООО «Пример»")
    channel = Channel.objects.usable_by_sellers().filter(marketplace=place).order_by("position").first()
    facts: dict[str, Any] = {"subject": "Нет выплаты", "channel": channel, "amount_at_stake": Decimal(100)}
    appeal = lifecycle.create(actor=agent, now=SENT, shop=shop, **facts)
    appeal = lifecycle.submit(appeal=appeal, actor=agent, now=SENT)
    for kind in Kind:
        for language in letters.languages(appeal, kind):
            found = letter(appeal, kind, language=language)
            assert "Нет выплаты" in found.plain or kind == Kind.FAS
            assert not re.search(r"\[\w+(\.\w+)*\?\]|\{%|\{\{|None", found.text), found.text
            in_word(found)
        if kind in LEGAL:
            step = EscalationStep.objects.get(marketplace=place, letter=kind)
            assert step.text("name", "ru") in found.text
            assert f"{step.source.split(',')[0]}: " in found.text
            assert place.legal_entity in found.plain
    assert translation.get_language() == "ru"
