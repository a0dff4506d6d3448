"""What a text lacks before it is sent. The directory's own topics say what they need."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from appeals import lifecycle
from appeals.models import Appeal, Shop
from appeals.review import Facts, Finding, Severity, review
from hub.models import User
from marketplaces.models import Channel, Marketplace, Topic
from tests.appeals.conftest import SENT, moscow

GOOD = (
    "12.10.2026 заказ 12345678-0001-1 был вручён покупателю, но выплата за него не поступила."
    " В отчёте о реализации № 15 его нет. Прошу перечислить 1 500 рублей."
)


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def topic(market: Marketplace) -> Topic:
    return Topic.objects.create(slug="parcels", name="Посылки", name_en="Parcels", source="test")


@pytest.fixture
def facts(shop: Shop, topic: Topic) -> Facts:
    return Facts(shop=shop, topic=topic, subject="Не поступила выплата", body=GOOD, desired_outcome="Выплатить")


def needing(facts: Facts, *required: str, **changes: Any) -> Facts:
    assert facts.topic
    facts.topic.required = list(required)
    return replace(facts, **changes)


def found(facts: Facts, agent: User, at: str = "2026-10-12 12:00") -> dict[str, Finding]:
    return {one.code: one for one in review(facts, reader=agent, now=moscow(at))}


def marked(facts: Facts, finding: Finding) -> str:
    assert finding.place
    start, end = finding.place
    return str(getattr(facts, finding.field)[start:end])


def test_a_good_text_has_no_findings(facts: Facts, agent: User) -> None:
    everything = needing(
        facts, "order_number", "dates", "desired_outcome", "report_number", "evidence", has_files=True
    )
    assert found(everything, agent) == {}


def test_an_empty_form_lacks_subject_and_text_and_says_no_more(shop: Shop, agent: User) -> None:
    assert set(found(Facts(shop=shop), agent)) == {"empty_subject", "empty_body"}


def test_to_a_phone_nothing_is_written(facts: Facts, desk: Channel, agent: User) -> None:
    desk.kind = "phone"
    assert "empty_body" not in found(replace(facts, body="", channel=desk), agent)


@pytest.mark.parametrize(
    ("need", "field", "mended"),
    [
        ("order_number", "order_numbers", "Заказ 1234567890"),
        ("product_code", "product_codes", "Артикул продавца: TEA-100"),
        ("product_code", "product_codes", "https://www.ozon.ru/product/chai-123456"),
        ("report_number", "body", "в отчёте № 15"),
        ("api_request", "body", "POST /v3/posting/fbs/list в 12:03"),
    ],
)
def test_what_the_topic_needs_stands_in_its_field_or_in_the_text(
    need: str, field: str, mended: str, facts: Facts, agent: User
) -> None:
    code = f"no_{need}"
    bare = needing(facts, need, body="Прошу разобраться, выплаты нет.", subject="Нет выплаты")
    finding = found(bare, agent)[code]
    assert (finding.severity, finding.field) == (Severity.ERROR, field)
    assert finding.mend
    assert code not in found(replace(bare, body=f"Прошу разобраться. {mended}."), agent)
    if field in ("order_numbers", "product_codes"):
        given: dict[str, Any] = {field: ["AB-1"]}
        assert code not in found(replace(bare, **given), agent)
    assert code not in found(needing(bare), agent)


def test_a_mobile_phone_is_no_order_number(facts: Facts, agent: User) -> None:
    bare = needing(facts, "order_number", body="Прошу позвонить: 89161234567 или +79161234567.")
    assert "no_order_number" in found(bare, agent)


@pytest.mark.parametrize(
    ("text", "dated"),
    [
        ("Это было 12.10.2026.", True),
        ("Это было 5.10.", True),
        ("Это было 2026-10-12.", True),
        ("Это было 3 октября.", True),
        ("Выплата за сентябрь не пришла.", True),
        ("Мы отправили вчера.", True),
        ("Сумма 1500.50 рублей, версия 2.14.33.", False),
        ("Мы ждём давно, в маршруте ошибка.", False),
    ],
)
def test_dates(text: str, dated: bool, facts: Facts, agent: User) -> None:
    undated = needing(facts, "dates", body=f"Прошу разобраться. {text}")
    assert ("no_dates" not in found(undated, agent)) is dated
    if not dated:
        assert found(undated, agent)["no_dates"].severity == Severity.WARNING
        assert found(needing(undated), agent)["no_dates"].severity == Severity.HINT


def test_evidence_is_asked_for_where_the_topic_asks_or_the_text_speaks_of_it(facts: Facts, agent: User) -> None:
    assert found(needing(facts, "evidence"), agent)["no_evidence"].field == "attachments"
    assert "no_evidence" not in found(needing(facts, "evidence", has_files=True), agent)
    assert "no_evidence" not in found(needing(facts), agent)
    assert "no_evidence" in found(needing(facts, body=f"{GOOD} Скриншот прилагаю."), agent)


def test_the_wished_outcome_stands_in_its_field_or_as_a_request(facts: Facts, agent: User) -> None:
    silent = needing(facts, "desired_outcome", desired_outcome="", body="12.10.2026 выплата за заказ не пришла.")
    assert found(silent, agent)["no_desired_outcome"].severity == Severity.WARNING
    assert found(needing(silent), agent)["no_desired_outcome"].severity == Severity.HINT
    assert "no_desired_outcome" not in found(replace(silent, body=GOOD), agent)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Где деньги?!!", "?!!"),
        ("Верните!!! Ждём", "!!!"),
        ("Когда же ГДЕ МОИ ДЕНЬГИ, верните", "ГДЕ МОИ ДЕНЬГИ"),
        ("ВЕРНИТЕ ДЕНЬГИ", "ВЕРНИТЕ ДЕНЬГИ"),
    ],
)
def test_shouting_is_marked(text: str, place: str, facts: Facts, agent: User) -> None:
    loud = replace(facts, body=f"{GOOD} {text}")
    finding = found(loud, agent)["shouting"]
    assert (finding.severity, finding.field, marked(loud, finding)) == (Severity.WARNING, "body", place)


@pytest.mark.parametrize(
    "text", ["ООО «РОМАШКА И КО», ИНН 7700000000", "ИП ИВАНОВ ИВАН ИВАНОВИЧ", "FBO и FBS, SKU ABC", "ЭДО, УПД", "Ура!"]
)
def test_names_and_abbreviations_are_no_shouting(text: str, facts: Facts, agent: User) -> None:
    assert "shouting" not in found(replace(facts, body=f"{GOOD} {text}"), agent)


def test_abuse_is_marked_by_its_severity(facts: Facts, agent: User) -> None:
    abusive = replace(facts, subject="Пиздец", body=f"{GOOD} Вы мошенники.")
    obscene, insult = found(abusive, agent)["obscene"], found(abusive, agent)["insult"]
    assert (obscene.severity, obscene.field, marked(abusive, obscene)) == (Severity.ERROR, "subject", "Пиздец")
    assert (insult.severity, insult.field, marked(abusive, insult)) == (Severity.WARNING, "body", "мошенники")
    assert next(iter(review(abusive, reader=agent, now=SENT))).severity == Severity.ERROR


def test_each_abusive_word_is_named_once(facts: Facts, agent: User) -> None:
    abusive = replace(facts, body=f"{GOOD} Вы мошенники. Вы воры! Вы мошенники.")
    said = [one.message for one in review(abusive, reader=agent, now=SENT) if one.code == "insult"]
    assert [message.split("”")[0] for message in said] == ["“мошенники", "“воры"]


@pytest.mark.parametrize("number", ["Отчёт о реализации № 1234567", "по обращению №12345678", "ИНН 7701234567"])
def test_a_number_of_something_else_is_no_order_number(facts: Facts, agent: User, finance: Topic, number: str) -> None:
    finance.required = ["order_number"]
    told = replace(facts, topic=finance, order_numbers=[], subject="Выплата", body=f"Нет выплаты, {number}.")
    assert "no_order_number" in found(told, agent)
    order = replace(told, body=f"Нет выплаты. {number}, заказ 12345678-0001-1.")
    assert "no_order_number" not in found(order, agent)


@pytest.mark.parametrize(
    ("text", "several"),
    [
        ("И ещё один вопрос: когда будет акт?", True),
        ("Кроме того, прошу разблокировать карточку.", True),
        ("1. Почему нет выплаты?\n2. Когда разблокируют карточку?", True),
        ("Что было:\n1. Отгрузили товар.\n2. Сдали на склад.\n3. Выплаты нет.", False),
        ("Прошу: 1) выплатить, 2) подтвердить.", False),
    ],
)
def test_several_matters(text: str, several: bool, facts: Facts, agent: User) -> None:
    finding = found(replace(facts, body=f"{GOOD}\n{text}"), agent).get("several_matters")
    assert (finding is not None) is several
    assert finding is None or (finding.severity == Severity.WARNING and finding.place)


def test_a_long_text_is_marked_from_where_it_gets_long(facts: Facts, agent: User) -> None:
    finding = found(replace(facts, body=f"{GOOD} {'слово ' * 600}"), agent)["too_long"]
    assert (finding.severity, finding.place and finding.place[0]) == (Severity.HINT, 3000)


def test_the_earlier_number_is_quoted(facts: Facts, sent: Appeal, agent: User) -> None:
    sent.external_number = "7-1234"
    again = replace(facts, previous=sent)
    assert "7-1234" in found(again, agent)["previous_not_quoted"].mend
    assert "previous_not_quoted" not in found(replace(again, body=f"{GOOD} Наш номер 7-1234."), agent)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (("state", "dead"), ("channel_dead", "error")),
        (("state", "historic"), ("channel_dead", "error")),
        (("state", "disputed"), ("channel_disputed", "warning")),
        (("audience", "buyers"), ("channel_for_others", "error")),
        (("kind", "help_centre"), ("channel_is_read", "warning")),
    ],
)
def test_a_channel_that_is_wrong(
    wrong: tuple[str, str], expected: tuple[str, str], facts: Facts, desk: Channel, agent: User
) -> None:
    setattr(desk, *wrong)
    [finding] = found(replace(facts, channel=desk), agent).values()
    assert (finding.code, finding.severity, finding.field) == (*expected, "channel")


def test_a_channel_for_other_topics(facts: Facts, desk: Channel, finance: Topic, agent: User) -> None:
    assert found(replace(facts, channel=desk), agent) == {}
    desk.topics.add(finance)
    assert "Finance" in found(replace(facts, channel=desk), agent)["channel_other_topics"].message
    assert "channel_other_topics" not in found(replace(facts, channel=desk, topic=finance), agent)


def test_a_closed_channel_says_when_it_opens(facts: Facts, desk: Channel, agent: User) -> None:
    night = "2026-10-12 23:00"
    finding = found(replace(facts, channel=desk), agent, night)["channel_closed"]
    assert finding.severity == Severity.WARNING
    assert "09:00" in finding.message
    desk.kind = "email"
    assert found(replace(facts, channel=desk), agent, night)["channel_closed"].severity == Severity.HINT
    desk.opening_hours = ""
    assert "channel_closed" not in found(replace(facts, channel=desk), agent, night)


def submitted(shop: Shop, actor: User, **fields: Any) -> Appeal:
    appeal = lifecycle.create(actor=actor, now=SENT, shop=shop, **{"subject": "Не поступила выплата", **fields})
    return lifecycle.submit(appeal=appeal, actor=actor, now=SENT, external_number="Z-9")


def test_the_same_text_was_sent_already(facts: Facts, shop: Shop, agent: User) -> None:
    first = submitted(shop, agent, body=GOOD)
    for body in (GOOD, GOOD.upper(), f"Здравствуйте! {GOOD}"):
        finding = found(replace(facts, body=body), agent)["sent_before"]
        assert (finding.severity, finding.field) == (Severity.WARNING, "body")
        assert f"No. {first.pk}, 5 October, 10:00" in finding.message
        assert finding.appeal == first.pk
        assert "Z-9" in finding.mend
    quoting = replace(facts, body=f"{GOOD} Наш номер Z-9 остался без ответа.")
    assert "sent_before" not in found(quoting, agent)
    assert "sent_before" not in found(replace(facts, pk=first.pk), agent)
    late = "2026-10-20 12:00"
    assert "sent_before" not in found(facts, agent, late)


def test_the_same_words_on_another_order_are_another_matter(facts: Facts, shop: Shop, agent: User) -> None:
    submitted(shop, agent, body=GOOD)
    other = replace(facts, body=GOOD.replace("12345678-0001-1", "87654321-0002-2"))
    assert "sent_before" not in found(other, agent)
    assert "sent_before" not in found(replace(facts, body="Совсем другой текст о другом деле."), agent)


def test_a_draft_and_what_others_sent_are_not_compared_with(facts: Facts, shop: Shop, agent: User) -> None:
    lifecycle.create(actor=agent, now=SENT, shop=shop, subject=facts.subject, body=GOOD)
    assert "sent_before" not in found(facts, agent)
    submitted(shop, agent, body=GOOD)
    outsider = User.objects.create_user("outsider@example.com")
    assert "sent_before" not in found(facts, outsider)


def test_the_same_text_from_another_shop_is_no_repeat_but_worth_a_hint(
    facts: Facts, market: Marketplace, agent: User
) -> None:
    other = Shop.objects.create(name="Rugs", marketplace=market)
    other.members.add(agent)
    submitted(other, agent, body=GOOD)
    assert found(facts, agent)["sent_before"].severity == Severity.HINT


def test_it_reads_little_however_much_there_is(facts: Facts, shop: Shop, desk: Channel, agent: User) -> None:
    for number in range(12):
        submitted(shop, agent, body=f"{GOOD} Дело {number}.", order_numbers=[f"1000000{number}"])
    found(facts, agent)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found(replace(facts, channel=desk, body=GOOD), agent)
    assert len(queries) <= 2


def test_a_saved_appeal_is_reviewed_as_it_is(sent: Appeal, agent: User) -> None:
    lifecycle.attach(appeal=sent, actor=agent, now=SENT, file=ContentFile(b"text", name="a.txt"), name="a.txt")
    facts = Facts.of(sent)
    assert facts.has_files
    assert (facts.pk, facts.subject) == (sent.pk, "Where is the money?")


@pytest.mark.postgres
def test_on_postgresql_repeats_are_found_too(facts: Facts, shop: Shop, agent: User) -> None:
    submitted(shop, agent, body=GOOD)
    assert "sent_before" in found(facts, agent)


def test_the_good_examples_of_the_shipped_directory_are_themselves_clean(shop: Shop, agent: User) -> None:
    """What the directory advises must not be what the review complains of."""
    call_command("load_directory", verbosity=0)
    for topic in Topic.objects.exclude(good_appeal=""):
        codes = set(found(Facts(shop=shop, subject=topic.name, body=topic.good_appeal), agent))
        assert not codes & {"obscene", "insult", "shouting", "several_matters", "too_long"}, topic.slug
