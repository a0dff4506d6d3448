"""What happened is kept as data: each reader reads it in their own language, whoever did it in whichever."""

from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import translation
from docx import Document

from appeals import evidence, lifecycle, recompute, story
from appeals.models import Appeal, Event
from hub.models import ApiToken, User
from hub.trail import reading
from marketplaces.citing import Citations
from marketplaces.models import EscalationStep, ResponseTarget, Source, Topic

from .conftest import SENT, moscow

PROMISED = {
    "ru": "тема «Финансы», Базар, 3\u00a0рабочих дня, источник: S2: Правила для продавцов (надёжность A)",
    "en": "topic Finance, Bazaar, 3\u00a0working days, from S2: Terms for sellers (grade A)",
}
STEP = {"ru": "Жалоба: 15\u00a0календарных дней", "en": "Complaint: 15\u00a0calendar days"}
EDITED = {
    "ru": [
        "Тема: Финансы → —",
        "Приоритет: обычный → срочный",
        "Сложный случай: нет → да",
        "Деньги на кону, ₽: — → 1 250,50 ₽",
    ],
    "en": [
        "Topic: Finance → —",
        "Priority: normal → urgent",
        "Complex case: no → yes",
        "Money at stake, roubles: — → 1,250.50 ₽",
    ],
}
BOTH = pytest.mark.parametrize(("actor", "reader"), [("ru", "en"), ("en", "ru")])


@pytest.fixture(autouse=True)
def source(finance: Topic) -> Source:
    ResponseTarget.objects.filter(topic=finance).update(source="S2")
    return Source.objects.create(key="S2", title="Правила для продавцов", title_en="Terms for sellers", grade="A")


@pytest.fixture
def complaint(steps: list[EscalationStep]) -> EscalationStep:
    steps[2].name, steps[2].name_en = "Жалоба", "Complaint"
    steps[2].save()
    return steps[2]


def told(event: Event) -> list[str]:
    return list(story.details(event, Citations()))


@BOTH
def test_a_promise_is_said_to_the_reader(draft: Appeal, agent: User, actor: str, reader: str) -> None:
    with translation.override(actor):
        sent = lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    with translation.override(reader):
        assert told(sent.events.get(kind="submitted"))[-1].endswith(f"({PROMISED[reader]})")


@BOTH
def test_the_term_of_a_step_is_said_to_the_reader(
    sent: Appeal, complaint: EscalationStep, agent: User, actor: str, reader: str
) -> None:
    with translation.override(actor):
        sent = lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-12 10:00"), step=complaint)
    with translation.override(reader):
        assert told(sent.events.get(kind="escalated"))[-1].endswith(f"({STEP[reader]})")


@BOTH
def test_a_promise_that_moved_by_the_directory_is_said_to_the_reader(
    sent: Appeal, finance: Topic, agent: User, actor: str, reader: str
) -> None:
    ResponseTarget.objects.filter(topic=finance).update(amount=1)
    with translation.override(actor):
        recompute.apply(now=SENT + timedelta(hours=1), actor=agent)
    ResponseTarget.objects.filter(topic=finance).delete()
    with translation.override(reader):
        (line,) = told(sent.events.get(kind="deadline"))
    said = {"ru": "тема «Финансы», Базар, 1\u00a0рабочий день", "en": "topic Finance, Bazaar, 1\u00a0working day"}
    assert said[reader] in line


@BOTH
def test_an_edit_is_said_to_the_reader_on_the_timeline_and_in_the_trail(
    draft: Appeal, agent: User, actor: str, reader: str
) -> None:
    given = {"topic": None, "priority": "urgent", "is_complex": True, "amount_at_stake": "1250.50"}
    with translation.override(actor):
        lifecycle.edit(appeal=draft, actor=agent, now=SENT, **given)
    with translation.override(reader):
        (line,) = (one for one in reading.lines(agent, reading.Asked(kind="appeals")) if one.details)
        assert told(draft.events.get(kind="edited")) == line.details
        assert [one.replace("\u00a0", " ") for one in line.details] == EDITED[reader]


@BOTH
def test_programs_are_told_in_the_callers_language(draft: Appeal, agent: User, actor: str, reader: str) -> None:
    with translation.override(actor):
        lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    User.objects.filter(pk=agent.pk).update(language=reader)
    _token, secret = ApiToken.objects.create(user=agent)
    answer = Client().get(
        f"/api/v1/appeals/{draft.pk}/events/",
        headers={"Authorization": f"Bearer {secret}", "Accept-Language": reader},
    )
    change = answer.json()["results"][-1]["data"]["deadlines"][-1]
    assert change["why"] == PROMISED[reader]
    assert change["promise"]["topic"] == {"ru": "Финансы", "en": "Finance"}[reader]
    assert (change["promise"]["amount"], change["promise"]["unit"]) == (3, "working_days")


def test_a_pack_for_a_lawyer_says_it_in_russian_whoever_did_it(draft: Appeal, agent: User) -> None:
    with translation.override("en"):
        sent = lifecycle.submit(appeal=draft, actor=agent, now=SENT)
        file = BytesIO()
        evidence.write([sent], file)
    tables = Document(BytesIO(ZipFile(file).read("chronology.docx"))).tables
    text = "\n".join(cell.text for table in tables for row in table.rows for cell in row.cells)
    assert PROMISED["ru"] in text
    assert "3\u00a0рабочих дня (S2: Правила для продавцов (надёжность A))" in text


@BOTH
def test_what_was_noted_before_keeps_its_sentence(sent: Appeal, agent: User, actor: str, reader: str) -> None:
    due = moscow("2026-10-09 00:00").isoformat()
    old = {"kind": "answer", "change": "started", "due_at": due, "why": PROMISED[actor]}
    bare = {"kind": "answer", "change": "paused", "due_at": due, "why": ""}
    data = {"deadlines": [old, bare], "changed": {"topic": [None, "Финансы"]}}
    event = Event.objects.create(appeal=sent, kind="edited", at=SENT, recorded_at=SENT, actor=agent, data=data)
    with translation.override(reader):
        edit, first, second = told(event)
        assert story.in_reader_language(data, Citations()) == data
    assert edit.endswith(": — → Финансы")
    assert first.endswith(f"({PROMISED[actor]})")
    assert "(" not in second


@BOTH
def test_the_page_names_the_source_of_a_clock_by_its_key_and_says_below_what_it_is(
    draft: Appeal, agent: User, actor: str, reader: str
) -> None:
    with translation.override(actor):
        sent = lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    User.objects.filter(pk=agent.pk).update(language=reader)
    agent.groups.add(Group.objects.get(name="agent"))
    client = Client()
    client.force_login(agent)
    page = client.get(sent.get_absolute_url())
    title = PROMISED[reader].split("S2: ")[1].split(" (")[0]
    html, clocks = page.content.decode(), page.context["clocks"]
    assert ("S2", title) in [(one.short, one.full[4:].split(" (")[0]) for clock in clocks for one in clock.sources]
    assert f'<li id="source-S2">S2: {title}' in html
    timeline = html[html.index("hub-timeline") : html.index('id="clocks-title"')]
    assert "S2)" in timeline
    assert title not in timeline


def test_a_row_of_the_team_says_who_entered_it_in_the_language_of_the_reader() -> None:
    cite = Citations()
    with translation.override("en"):
        assert cite("запись: Анна Петрова") == "entered by Анна Петрова"
        assert cite("our own rule") == "our own rule"
    with translation.override("ru"):
        assert cite("entered by agent@example.com") == "запись: agent@example.com"
