"""Letters on the page of an appeal, and what the escalation dialog says a step needs."""

from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from appeals import attachments, escalation, lifecycle
from appeals.letters import Kind
from appeals.models import Appeal, Event, Shop
from hub.models import User
from marketplaces.models import Channel, EscalationStep, ResponseTarget, Source, Topic
from tests.appeals.conftest import moscow

pytestmark = pytest.mark.django_db

LATE = moscow("2026-10-13 09:00")


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def ours(agent: User) -> Client:
    agent.language = "ru"
    agent.save()
    agent.groups.add(Group.objects.get(name="agent"))
    return client_of(agent)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def url(appeal: Appeal, kind: str, query: str = "") -> str:
    return f"/admin/appeals/appeal/{appeal.pk}/letter/{kind}/{query}"


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def test_the_page_offers_what_the_state_asks_for_first(ours: Client, sent: Appeal) -> None:
    html = read(ours, sent.get_absolute_url())
    card = html[html.index('id="letters-title"') :].split("</section>")[0]
    fit, others = card.split("<details>")
    assert url(sent, "follow_up") in fit
    assert all(url(sent, kind) in others for kind in Kind.values if kind != "follow_up")


@pytest.mark.parametrize("kind", Kind.values)
def test_a_letter_is_shown_to_be_copied_with_what_is_missing(ours: Client, sent: Appeal, kind: str) -> None:
    html = read(ours, url(sent, kind))
    assert "data-copy=" in html
    assert "Это черновик: перед отправкой его должен проверить человек" in html
    assert f"{url(sent, kind)}?language=ru&amp;as=docx" in html
    assert "Не хватает" in html


def test_each_missing_field_leads_to_where_it_is_entered(ours: Client, sent: Appeal, shop: Shop) -> None:
    html = read(ours, url(sent, "claim"))
    assert f'<a href="/admin/appeals/shop/{shop.pk}/change/" target="_blank">укажите в карточке магазина</a>' in html
    assert f"/admin/appeals/appeal/{sent.pk}/change/?edit=1" in html
    assert "Скопируйте или скачайте письмо и впишите:" in html
    assert "<li>пункт договора или закона, который нарушен</li>" in html


def test_what_is_still_to_be_written_is_marked_and_what_is_copied_is_plain(ours: Client, sent: Appeal) -> None:
    Appeal.objects.update(body="Списано <i>12</i> ₽")
    html = read(ours, url(sent, "claim"))
    letter = html[html.index('id="letter"') :].split("</div>")[0]
    assert "<mark>[пункт договора или закона, который нарушен: впишите в само письмо]</mark>" in letter
    assert "&lt;i&gt;12&lt;/i&gt;" in letter
    assert "mark>" not in html.split('data-copy="')[1].split('"')[0]


def test_what_is_not_confirmed_names_its_source_by_title(ours: Client, sent: Appeal) -> None:
    Source.objects.create(key="S7", title="Памятка продавцам", title_en="A note", published="2024", grade="D")
    sent.deadlines.update(source="S7")
    ResponseTarget.objects.update(source="S7", source_grade="D")
    page = read(ours, url(sent, "claim"))
    box = page[page.index("hub-finding hub-warning") : page.index('id="letter"')]
    assert "<li>Срок первого ответа, источник: S7" in box
    assert "<li>Срок ответа по существу, источник: S7" in box
    assert box.count("<li>S7: Памятка продавцам") == 1
    assert "надёжность D: анонимная статья" in box


def test_what_people_typed_does_no_harm_on_the_page(ours: Client, sent: Appeal) -> None:
    Appeal.objects.update(body="<script>alert(1)</script>", subject='"><img src=x onerror=alert(1)>')
    html = read(ours, url(sent, "claim"))
    assert "<script>alert" not in html
    assert "<img src=x" not in html


def test_it_is_saved_as_a_word_file(ours: Client, sent: Appeal) -> None:
    answer: Any = ours.get(url(sent, "claim", "?as=docx"))
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    document = docx.Document(BytesIO(b"".join(answer.streaming_content)))
    answer.close()
    assert any("ПРЕТЕНЗИЯ" in paragraph.text for paragraph in document.paragraphs)


