"""The mail: what it says, to whom it looks right, and what a mail program makes of its headers."""

import email
import re
from datetime import datetime

import pytest
from django.core.mail import EmailMultiAlternatives
from pytest_django.fixtures import Settings

from appeals import digest, lifecycle, reminders
from appeals.models import Appeal, Reminder, Shop
from appeals.recipients import Recipient
from hub.models import User
from marketplaces.models import Channel, EscalationStep, Marketplace, Source, Topic
from tests.appeals.conftest import SENT, moscow

pytestmark = pytest.mark.django_db

LATE = moscow("2026-10-13 09:00")  # two working days after Thursday 8 October, Friday and Monday


@pytest.fixture
def steps(steps: list[EscalationStep], desk: Channel) -> list[EscalationStep]:
    steps[1].channel, steps[1].name, steps[1].name_en = desk, "Написать ещё раз", "Write again"
    steps[1].save()
    return steps


def mail_of(user: User, now: datetime = LATE) -> EmailMultiAlternatives:
    reminders.sweep(now)
    rows = Reminder.objects.filter(state=Reminder.State.PENDING, address=user.email).select_related(
        "deadline__step", "deadline__appeal__shop__marketplace", "deadline__appeal__topic"
    )
    recipient = Recipient(address=user.email, role=Reminder.Role.ASSIGNEE, user=user)
    return digest.compose(recipient, list(rows), digest.message_id(rows), now)


def html_of(mail: EmailMultiAlternatives) -> str:
    return str(mail.alternatives[0][0])


def speaking(user: User, language: str, zone: str = "Europe/Moscow") -> User:
    user.language, user.time_zone = language, zone
    user.save()
    return user


def another(appeal: Appeal, agent: User, **fields: object) -> Appeal:
    values = {"topic": appeal.topic, "subject": "And the parcel?", "assignee": agent, "shop": appeal.shop} | fields
    other = lifecycle.create(actor=agent, now=SENT, **values)  # type: ignore[arg-type]
    return lifecycle.submit(appeal=other, actor=agent, now=SENT)


def test_it_says_in_russian_what_is_late_by_how_much_what_was_promised_and_what_comes_next(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    mail = mail_of(speaking(agent, "ru"))
    for text in (str(mail.body), html_of(mail)):
        assert f"№ {sent.pk}" in text
        assert "Where is the money?" in text
        assert "Нет ответа по существу: просрочено на 2\u00a0рабочих дня" in text
        assert "Обещано: 3\u00a0рабочих дня, до конца 8 октября. Источник: test." in text
        assert "Следующий шаг: Написать ещё раз" in text
        assert "Чат · открыто до 18:00" in text
        assert f"/admin/appeals/appeal/{sent.pk}/change/" in text
        assert "Europe/Moscow, UTC+3" in text


def test_a_source_is_named_by_its_title_in_the_language_of_the_mail(sent: Appeal, agent: User) -> None:
    Source.objects.create(key="test", title="Памятка без автора", title_en="A page without an author", grade="C")
    assert "Источник: test: Памятка без автора (надёжность C)." in str(mail_of(speaking(agent, "ru")).body)
    assert "Source: test: A page without an author (grade C)." in str(mail_of(speaking(agent, "en")).body)


def test_it_speaks_english_to_who_reads_english(sent: Appeal, agent: User, steps: list[EscalationStep]) -> None:
    body = str(mail_of(speaking(agent, "en")).body)
    assert "No answer: overdue by 2\u00a0working days" in body
    assert "Promised: 3\u00a0working days" in body
    assert "Next step: Write again" in body
    ours, _for_the_marketplace = body.split("----", maxsplit=1)
    assert not re.search("[а-яё]", ours, re.IGNORECASE)


def test_times_are_the_readers(sent: Appeal, agent: User) -> None:
    body = str(mail_of(speaking(agent, "ru", "Asia/Vladivostok")).body)
    assert "до 07:00 9 октября" in body
    assert "Asia/Vladivostok, UTC+10" in body


def test_two_clocks_of_one_appeal_are_one_section(sent: Appeal, agent: User) -> None:
    body = str(mail_of(speaking(agent, "ru")).body)
    assert body.count(f"№ {sent.pk}. ") == 1
    assert "Нет первого ответа: просрочено" in body
    assert "Нет ответа по существу: просрочено" in body


def test_a_mail_of_one_appeal_joins_its_thread(sent: Appeal, agent: User) -> None:
    headers = mail_of(agent).extra_headers
    assert headers["In-Reply-To"] == headers["References"] == f"<appeal.{sent.pk}@localhost>"


def test_its_identity_and_its_thread_are_ascii_where_the_senders_domain_is_not(
    sent: Appeal, agent: User, settings: Settings
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Хаб <hub@пример.рф>"
    read = email.message_from_bytes(mail_of(agent).message().as_bytes())
    assert read["References"] == f"<appeal.{sent.pk}@xn--e1afmkfd.xn--p1ai>"
    assert read["Message-ID"].endswith("@xn--e1afmkfd.xn--p1ai>")


def test_a_mail_of_several_appeals_starts_no_thread(sent: Appeal, agent: User) -> None:
    another(sent, agent)
    assert "References" not in mail_of(agent).extra_headers


def test_no_answering_machine_replies_to_it(sent: Appeal, agent: User) -> None:
    assert mail_of(agent).extra_headers["Auto-Submitted"] == "auto-generated"


def test_the_same_reminders_have_the_same_message_id_in_any_order(sent: Appeal, agent: User) -> None:
    another(sent, agent)
    reminders.sweep(LATE)
    rows = list(Reminder.objects.filter(state=Reminder.State.PENDING))
    assert digest.message_id(rows) == digest.message_id(rows[::-1])
    assert digest.message_id(rows) != digest.message_id(rows[1:])


def test_the_subject_of_one_appeal_names_it(sent: Appeal, agent: User) -> None:
    subject = str(mail_of(speaking(agent, "ru")).subject)
    assert subject.startswith(f"Базар, № {sent.pk}. ")
    assert "просрочено" in subject


@pytest.mark.parametrize(("count", "words"), [(2, "2 обращения ждут вас"), (5, "5 обращений ждут вас")])
def test_the_subject_of_several_counts_them(sent: Appeal, agent: User, count: int, words: str) -> None:
    for _number in range(count - 1):
        another(sent, agent)
    assert str(mail_of(speaking(agent, "ru")).subject).startswith(words)


def test_what_people_typed_does_no_harm(sent: Appeal, agent: User) -> None:
    Appeal.objects.update(subject="Line one\r\nBcc: all@example.com <img src=http://example.com/x>")
    mail = mail_of(agent)
    mail.message()
    assert "\n" not in str(mail.subject)
    assert "<img" not in html_of(mail)


def test_it_loads_nothing_from_anywhere(sent: Appeal, agent: User) -> None:
    html = html_of(mail_of(agent))
    assert not re.search(r"<(img|link|script|iframe)|url\(|src=", html)


def test_the_links_lead_to_the_next_deed(sent: Appeal, agent: User) -> None:
    body = str(mail_of(agent).body)
    assert f"/admin/appeals/appeal/{sent.pk}/do/record_reply/" in body
    assert f"/admin/appeals/appeal/{sent.pk}/do/snooze/?until=2026-10-14T09:00" in body


def test_a_question_asks_for_our_own_reply_and_proposes_no_escalation(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    asked = moscow("2026-10-06 10:00")
    lifecycle.record_reply(appeal=sent, actor=agent, now=asked, kind="question", text="Which order?")
    body = str(mail_of(speaking(agent, "ru"), moscow("2026-10-07 08:00")).body)
    assert "Ждут нашего ответа: осталось 2\u00a0ч" in body
    assert "/do/message/" in body
    assert "Следующий шаг" not in body
    assert "Здравствуйте" not in body


def test_the_follow_up_is_in_russian_and_names_the_promise(sent: Appeal, agent: User) -> None:
    Source.objects.create(key="test", title="Справка Базара", grade="A")
    Appeal.objects.update(external_number="12345678", order_numbers=["0001-0002"])
    body = str(mail_of(speaking(agent, "en")).body)
    assert "5 октября 2026 г. мы направили вам обращение № 12345678 «Where is the money?» (тема: Финансы)." in body
    assert "Срок ответа (3\u00a0рабочих дня) истёк 8 октября 2026 г." in body
    assert "Номера заказов: 0001-0002." in body


def test_urgent_comes_first_and_marketplaces_stay_together(sent: Appeal, agent: User, finance: Topic) -> None:
    other = Marketplace.objects.create(slug="fair", name="Ярмарка", name_en="Fair")
    finance.response_targets.create(marketplace=other, kind="answer", amount=1, unit="working_days", source="test")
    shop = Shop.objects.create(name="Fair shop", marketplace=other)
    shop.members.add(agent)
    another(sent, agent, subject="Fair one", shop=shop)
    another(sent, agent, subject="Burning", priority="urgent")
    body = str(mail_of(speaking(agent, "en")).body)
    places = [body.index(text) for text in ("Bazaar", "Burning", "Where is the money?", "Fair", "Fair one")]
    assert places == sorted(places)


def test_what_is_too_much_to_read_is_told_in_short(sent: Appeal, agent: User) -> None:
    for number in range(24):
        another(sent, agent, subject=f"Parcel {number}")
    body = str(mail_of(speaking(agent, "ru")).body)
    assert body.count("Нам ответили: ") == 20
    assert "Ещё ждут внимания" in body
    assert all(f"Parcel {number}" in body for number in range(24))


def test_the_end_of_the_path_is_said(sent: Appeal, agent: User) -> None:
    assert "Путь эскалации пройден до конца." in str(mail_of(speaking(agent, "ru")).body)


def test_it_says_what_was_promised_first_in_the_matter(sent: Appeal, agent: User) -> None:
    lifecycle.resolve(appeal=sent, actor=agent, now=moscow("2026-10-09 10:00"), outcome="ignored")
    again = another(sent, agent, subject="Once more", previous=sent)
    mail = mail_of(speaking(agent, "ru"))
    line = f"Впервые обещали ответить до конца 8 октября (№ {sent.pk}), просрочено на 2\u00a0рабочих дня"
    assert f"№ {again.pk}" in str(mail.body)
    assert line in str(mail.body)
    assert line in html_of(mail)