def test_a_follow_up_is_read_in_english_too(ours: Client, sent: Appeal) -> None:
    html = read(ours, url(sent, "follow_up"))
    assert f"{url(sent, 'follow_up')}?language=en" in html
    assert "Hello," in read(ours, url(sent, "follow_up", "?language=en"))
    assert "?language=en" not in read(ours, url(sent, "claim"))


def test_a_letter_is_kept_among_the_files_of_the_appeal(ours: Client, sent: Appeal) -> None:
    answer = ours.post(url(sent, "claim"), headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == sent.get_absolute_url()
    kept = sent.attachments.get()
    assert kept.name.startswith("Претензия, №")
    assert kept.content_type.endswith("wordprocessingml.document")
    assert sent.events.filter(kind=Event.Kind.ATTACHED).count() == 1
    assert kept.name in read(ours, sent.get_absolute_url())


def test_it_says_why_a_letter_cannot_be_kept(ours: Client, sent: Appeal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_FILES", 0)
    answer = ours.post(url(sent, "claim"))
    assert answer.status_code == 200
    assert "0" in answer.content.decode().split('role="alert">')[1].split("<")[0]
    assert not sent.attachments.exists()


@pytest.mark.parametrize("query", ["poem/", "claim/?language=en", "claim/?language=xx"])
def test_a_letter_that_nobody_wrote_is_not_there(ours: Client, sent: Appeal, query: str) -> None:
    assert ours.get(f"/admin/appeals/appeal/{sent.pk}/letter/{query}").status_code == 404


def test_somebody_of_another_team_finds_nothing(sent: Appeal) -> None:
    stranger = User.objects.create_user("outsider@example.com")
    stranger.groups.add(Group.objects.get(name="agent"))
    outside = client_of(stranger)
    for address in (url(sent, "claim"), url(sent, "claim", "?as=docx")):
        assert outside.get(address).status_code == 404
        assert outside.post(address).status_code == 404
    assert Client().get(url(sent, "claim")).status_code == 302
    assert not sent.attachments.exists()


# The escalation dialog


@pytest.fixture
def court(steps: list[EscalationStep], desk: Channel) -> EscalationStep:
    """A suit, which the claim must come before."""
    complaint, claim = steps[2], steps[3]
    claim.letter, claim.name, claim.attach = Kind.CLAIM, "Претензия", "Расчёт и переписку."
    claim.channel = desk
    claim.save()
    Channel.objects.update(address="https://chat.example/")
    court = EscalationStep.objects.create(
        marketplace=claim.marketplace, key="court", position=9, name="Иск", takes_place="court", source="test"
    )
    court.requires.set([complaint, claim])
    return court


def dialog(client: Client, appeal: Appeal) -> str:
    return read(client, f"/admin/appeals/appeal/{appeal.pk}/do/escalate/")


def test_a_step_shows_its_letter_and_its_channel(ours: Client, sent: Appeal, court: EscalationStep) -> None:
    html = dialog(ours, sent)
    assert f'<a href="{url(sent, "claim")}" data-dialog>Претензия</a>' in html
    assert "<i>Где:</i> Чат, " in html or "<i>Куда:</i> Чат, " in html
    assert (
        '<a href="https://chat.example/" target="_blank" rel="noopener noreferrer">https://chat.example/</a>' in html
    )
    assert "<i>Приложить:</i> Расчёт и переписку." in html


def test_a_letter_says_where_it_goes_and_notes_that_its_step_is_taken(
    ours: Client, sent: Appeal, agent: User, court: EscalationStep
) -> None:
    def note() -> str:
        return read(ours, url(sent, "claim")).split('id="note-sent" href="')[1].split('"')[0]

    claim = EscalationStep.objects.get(letter=Kind.CLAIM)
    place = read(ours, url(sent, "claim")).split('id="place">')[1].split("</p>")[0]
    assert "Куда отправить: Чат" in place
    assert 'href="https://chat.example/"' in place
    assert note() == f"/admin/appeals/appeal/{sent.pk}/do/escalate/?step={claim.pk}"
    assert ours.get(note()).context["form"]["step"].value() == claim.pk
    lifecycle.escalate(appeal=sent, actor=agent, now=LATE, step=claim)
    assert note() == f"/admin/appeals/appeal/{sent.pk}/do/message/"
    lifecycle.resolve(appeal=sent, actor=agent, now=LATE, outcome="refused")
    assert 'id="note-sent"' not in read(ours, url(sent, "claim"))


def test_a_letter_that_is_no_step_goes_where_the_appeal_went(ours: Client, sent: Appeal, desk: Channel) -> None:
    Appeal.objects.update(channel=desk)
    assert "Куда отправить: Чат" in read(ours, url(sent, "stock_reply"))
    assert 'id="place"' not in read(ours, url(sent, "fas"))


@pytest.mark.parametrize("step", ["x", "0", "9" * 30, ""])
def test_an_address_that_names_no_step_proposes_the_next_one(
    ours: Client, sent: Appeal, court: EscalationStep, step: str
) -> None:
    form = ours.get(f"/admin/appeals/appeal/{sent.pk}/do/escalate/?step={step}").context["form"]
    assert form["step"].value() == lifecycle.next_step(sent).pk  # type: ignore[union-attr]


def test_what_is_to_be_attached_and_is_not_there_is_said(
    ours: Client, sent: Appeal, agent: User, court: EscalationStep
) -> None:
    Appeal.objects.update(body="Прошу вернуть 500 рублей, удержанные 12.10.2026.", desired_outcome="Вернуть")
    Topic.objects.update(required=[Topic.Required.EVIDENCE])
    assert "<i>Проверьте обращение:</i>" in dialog(ours, sent)
    file = SimpleUploadedFile("a.txt", b"text")
    lifecycle.attach(appeal=sent, actor=agent, now=LATE, file=file, name="a.txt")
    assert "<i>Проверьте обращение:</i>" not in dialog(ours, sent)


def test_a_suit_says_that_the_claim_comes_first(ours: Client, sent: Appeal, court: EscalationStep) -> None:
    html = dialog(ours, sent)
    assert "<i>Сначала:</i> «complaint» (здесь этот шаг не отмечен); «Претензия» (здесь этот шаг не отмечен)." in html


def test_what_must_come_first_is_taken_and_its_term_is_over(
    sent: Appeal, agent: User, steps: list[EscalationStep], court: EscalationStep
) -> None:
    def names(now: str) -> list[tuple[str, bool]]:
        found = escalation.unmet(sent, [court], moscow(now))[court.pk]
        return [(one.step.name, one.due_at is not None) for one in found]

    assert names("2026-10-13 09:00") == [("complaint", False), ("Претензия", False)]
    lifecycle.escalate(appeal=sent, actor=agent, now=LATE, step=steps[2])
    assert names("2026-10-14 09:00") == [("complaint", True), ("Претензия", False)]
    assert names("2026-10-30 09:00") == [("Претензия", False)]
    lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-30 10:00"), step=steps[3])
    assert names("2026-10-31 09:00") == [("Претензия", True)]
    assert names("2026-12-10 09:00") == []


def test_a_step_of_an_earlier_appeal_of_the_matter_counts(
    sent: Appeal, agent: User, shop: Shop, steps: list[EscalationStep], court: EscalationStep
) -> None:
    lifecycle.escalate(appeal=sent, actor=agent, now=LATE, step=steps[3])
    again = lifecycle.create(actor=agent, now=LATE, shop=shop, subject="Again", previous=sent)
    left = escalation.unmet(again, [court], moscow("2026-12-10 09:00"))[court.pk]
    assert [one.step.name for one in left] == ["complaint"]


def test_the_dialog_asks_no_question_for_each_step(
    ours: Client, sent: Appeal, court: EscalationStep, django_assert_max_num_queries: Any
) -> None:
    dialog(ours, sent)
    with django_assert_max_num_queries(40) as before:
        dialog(ours, sent)
    for number in range(10):
        EscalationStep.objects.create(
            marketplace=court.marketplace, position=20 + number, name=f"{number}", letter=Kind.CLAIM, source="test"
        ).requires.set([court])
    with django_assert_max_num_queries(len(before)):
        dialog(ours, sent)
