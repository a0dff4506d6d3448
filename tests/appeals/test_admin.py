"""The workplace: logging an appeal, its page, its verbs, its lists; and outsiders, who get nothing."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from pytest_django import DjangoAssertNumQueries

from appeals import lifecycle, reminders, shops, story, timeline
from appeals.models import Appeal, Event, Membership, Reminder, ReminderRule, SavedView, Shop
from hub.models import User
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Topic

from .conftest import SENT, moscow

LIST = "admin:appeals_appeal_changelist"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"


def page(appeal: Appeal) -> str:
    return reverse("admin:appeals_appeal_change", args=[appeal.pk])


def verb(appeal: Appeal, name: str) -> str:
    return reverse("admin:appeals_appeal_verb", args=[appeal.pk, name])


def with_role(user: User, role: str) -> Client:
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def ours(agent: User) -> Client:
    """A browser in which the agent is logged in."""
    return with_role(agent, "agent")


@pytest.fixture
def outsider(db: None) -> Client:
    return with_role(User.objects.create_user("outsider@example.com", language="en"), "lead")


@pytest.fixture
def viewer(shop: Shop) -> Client:
    user = User.objects.create_user("viewer@example.com", language="en")
    Membership.objects.create(shop=shop, user=user)
    return with_role(user, "viewer")


# Logging an appeal


def test_a_draft_is_logged_with_its_numbers_in_any_shape(
    ours: Client, shop: Shop, finance: Topic, desk: Channel, agent: User
) -> None:
    form = {
        "shop": shop.pk,
        "topic": finance.pk,
        "channel": desk.pk,
        "subject": "Нет выплаты",
        "body": "За октябрь",
        "order_numbers": "111-1, 222-2;333-3\n111-1  444",
        "product_codes": "синий чай\nTEA-2, TEA-3",
        "amount_at_stake": "1500.50",
        "assignee": agent.pk,
        "_draft": "",
    }
    answer = ours.post(reverse("admin:appeals_appeal_add"), form)
    appeal = Appeal.objects.get()
    assert answer.headers["Location"] == page(appeal)
    assert appeal.status == "draft"
    assert appeal.order_numbers == ["111-1", "222-2", "333-3", "444"]
    assert appeal.product_codes == ["синий чай", "TEA-2", "TEA-3"]
    assert (appeal.amount_at_stake, appeal.assignee, appeal.created_by) == (Decimal("1500.50"), agent, agent)


@time_machine.travel(moscow("2026-10-27 12:00"), tick=False)
def test_what_was_sent_earlier_is_logged_as_sent_then_and_is_late_at_once(
    ours: Client, shop: Shop, finance: Topic
) -> None:
    form = {
        "shop": shop.pk,
        "topic": finance.pk,
        "subject": "Нет выплаты",
        "external_number": "777",
        "sent_at": "2026-10-05T10:00",
        "_sent": "",
    }
    answer = ours.post(reverse("admin:appeals_appeal_add"), form, follow=True)
    appeal = Appeal.objects.get()
    assert (appeal.status, appeal.submitted_at, appeal.external_number) == ("waiting", SENT, "777")
    assert "Overdue by 12 working days" in text(answer)


def test_files_are_attached_while_logging_and_come_back_as_downloads(ours: Client, shop: Shop) -> None:
    file = SimpleUploadedFile("снимок.png", PNG, "image/png")
    form = {"shop": shop.pk, "subject": "С файлом", "attachments": [file], "_draft": ""}
    ours.post(reverse("admin:appeals_appeal_add"), form)
    appeal = Appeal.objects.get()
    attachment = appeal.attachments.get()
    answer = ours.get(reverse("admin:appeals_appeal_file", args=[appeal.pk, attachment.pk]))
    assert b"".join(answer.streaming_content) == PNG  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"sent_at": "2086-01-01T10:00", "_sent": ""}, "sent_at"),
        ({"amount_at_stake": "-5"}, "amount_at_stake"),
        ({"order_numbers": "9" * 101}, "order_numbers"),
        ({"attachments": [SimpleUploadedFile("page.html", b"<html>")]}, "attachments"),
        ({"sent_at": "2026-01-01T10:00"}, "sent_at"),
    ],
)
def test_what_cannot_be_logged_is_refused_at_its_field_and_nothing_is_lost(
    ours: Client, shop: Shop, bad: dict[str, Any], field: str
) -> None:
    form = {"shop": shop.pk, "subject": "Тема", "body": "Долго набранный текст"} | bad
    answer = ours.post(reverse("admin:appeals_appeal_add"), form if "_sent" in form else form | {"_draft": ""})
    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert "Долго набранный текст" in text(answer)
    assert not Appeal.objects.exists()


def test_a_form_with_an_error_says_that_its_files_are_to_be_chosen_again(ours: Client, shop: Shop) -> None:
    form = {"shop": shop.pk, "subject": "", "attachments": [SimpleUploadedFile("снимок.png", PNG)], "_draft": ""}
    errors = ours.post(reverse("admin:appeals_appeal_add"), form).context["form"].errors
    assert errors["attachments"] == ["Choose the files again."]


def test_of_several_files_the_refused_one_is_named(ours: Client, draft: Appeal) -> None:
    files = [SimpleUploadedFile("снимок.png", PNG), SimpleUploadedFile("пусто.txt", b"")]
    errors = ours.post(verb(draft, "attach"), {"file": files}).context["form"].errors
    assert errors["file"] == ["пусто.txt: The file is empty.", "Choose the files again."]
    assert not draft.attachments.exists()


def test_attaching_nothing_is_refused(ours: Client, draft: Appeal) -> None:
    answer = ours.post(verb(draft, "attach"), {})
    assert "file" in answer.context["form"].errors


def test_what_the_browser_keeps_of_a_text_is_kept_for_its_writer(ours: Client, draft: Appeal, agent: User) -> None:
    """Two people may share a browser: the next one must not find the letter of the one before."""
    new, again = text(ours.get(reverse("admin:appeals_appeal_add"))), text(ours.get(verb(draft, "submit")))
    assert f'data-draft="{agent.pk}-appeal-new-' in new
    assert f'data-draft="{agent.pk}-submit-{draft.pk}"' in again


def test_a_topic_of_another_marketplace_is_refused(ours: Client, shop: Shop) -> None:
    elsewhere = Marketplace.objects.create(slug="elsewhere", name="Другой")
    theirs = Topic.objects.create(slug="theirs", name="Чужая", marketplace=elsewhere, source="test")
    answer = ours.post(reverse("admin:appeals_appeal_add"), {"shop": shop.pk, "subject": "Тема", "topic": theirs.pk})
    assert "topic" in answer.context["form"].errors


@time_machine.travel(SENT, tick=False)
def test_the_form_says_what_would_be_promised(ours: Client, shop: Shop, finance: Topic, desk: Channel) -> None:
    asked: dict[str, Any] = {"shop": shop.pk, "topic": finance.pk, "channel": desk.pk, "priority": "normal"}
    said = text(ours.get(reverse("admin:appeals_appeal_promise"), asked))
    assert "The answer is promised by the end of 8 October" in said
    assert "The first reply is promised by 12:00 on 5 October" in said
    assert "3 working days" in said


def test_nothing_is_said_before_a_shop_is_chosen_and_no_promise_is_said_to_be_none(ours: Client, shop: Shop) -> None:
    assert text(ours.get(reverse("admin:appeals_appeal_promise"), {"shop": ""})) == ""
    assert "no promise" in text(ours.get(reverse("admin:appeals_appeal_promise"), {"shop": shop.pk}))


def test_without_a_shop_the_first_thing_to_do_is_to_add_one(db: None) -> None:
    lead = with_role(User.objects.create_user("lead@example.com", language="en"), "lead")
    for address in (reverse("admin:index"), reverse("admin:appeals_appeal_add")):
        assert reverse("admin:appeals_shop_add") in text(lead.get(address))
    agent = with_role(User.objects.create_user("fresh@example.com", language="en"), "agent")
    for address in (reverse("admin:index"), reverse(LIST), reverse("admin:appeals_incident_changelist")):
        shown = text(agent.get(address))
        assert "Ask the lead of your team" in shown
        assert f'class="hub-button hub-primary" href="{reverse("admin:appeals_appeal_add")}"' not in shown


def test_an_empty_list_has_one_button_to_log_the_first_appeal(ours: Client, shop: Shop) -> None:
    shown = text(ours.get(reverse(LIST)))
    assert shown.count('class="hub-button hub-primary"') == 1


def test_writing_again_starts_from_the_earlier_appeal(ours: Client, sent: Appeal) -> None:
    link = f"{reverse('admin:appeals_appeal_add')}?shop={sent.shop_id}&previous={sent.pk}"
    form = {"shop": sent.shop_id, "subject": "Повторно", "previous": sent.pk, "_draft": ""}
    assert f"Continues the earlier appeal № {sent.pk}" in text(ours.get(link))
    ours.post(reverse("admin:appeals_appeal_add"), form)
    assert Appeal.objects.get(subject="Повторно").previous == sent


# The page and its verbs


@pytest.mark.parametrize(
    ("state", "offered", "not_offered"),
    [
        ("draft", {"submit", "delete_draft", "assign"}, {"message", "resolve", "reopen"}),
        ("waiting", {"record_reply", "message", "escalate", "resolve", "snooze"}, {"submit", "reopen"}),
        ("our_turn", {"record_reply", "message", "escalate", "resolve"}, {"submit", "reopen", "delete_draft"}),
        ("resolved", {"reopen"}, {"submit", "message", "resolve", "escalate"}),
    ],
)
def test_the_page_offers_the_verbs_that_fit_the_state_and_no_others(
    ours: Client, draft: Appeal, state: str, offered: set[str], not_offered: set[str]
) -> None:
    agent = draft.created_by
    if state != "draft":
        lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    if state in ("our_turn", "resolved"):
        lifecycle.record_reply(appeal=draft, actor=agent, now=SENT, kind="question", text="Где?")
    if state == "resolved":
        lifecycle.resolve(appeal=draft, actor=agent, now=SENT, outcome="granted")
    shown = text(ours.get(page(draft)))
    assert {name for name in offered | not_offered if f'href="{verb(draft, name)}"' in shown} == offered


@time_machine.travel(moscow("2026-10-07 12:00"), tick=False)
def test_the_road_of_an_appeal_through_its_verbs(ours: Client, draft: Appeal, steps: list[EscalationStep]) -> None:
    def go(name: str, **form: Any) -> Appeal:
        answer = ours.post(verb(draft, name), form)
        assert answer.status_code == 302, answer.context["form"].errors
        return Appeal.objects.get(pk=draft.pk)

    sent = go("submit", at="2026-10-05T10:00", external_number="555", channel=draft.channel_id)
    assert (sent.status, sent.external_number, sent.submitted_at) == ("waiting", "555", SENT)
    assert go("record_reply", kind="question", text="Какой заказ?", at="2026-10-05T11:00").status == "our_turn"
    assert go("message", text="Заказ 1", at="2026-10-05T12:00").status == "waiting"
    assert go("escalate", step=steps[2].pk, note="Жалоба").deadlines.live().get(kind="escalation").amount == 15
    assert go("snooze", until="2026-10-09T09:00").snoozed_until == moscow("2026-10-09 09:00")
    resolved = go("resolve", outcome="granted", amount_recovered="100")
    assert (resolved.status, resolved.amount_recovered) == ("resolved", Decimal(100))
    assert go("reopen", note="Снова").status == "waiting"
    shown = text(ours.get(page(draft)))
    for line in ("Какой заказ?", "Заказ 1", "Escalated: complaint", "Resolved: granted", "Снова"):
        assert line in shown


def test_a_clock_that_an_escalation_ended_says_that_it_was_late_then(
    ours: Client, sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    with time_machine.travel(moscow("2026-10-20 12:00"), tick=False):
        lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-13 12:00"), step=steps[2])
        shown = text(ours.get(page(sent)))
    assert "Overdue by 2 working days at the escalation" in shown
    assert "overdue by 7 working days" in shown


def test_the_next_step_is_proposed(ours: Client, sent: Appeal, steps: list[EscalationStep]) -> None:
    assert ours.get(verb(sent, "escalate")).context["form"]["step"].value() == steps[1].pk
    assert "Next step" in text(ours.get(page(sent)))


def test_the_step_is_for_now_only_while_an_answer_is_late_and_a_clock_that_stands_is_due_at_no_moment(
    ours: Client, sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    title = '<h2 id="step-title">{}</h2>'
    with time_machine.travel(SENT + timedelta(hours=1), tick=False):
        assert title.format("If they do not answer in time") in text(ours.get(page(sent)))
    asked = SENT + timedelta(hours=2)
    with time_machine.travel(asked + timedelta(hours=1), tick=False):
        lifecycle.record_reply(appeal=sent, actor=agent, now=asked, kind="question", text="Какой заказ?")
        shown = text(ours.get(page(sent)))
    assert title.format("If they do not answer after that") in shown
    clocks = shown[shown.index('id="clocks-title"') : shown.index('id="step-title"')]
    assert "Stopped at 5 October, 12:00" in clocks
    assert "By the end of 8 October" not in clocks


def test_a_step_that_nobody_confirmed_says_so(ours: Client, sent: Appeal, steps: list[EscalationStep]) -> None:
    EscalationStep.objects.update(state="working")
    assert "unconfirmed</span>" not in text(ours.get(page(sent)))
    EscalationStep.objects.update(state="unconfirmed")
    assert re.search(r'id="step-title".{0,300}unconfirmed\s*</span>', text(ours.get(page(sent))), re.DOTALL)


def test_the_clock_of_a_step_names_it(ours: Client, sent: Appeal, agent: User, steps: list[EscalationStep]) -> None:
    lifecycle.escalate(appeal=sent, actor=agent, now=SENT + timedelta(hours=1), step=steps[2])
    assert f"“{steps[2].text('name')}”</b>" in text(ours.get(page(sent)))


def test_a_shop_that_names_its_marketplace_is_not_placed_twice(ours: Client, sent: Appeal, shop: Shop) -> None:
    assert f"<span>Bazaar, {shop.name}</span>" in text(ours.get(page(sent)))
    Shop.objects.update(name="Чайный дом (Базар)")
    assert "<span>Чайный дом (Базар)</span>" in text(ours.get(page(sent)))


@pytest.mark.parametrize(
    ("name", "form", "field"),
    [
        ("record_reply", {"text": "Долгий ответ"}, "kind"),
        ("record_reply", {"kind": "answer", "text": "Долгий ответ", "at": "2020-01-01T10:00"}, "at"),
        ("message", {"text": "Долгий ответ", "at": "2086-01-01T10:00"}, "at"),
        ("resolve", {"outcome": "granted", "amount_recovered": "-1", "note": "Долгий ответ"}, "amount_recovered"),
        ("snooze", {"until": "2020-01-01T10:00", "note": "Долгий ответ"}, "until"),
        ("escalate", {"note": "Долгий ответ"}, "step"),
    ],
)
def test_a_verb_refuses_at_the_field_and_keeps_what_was_typed(
    ours: Client, sent: Appeal, name: str, form: dict[str, str], field: str
) -> None:
    answer = ours.post(verb(sent, name), form)
    assert field in answer.context["form"].errors
    assert "Долгий ответ" in text(answer)
    assert Appeal.objects.get().version == sent.version


def test_a_verb_that_no_longer_fits_says_so_and_keeps_the_text(ours: Client, sent: Appeal, agent: User) -> None:
    lifecycle.resolve(appeal=sent, actor=agent, now=SENT, outcome="refused")
    answer = ours.post(verb(sent, "message"), {"text": "Долгий ответ"})
    assert "“Resolved”" in text(answer)
    assert "Долгий ответ" in text(answer)


def test_the_page_of_a_verb_that_does_not_fit_says_so_at_once_without_a_form(ours: Client, sent: Appeal) -> None:
    answer = ours.get(verb(sent, "reopen"))
    assert "; it could be in: “Resolved”." in text(answer)
    assert "verb_form" not in text(answer)
    assert "“Reopen” cannot be done now" in text(answer)
    assert f'href="{page(sent)}"' in text(answer)
    assert "verb_form" in text(ours.get(verb(sent, "assign")))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("record_reply", "Note the reply"),
        ("message", "Note the message"),
        ("escalate", "Note the step"),
        ("resolve", "Resolve the appeal"),
        ("attach", "Attach the files"),
        ("assign", "Assign"),
    ],
)
def test_the_button_of_a_verb_says_what_the_form_does(ours: Client, sent: Appeal, name: str, says: str) -> None:
    form = text(ours.get(verb(sent, name))).split('id="verb_form"')[1]
    assert f'hub-primary">{says}</button>' in form


def test_the_page_has_one_main_button_and_the_next_step_a_way_to_note_it(
    ours: Client, sent: Appeal, steps: list[EscalationStep]
) -> None:
    html = text(ours.get(page(sent)))
    assert html.count("hub-primary") == 1
    card = html[html.index('id="step-title"') :].split("</section>")[0]
    assert f'data-dialog id="take-step" href="{verb(sent, "escalate")}"' in card


def test_who_is_assigned_stays_when_their_account_is_closed(ours: Client, sent: Appeal, shop: Shop) -> None:
    gone = User.objects.create_user("gone@example.com", language="en")
    Membership.objects.create(shop=shop, user=gone)
    Appeal.objects.filter(pk=sent.pk).update(assignee=gone)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    shown = ours.get(page(sent) + "?edit=1")
    form = shown.context["form"]
    assert f"{gone} (the account is closed)" in text(shown)
    changed = {name: "" if (value := form[name].value()) is None else value for name in form.fields}
    changed |= {"order_numbers": "", "product_codes": "", "subject": "Another subject"}
    assert ours.post(page(sent), changed).status_code == 302
    assert ours.post(verb(sent, "assign"), {"assignee": gone.pk}).status_code == 302
    sent.refresh_from_db()
    assert (sent.subject, sent.assignee) == ("Another subject", gone)
    many = reverse("admin:appeals_appeal_many", args=["assign"])
    assert str(gone) not in str(ours.get(f"{many}?ids={sent.pk}").context["form"]["assignee"])


def test_what_has_a_timeline_has_no_other_history(ours: Client, sent: Appeal) -> None:
    assert ours.get(reverse("admin:appeals_appeal_history", args=[sent.pk])).headers["Location"] == page(sent)
    reminder = Reminder.objects.create(
        deadline=(late := sent.deadlines.earliest("due_at")),
        due_at=late.due_at,
        rung_at=late.due_at,
        address="agent@example.com",
        created_at=SENT,
        send_after=SENT,
        reason="overdue",
    )
    shown = reverse("admin:appeals_reminder_change", args=[reminder.pk])
    past = reverse("admin:appeals_reminder_history", args=[reminder.pk])
    assert past not in text(ours.get(shown))
    assert ours.get(past).headers["Location"] == shown


def test_a_dialog_is_told_where_to_go(ours: Client, sent: Appeal) -> None:
    answer = ours.post(verb(sent, "message"), {"text": "Ответ"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, page(sent))


def test_a_draft_is_deleted_by_its_verb_and_what_was_sent_is_not(ours: Client, draft: Appeal, agent: User) -> None:
    lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    assert ours.post(verb(draft, "delete_draft")).status_code == 200
    assert Appeal.objects.exists()
    other = lifecycle.create(actor=agent, now=SENT, shop=draft.shop, subject="Лишнее")
    assert ours.post(verb(other, "delete_draft")).status_code == 302
    assert list(Appeal.objects.all()) == [draft]
    refused = ours.post(reverse("admin:appeals_appeal_delete", args=[draft.pk]), {"post": "yes"})
    assert refused.status_code == 403
    assert "An appeal that was sent stays." in text(refused)


def test_editing_writes_what_was_changed_and_moves_the_clocks(ours: Client, sent: Appeal, finance: Topic) -> None:
    form = {"version": sent.version, "subject": "Иначе", "topic": "", "channel": sent.channel_id, "assignee": ""}
    assert ours.post(page(sent), form).status_code == 302
    sent.refresh_from_db()
    assert (sent.subject, sent.topic, sent.assignee) == ("Иначе", None, None)
    assert sent.deadlines.live().get(kind="answer").amount == 24
    assert "Where is the money? → Иначе" in text(ours.get(page(sent)))


def test_what_was_done_is_said_with_what_it_was_done_to(ours: Client, sent: Appeal, agent: User) -> None:
    def said(name: str, **form: Any) -> str:
        return text(ours.post(verb(sent, name), form, follow=True))

    assert "No reminders until 1 January 2086, 10:00." in said("snooze", until="2086-01-01T10:00")
    assert "Reminders come again." in said("snooze", until="")
    assert "Nothing was changed." in said("assign", assignee=agent.pk)
    assert "Nobody is assigned now." in said("assign", assignee="")
    assert f"Assigned: {agent}." in said("assign", assignee=agent.pk)


def test_a_channel_of_the_one_marketplace_is_named_without_it(ours: Client, draft: Appeal, desk: Channel) -> None:
    channels = ours.get(verb(draft, "submit")).context["form"].fields["channel"]
    assert (desk.pk, desk.text("name")) in [(getattr(pk, "value", pk), name) for pk, name in channels.choices]


def test_of_two_people_who_edit_one_appeal_the_second_is_told(ours: Client, sent: Appeal, agent: User) -> None:
    colleague = User.objects.create_user("colleague@example.com", full_name="Colin")
    lifecycle.edit(appeal=sent, actor=colleague, now=SENT, subject="Первый")
    form = {"version": sent.version, "subject": "Второй", "topic": sent.topic_id, "channel": sent.channel_id}
    answer = ours.post(page(sent), form)
    assert "Colin" in text(answer)
    assert Appeal.objects.get().subject == "Первый"
    ours.post(page(sent), form | {"version": answer.context["form"]["version"].value()})
    assert Appeal.objects.get().subject == "Второй"


def test_who_edits_second_is_told_the_present_values_and_overwrites_none_that_they_left_alone(
    ours: Client, sent: Appeal
) -> None:
    opened = ours.get(f"{page(sent)}?edit=1").context["form"]
    form = {name: opened[name].value() for name in opened.fields}
    form |= {f"initial-{name}": opened[name].value() for name in opened.fields}
    form = {name: "" if value is None else value for name, value in form.items()}
    colleague = User.objects.create_user("colleague@example.com", full_name="Colin")
    theirs = {"subject": "Первый", "order_numbers": ["777"], "is_complex": True}
    lifecycle.edit(appeal=sent, actor=colleague, now=SENT, **theirs)
    del form["is_complex"]
    answer = ours.post(page(sent), form | {"subject": "Второй", "body": "Мой текст"})
    again = answer.context["form"]
    assert "Order numbers: 777" in text(answer)
    assert again.errors["subject"] == ["Now it is: Первый"]
    assert "body" not in again.errors
    assert (again["order_numbers"].value(), again["subject"].value()) == ("777", "Второй")
    form = {name: again[name].value() for name in again.fields}
    form |= {f"initial-{name}": again.data[f"initial-{name}"] for name in opened.fields if name != "version"}
    form = {name: "" if value is None else value for name, value in form.items()}
    assert ours.post(page(sent), form).status_code == 302
    sent.refresh_from_db()
    assert (sent.subject, sent.body, sent.order_numbers, sent.is_complex) == ("Второй", "Мой текст", ["777"], True)


# Lists and the home page


def test_search_finds_words_and_numbers_in_any_case(ours: Client, shop: Shop, agent: User) -> None:
    lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Ёлка Разбита", order_numbers=["AB-77"])
    for wanted, found in {"ёлка": 1, "РАЗБИТА ёл": 1, "ab-77": 1, "77 ёлка": 1, "сосна": 0}.items():
        assert ours.get(reverse(LIST), {"q": wanted}).context["cl"].result_count == found, wanted


@time_machine.travel(moscow("2026-10-08 12:00"), tick=False)
def test_each_list_of_the_home_page_opens_as_many_as_it_counts(
    ours: Client, shop: Shop, agent: User, finance: Topic, desk: Channel
) -> None:
    def log(at: str, **fields: Any) -> Appeal:
        appeal = lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Тема", **fields)
        return lifecycle.submit(appeal=appeal, actor=agent, now=moscow("2026-10-08 12:00"), at=moscow(at))

    for _each in range(2):
        log("2026-10-01 10:00", topic=finance)
    log("2026-10-05 10:00", topic=finance)
    asked = log("2026-10-08 11:00", topic=finance)
    lifecycle.record_reply(appeal=asked, actor=agent, now=moscow("2026-10-08 12:00"), kind="question", text="?")
    lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Черновик")
    lists = {item["key"]: item for item in ours.get(reverse("admin:index")).context["lists"]}
    assert {key: item["count"] for key, item in lists.items()} == {
        "our_turn": 1,
        "overdue": 2,
        "due_today": 1,
        "waiting": 3,
        "draft": 1,
    }
    for item in lists.values():
        assert ours.get(item["url"]).context["cl"].result_count == item["count"] == len(item["rows"])


@time_machine.travel(moscow("2026-10-08 12:00"), tick=False)
def test_the_home_page_of_one_person_and_one_shop_counts_theirs_alone(
    ours: Client, shop: Shop, agent: User, finance: Topic
) -> None:
    other = shops.create(actor=agent, name="Other", marketplace=shop.marketplace)
    for where, who in ((shop, agent), (shop, None), (other, agent)):
        one = lifecycle.create(actor=agent, now=SENT, shop=where, subject="Тема", topic=finance, assignee=who)
        lifecycle.submit(appeal=one, actor=agent, now=SENT, at=moscow("2026-10-01 10:00"))
    for query, count in {"": 3, "?mine=1": 2, f"?shop={shop.pk}": 2, f"?mine=1&shop={other.pk}": 1}.items():
        home = ours.get(reverse("admin:index") + query)
        overdue = next(item for item in home.context["lists"] if item["key"] == "overdue")
        assert overdue["count"] == count == ours.get(overdue["url"]).context["cl"].result_count, query
        [market] = home.context["marketplaces"]
        assert market["count"] == count == ours.get(market["url"]).context["cl"].result_count, query


@time_machine.travel(moscow("2026-10-30 12:00"), tick=False)
def test_the_home_page_says_how_many_answers_came_in_time_this_month(
    ours: Client, shop: Shop, agent: User, finance: Topic
) -> None:
    for sent_at, answered in (("2026-09-21 10:00", "2026-09-29 10:00"), ("2026-10-05 10:00", "2026-10-06 10:00")):
        one = lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Тема", topic=finance)
        one = lifecycle.submit(appeal=one, actor=agent, now=moscow("2026-10-30 12:00"), at=moscow(sent_at))
        lifecycle.record_reply(
            appeal=one, actor=agent, now=moscow("2026-10-30 12:00"), kind="answer", text="Да", at=moscow(answered)
        )
    home = ours.get(reverse("admin:index"))
    assert home.context["month"]["share"] == (1, 0)
    shares = {week["start"].date().isoformat(): week["share"] for week in home.context["weeks"]}
    assert {day: share for day, share in shares.items() if share.total} == {"2026-09-28": (0, 1), "2026-10-05": (1, 0)}


def test_the_home_page_with_every_list_full_stays_within_fifteen_queries(
    ours: Client, shop: Shop, agent: User, finance: Topic, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    for index in range(10):
        lifecycle.create(actor=agent, now=now, shop=shop, subject=f"Черновик {index}")
        for hours in (23, 24 * 30):
            one = lifecycle.create(actor=agent, now=now, shop=shop, subject="Тема", assignee=agent)
            one = lifecycle.submit(appeal=one, actor=agent, now=now, at=now - timedelta(hours=hours))
        lifecycle.record_reply(appeal=one, actor=agent, now=now, kind="question", text="?")
    ours.get(reverse("admin:index"))
    with django_assert_max_num_queries(15):
        home = ours.get(reverse("admin:index"))
    assert len([item for item in home.context["lists"] if item["rows"]]) >= 4


def test_filters_that_nobody_can_mean_show_the_list_with_a_note(ours: Client, sent: Appeal) -> None:
    for query in ("turn=mars", "due=never", "status=lost", "shop=x", "assignee=x"):
        assert ours.get(f"{reverse(LIST)}?{query}", follow=True).redirect_chain[-1][0].endswith("?e=1")


@pytest.mark.parametrize("query", ["", "?due=overdue", "?turn=us", "?assignee=me", "?q=тема", "?marketplace=bazaar"])
def test_lists_stay_within_fifteen_queries_with_fifty_appeals(
    ours: Client, shop: Shop, agent: User, query: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    topic = Topic.objects.create(slug="logistics", name="Логистика", source="test")
    ResponseTarget.objects.create(marketplace=shop.marketplace, kind="answer", amount=1, unit="hours", source="test")
    for index in range(50):
        appeal = lifecycle.create(actor=agent, now=SENT, shop=shop, subject=f"Тема {index}", topic=topic)
        lifecycle.submit(appeal=appeal, actor=agent, now=SENT)
    reminders.record_sweep(timezone.now())
    ours.get(reverse(LIST))
    with django_assert_max_num_queries(15):
        assert ours.get(reverse(LIST) + query).status_code == 200


@pytest.mark.parametrize(
    "address", ["index", "appeals_appeal_add", "appeals_shop_changelist", "page", "escalate", "edit"]
)
def test_every_page_takes_at_most_fifteen_queries(
    ours: Client,
    sent: Appeal,
    steps: list[EscalationStep],
    address: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    agent = sent.created_by
    for index in range(10):
        lifecycle.message(appeal=sent, actor=agent, now=SENT + timedelta(hours=index), text="Ждём")
        Topic.objects.create(slug=f"topic-{index}", name="Тема", source="test", marketplace=sent.marketplace)
        Channel.objects.create(marketplace=sent.marketplace, kind="chat", name=f"Чат {index}", source="test")
    special = {"page": page(sent), "escalate": verb(sent, "escalate"), "edit": page(sent) + "?edit=1"}
    reminders.record_sweep(timezone.now())
    ours.get(reverse("admin:index"))
    with django_assert_max_num_queries(15):
        assert ours.get(special.get(address) or reverse(f"admin:{address}")).status_code == 200


# Who may see and do what


def test_an_outsider_finds_nothing(outsider: Client, sent: Appeal, agent: User) -> None:
    attachment = lifecycle.attach(
        appeal=sent, actor=agent, now=SENT, file=SimpleUploadedFile("a.png", PNG), name="a.png"
    )
    assert outsider.get(reverse(LIST)).context["cl"].result_count == 0
    assert outsider.get(reverse("admin:appeals_shop_changelist")).context["cl"].result_count == 0
    assert outsider.get(page(sent)).status_code == 302
    assert outsider.post(page(sent), {"subject": "Чужое"}).status_code == 302
    assert outsider.get(reverse("admin:appeals_appeal_file", args=[sent.pk, attachment.pk])).status_code == 404
    assert outsider.get(reverse("admin:appeals_shop_change", args=[sent.shop_id])).status_code == 302
    for name in ("record_reply", "message", "resolve", "escalate", "assign", "attach"):
        assert outsider.post(verb(sent, name), {"text": "?", "outcome": "granted"}).status_code == 404
    answer = outsider.post(reverse("admin:appeals_appeal_add"), {"shop": sent.shop_id, "subject": "Чужое"})
    assert "First, add a shop" in text(answer)
    promised = outsider.get(f"{reverse('admin:appeals_appeal_promise')}?shop={sent.shop_id}&topic={sent.topic_id}")
    assert text(promised) == ""
    sent.refresh_from_db()
    assert (sent.subject, sent.status) == ("Where is the money?", "waiting")
    assert Appeal.objects.count() == 1


def test_an_outsider_cannot_log_for_a_shop_of_others(outsider: Client, shop: Shop, market: Marketplace) -> None:
    own = Shop.objects.create(name="Own", marketplace=market)
    Membership.objects.create(shop=own, user=User.objects.get(email="outsider@example.com"))
    answer = outsider.post(reverse("admin:appeals_appeal_add"), {"shop": shop.pk, "subject": "Чужое", "_draft": ""})
    assert "shop" in answer.context["form"].errors
    assert shop.name not in text(answer)


def test_a_viewer_reads_and_is_refused_every_verb(viewer: Client, sent: Appeal) -> None:
    shown = text(viewer.get(page(sent)))
    assert "Where is the money?" in shown
    assert "/do/" not in shown
    for name in ("record_reply", "message", "resolve", "escalate", "snooze", "assign", "attach", "delete_draft"):
        assert viewer.get(verb(sent, name)).status_code == 403
        assert viewer.post(verb(sent, name), {"text": "?", "outcome": "granted"}).status_code == 403
    assert viewer.get(page(sent) + "?edit=1").status_code == 403
    assert viewer.post(page(sent), {"subject": "Иначе"}).status_code == 403
    assert viewer.get(reverse("admin:appeals_appeal_add")).status_code == 403


def test_verbs_that_do_not_exist_and_appeals_that_do_not_are_not_found(ours: Client, sent: Appeal) -> None:
    assert ours.get(verb(sent, "explode")).status_code == 404
    assert ours.get(reverse("admin:appeals_appeal_verb", args=[999, "message"])).status_code == 404


def test_whoever_adds_a_shop_leads_it_and_is_led_to_the_first_appeal(market: Marketplace) -> None:
    user = User.objects.create_user("lead@example.com", language="en")
    lead = with_role(user, "lead")
    form = {"marketplace": market.pk, "name": "Новый", "_save": ""}
    answer = lead.post(reverse("admin:appeals_shop_add"), form)
    shop = Shop.objects.get()
    assert shop.memberships.get().is_lead
    assert answer.headers["Location"] == f"{reverse('admin:appeals_appeal_add')}?shop={shop.pk}"


def test_a_shop_that_cannot_be_deleted_says_why_and_leads_back(
    sent: Appeal, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = with_role(User.objects.create_superuser("admin@example.com", language="en"), "lead")
    with django_assert_max_num_queries(15) as asked:
        shown = text(client.get(reverse("admin:appeals_shop_delete", args=[sent.shop_id])))
    assert "Cannot delete" in shown
    assert "<li> Appeals: 1 </li>" in " ".join(shown.split())
    assert "take its members out" in shown
    assert not any("external_number" in (one["sql"] or "") for one in asked.captured_queries)
    assert (
        f'<a class="hub-button" href="{reverse("admin:appeals_shop_change", args=[sent.shop_id])}">Back</a>' in shown
    )


def test_what_holds_a_step_is_counted_in_appeals_and_not_in_their_events(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    lifecycle.escalate(appeal=sent, actor=agent, now=SENT, step=steps[2])
    assert sent.deadlines.filter(step=steps[2]).exists()
    client = with_role(User.objects.create_superuser("admin@example.com", language="en"), "lead")
    shown = text(client.get(reverse("admin:marketplaces_escalationstep_delete", args=[steps[2].pk])))
    assert "<li> Appeals: 1 </li>" in " ".join(shown.split())
    assert "Events" not in shown


def members_form(shop: Shop, *rows: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = {"marketplace": shop.marketplace_id, "name": shop.name}
    initial = sum("id" in row for row in rows)
    form |= {"memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": initial}
    for index, row in enumerate(rows):
        form |= {f"memberships-{index}-{name}": value for name, value in row.items()}
    return form


def test_the_members_of_a_shop_are_chosen_among_people(shop: Shop, agent: User) -> None:
    leading = with_role(shop.memberships.get().user, "lead")
    shown: Any = leading.get(reverse("admin:appeals_shop_change", args=[shop.pk])).context
    users = [form.fields["user"] for form in shown["inline_admin_formsets"][0].formset]
    assert users
    for field in users:
        assert [name for pk, name in field.choices if pk] == [str(one) for one in User.objects.filter(is_active=True)]


def test_only_those_who_lead_a_shop_choose_its_members_and_one_of_them_stays(shop: Shop, agent: User) -> None:
    own = shop.memberships.get()
    other = User.objects.create_user("other@example.com", language="en")
    change = reverse("admin:appeals_shop_change", args=[shop.pk])
    lead = with_role(agent, "lead")
    added = {"user": other.pk, "shop": shop.pk}
    kept = {"id": own.pk, "user": agent.pk, "shop": shop.pk, "is_lead": "on"}
    assert lead.post(change, members_form(shop, kept, added)).status_code == 302
    assert shop.memberships.count() == 2

    member = with_role(other, "lead")
    member.post(change, members_form(shop, kept | {"DELETE": "on"}))
    assert shop.memberships.count() == 2

    refused = lead.post(change, members_form(shop, kept | {"is_lead": ""}))
    assert "Somebody who leads the shop must stay." in text(refused)
    assert shop.memberships.get(user=agent).is_lead


def test_a_member_who_is_named_twice_is_refused_in_words(shop: Shop, agent: User) -> None:
    own = {"id": shop.memberships.get().pk, "user": agent.pk, "shop": shop.pk, "is_lead": "on"}
    change = reverse("admin:appeals_shop_change", args=[shop.pk])
    refused = with_role(agent, "lead").post(change, members_form(shop, own, {"user": agent.pk, "shop": shop.pk}))
    assert "This member is named twice." in text(refused)


def test_the_members_of_a_shop_lead_nobody_to_a_page_that_refuses_them(shop: Shop) -> None:
    reads = User.objects.create_user("reads@example.com", full_name="Rita", language="en")
    Membership.objects.create(shop=shop, user=reads)
    shown = text(with_role(reads, "agent").get(reverse("admin:appeals_shop_change", args=[shop.pk])))
    assert "Rita" in shown
    assert reverse("admin:hub_user_change", args=[shop.memberships.get(is_lead=True).user_id]) not in shown


def test_members_are_chosen_among_people_and_no_shop_of_others_is_named(
    shop: Shop, agent: User, market: Marketplace
) -> None:
    shops.create(actor=User.objects.create_user("stranger@example.com"), name="Чужой", marketplace=market)
    page = with_role(agent, "lead").get(reverse("admin:appeals_shop_change", args=[shop.pk]))
    (members,) = page.context["inline_admin_formsets"]
    offered = {form.fields["user"].choices[at] for form in members.formset.forms for at in range(1, 3)}
    assert offered == {(user.pk, str(user)) for user in User.objects.filter(is_active=True)}
    assert "Чужой" not in text(page)


# Reminders


def test_reminders_are_read_only_and_of_ones_own_shops(ours: Client, outsider: Client, sent: Appeal) -> None:
    deadline = sent.deadlines.get(kind="answer")
    Reminder.objects.create(
        deadline=deadline,
        due_at=deadline.due_at,
        rung_at=deadline.due_at,
        address="agent@example.com",
        created_at=SENT,
        send_after=SENT,
        reason="overdue",
    )
    listed = reverse("admin:appeals_reminder_changelist")
    assert "agent@example.com" in text(ours.get(listed))
    assert "agent@example.com" not in text(outsider.get(listed)).replace("outsider@example.com", "")
    assert ours.get(reverse("admin:appeals_reminder_add")).status_code == 403


def test_leads_edit_the_rules_of_reminding_and_agents_read_them(ours: Client, db: None) -> None:
    lead = with_role(User.objects.create_user("lead@example.com", language="en"), "lead")
    form = {
        "deadline_kind": "answer",
        "moment": "after",
        "amount": "3",
        "unit": "hours",
        "is_active": "on",
        "tell_lead": "on",
        "extra_addresses": "boss@example.com\nchief@example.com",
        "repeat_amount": "0",
        "repeat_unit": "working_days",
        "repeat_limit": "0",
    }
    before = ReminderRule.objects.count()
    assert ours.post(reverse("admin:appeals_reminderrule_add"), form).status_code == 403
    answer = lead.post(reverse("admin:appeals_reminderrule_add"), form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert ReminderRule.objects.count() == before + 1
    assert ReminderRule.objects.latest("id").extra_addresses == ["boss@example.com", "chief@example.com"]


# Many at once


def many(verb: str, *appeals: Appeal) -> str:
    return f"{reverse('admin:appeals_appeal_many', args=[verb])}?ids={'-'.join(str(one.pk) for one in appeals)}"


@pytest.fixture
def three(draft: Appeal, agent: User, shop: Shop, finance: Topic, steps: list[EscalationStep]) -> list[Appeal]:
    """Two that were sent, of which one took a step, and a draft."""
    waiting = lifecycle.submit(
        appeal=lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Первое"), actor=agent, now=SENT
    )
    escalated = lifecycle.submit(
        appeal=lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Второе"), actor=agent, now=SENT
    )
    lifecycle.escalate(appeal=escalated, actor=agent, now=SENT, step=steps[1])
    return [waiting, escalated, draft]


def test_choosing_many_leads_to_a_preview_of_each_and_back_to_the_same_list(ours: Client, three: list[Appeal]) -> None:
    form = {"action": "escalate_many", "_selected_action": [one.pk for one in three]}
    shown = ours.post(f"{reverse(LIST)}?shop={three[0].shop_id}&p=1", form, follow=True)
    assert shown.context["back"] == f"{reverse(LIST)}?shop={three[0].shop_id}"
    rows = {row.appeal.pk: (row.effect, bool(row.problem)) for row in shown.context["rows"]}
    assert rows == {three[0].pk: ("repeat", False), three[1].pk: ("complaint", False), three[2].pk: ("", True)}


def test_each_takes_its_own_next_step_and_the_draft_is_named_as_refused(ours: Client, three: list[Appeal]) -> None:
    shown = ours.post(many("escalate", *three), {"note": "Все сразу"}, follow=True)
    assert shown.context["done"] == 2
    assert {row.appeal.pk: bool(row.problem) for row in shown.context["rows"]} == {
        three[0].pk: False,
        three[1].pk: False,
        three[2].pk: True,
    }
    assert [str(timeline.steps_taken(one)[-1].step) for one in three[:2]] == ["repeat", "complaint"]
    assert timeline.steps_taken(three[2]) == []


@pytest.mark.parametrize(
    ("verb", "form", "check"),
    [
        ("resolve", {"outcome": "ignored", "note": "Разом"}, {"status": "resolved"}),
        ("snooze", {"until": "2086-01-01T10:00"}, {"snoozed_until": moscow("2086-01-01 10:00")}),
        ("assign", {"assignee": ""}, {"assignee": None}),
    ],
)
def test_the_other_verbs_for_many(
    ours: Client, three: list[Appeal], verb: str, form: dict[str, str], check: dict[str, Any]
) -> None:
    assert ours.post(many(verb, *three[:2]), form, follow=True).context["done"] == 2
    for one in Appeal.objects.filter(pk__in=[one.pk for one in three[:2]]):
        assert {name: getattr(one, name) for name in check} == check


def test_the_result_says_of_what_does_not_fit_what_the_preview_said(ours: Client, three: list[Appeal]) -> None:
    lifecycle.resolve(appeal=three[0], actor=three[0].created_by, now=SENT, outcome="granted")
    shown, done = (ours.get(many("escalate", *three)), ours.post(many("escalate", *three), {}, follow=True))
    said = [{row.appeal.pk: row.problem for row in answer.context["rows"]} for answer in (shown, done)]
    assert said[0] == said[1]
    assert said[1][three[0].pk] == "does not fit: resolved"


def test_a_snooze_lasts_until_tomorrow_morning_unless_told_otherwise(ours: Client, sent: Appeal) -> None:
    with time_machine.travel(moscow("2026-10-05 18:00"), tick=False):
        assert 'value="2026-10-06T09:00"' in text(ours.get(verb(sent, "snooze")))
        ours.post(verb(sent, "snooze"), {"until": "2026-10-09T09:00"})
        assert 'value="2026-10-09T09:00"' in text(ours.get(verb(sent, "snooze")))
        ours.post(verb(sent, "snooze"), {"until": ""})
    taken, lifted = sent.events.filter(kind="snoozed").order_by("pk")
    assert (story.title(taken), story.title(lifted)) == (capfirst(_("snoozed")), _("Reminders again"))


def test_a_form_for_many_refuses_at_its_field_and_touches_nothing(ours: Client, three: list[Appeal]) -> None:
    assert "outcome" in ours.post(many("resolve", *three), {}).context["form"].errors
    assert not Appeal.objects.filter(status="resolved").exists()


@pytest.mark.parametrize(
    ("verb", "at", "form"),
    [
        ("escalate", "at", {"at": "2085-01-01T10:00", "note": "Kept"}),
        ("snooze", "until", {"until": "2001-01-01T10:00", "note": "Kept"}),
        ("message", "at", {"at": "2085-01-01T10:00", "text": "Kept"}),
    ],
)
def test_a_moment_that_fits_none_of_them_comes_back_in_the_form(
    ours: Client, three: list[Appeal], verb: str, at: str, form: dict[str, str]
) -> None:
    answer = ours.post(many(verb, *three), form)
    assert list(answer.context["form"].errors) == [at]
    assert "Kept" in text(answer)
    assert not Event.objects.filter(text="Kept").exists()


def test_a_moment_that_is_too_early_for_one_of_them_is_its_own_result(ours: Client, three: list[Appeal]) -> None:
    lifecycle.message(appeal=three[1], actor=three[1].created_by, now=moscow("2026-10-06 10:00"), text="Later")
    form = {"at": "2026-10-05T12:00", "text": "Between"}
    with time_machine.travel(moscow("2026-10-07 10:00"), tick=False):
        done = ours.post(many("message", *three[:2]), form, follow=True)
    assert [bool(row.problem) for row in done.context["rows"]] == [False, True]


@pytest.mark.parametrize("verb", ["record_reply", "message"])
def test_the_list_offers_to_note_what_was_written_to_or_by_many(ours: Client, three: list[Appeal], verb: str) -> None:
    action = {"record_reply": "reply_many", "message": "message_many"}[verb]
    chosen = {"action": action, "_selected_action": [one.pk for one in three]}
    assert f"/many/{verb}/" in ours.post(reverse(LIST), chosen).headers["Location"]


def test_a_result_is_shown_again_and_nothing_is_done_again(ours: Client, three: list[Appeal]) -> None:
    address = many("message", *three[:2])
    form = {"text": "Once", "token": str(ours.get(address).context["token"])}
    done = ours.post(address, form)
    result = done.headers["Location"]
    assert [ours.get(result).context["done"] for _reload in range(2)] == [2, 2]
    assert ours.post(address, form).headers["Location"] == result
    assert Event.objects.filter(text="Once").count() == 2
    ours.post(address, form | {"text": "Another"})
    ours.post(address, {"text": "Once", "token": str(ours.get(address).context["token"])})
    assert Event.objects.filter(text="Another").count() == 2
    assert Event.objects.filter(text="Once").count() == 4


def test_a_result_that_is_not_kept_any_more_leads_to_the_list(ours: Client, viewer: Client, sent: Appeal) -> None:
    done = reverse("admin:appeals_appeal_many", args=["done"])
    assert "not kept any more" in text(ours.get(f"{done}?result=x", follow=True))
    assert viewer.get(done).status_code == 403


def test_appeals_of_different_people_are_given_to_nobody_by_mistake(
    ours: Client, three: list[Appeal], agent: User
) -> None:
    address = many("assign", *three)
    assert ours.get(address).context["form"]["assignee"].value() == "-"
    assert "assignee" in ours.post(address, {"assignee": "-"}).context["form"].errors
    assert Appeal.objects.filter(assignee=agent).count() == 1
    ours.post(address, {"assignee": agent.pk})
    assert Appeal.objects.filter(assignee=agent).count() == 3
    assert ours.get(address).context["form"]["assignee"].value() == agent.pk


def test_nobody_touches_appeals_of_others_by_naming_them(
    outsider: Client, viewer: Client, ours: Client, three: list[Appeal]
) -> None:
    assert outsider.post(many("resolve", *three), {"outcome": "ignored"}).status_code == 404
    assert viewer.post(many("resolve", *three), {"outcome": "ignored"}).status_code == 403
    assert not Appeal.objects.filter(status="resolved").exists()
    for bad in ("?ids=x", "?ids=", "?ids=" + "-".join(["1"] * 201), ""):
        assert ours.get(reverse("admin:appeals_appeal_many", args=["resolve"]) + bad).status_code == 404
    assert ours.get(many("delete_draft", *three)).status_code == 404


def test_the_preview_takes_as_many_queries_for_fifty_as_for_few(
    ours: Client, three: list[Appeal], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    shop, agent = three[0].shop, three[0].created_by
    more = [
        lifecycle.submit(
            appeal=lifecycle.create(actor=agent, now=SENT, shop=shop, subject=f"Ещё {index}"), actor=agent, now=SENT
        )
        for index in range(50)
    ]
    ours.get(reverse("admin:index"))
    with django_assert_max_num_queries(15):
        assert ours.get(many("escalate", *more)).status_code == 200


# Views


@pytest.mark.parametrize("query", ["turn=junk", "status=zzz", "shop=x", "nonsense=1"])
def test_a_filter_that_nobody_knows_is_named_over_the_whole_list(ours: Client, sent: Appeal, query: str) -> None:
    shown = ours.get(f"{reverse(LIST)}?{query}", follow=True)
    assert "not known here: all rows are shown" in text(shown)
    assert shown.context["cl"].result_count == 1
    assert "not known here" not in text(ours.get(reverse(LIST)))


def test_the_filter_of_assignees_names_the_reader_once_and_all_who_may_be_assigned(
    ours: Client, agent: User, sent: Appeal
) -> None:
    root = User.objects.create_superuser("root@example.com")
    gone = User.objects.create_superuser("gone@example.com", is_active=False)

    def offered(query: str = "") -> list[str]:
        listed = ours.get(reverse(LIST) + query).context["cl"]
        [found] = [one for one in listed.filter_specs if one.parameter_name == "assignee"]
        return [value for value, _label in found.lookup_choices]

    assert offered() == ["me", "nobody", str(root.pk)]
    assert offered(f"?assignee={agent.pk}") == [str(agent.pk), "nobody", str(root.pk)]
    assert str(gone.pk) not in offered()


@pytest.mark.parametrize("listed", [LIST, "admin:appeals_reminderrule_changelist"])
@pytest.mark.parametrize("action", ["resolve_many", "delete_selected"])
def test_an_action_of_a_list_is_refused_to_whom_it_is_not_offered(
    viewer: Client, sent: Appeal, listed: str, action: str
) -> None:
    chosen = {"action": action, "_selected_action": [sent.pk], "index": "0"}
    assert viewer.get(reverse(listed)).status_code == 200
    assert viewer.post(reverse(listed), chosen).status_code == 403


def test_a_list_is_kept_under_a_name_and_only_its_owner_sees_it(ours: Client, viewer: Client, sent: Appeal) -> None:
    save = reverse("admin:appeals_appeal_save_view")
    saved = ours.post(save, {"name": "Срочное", "query": "due=overdue&assignee=me&p=3&e=1"}, follow=True)
    assert "The list “Срочное” is kept." in text(saved)
    kept = SavedView.objects.get()
    assert kept.query == "due=overdue&assignee=me"
    assert "?due=overdue&amp;assignee=me" in text(ours.get(reverse(LIST)))
    assert "Срочное" not in text(viewer.get(reverse(LIST)))
    assert "is replaced" in text(ours.post(save, {"name": "Срочное", "query": "turn=us"}, follow=True))
    kept.refresh_from_db()
    assert kept.query == "turn=us"
    for nothing, said in (
        ({"name": "  ", "query": "turn=us"}, "Give the list a name."),
        ({"name": "Пустое", "query": "x=1"}, "There are no filters to keep"),
    ):
        assert said in text(ours.post(save, nothing, follow=True))
    assert SavedView.objects.count() == 1
    forget = reverse("admin:appeals_appeal_forget_view", args=[kept.pk])
    viewer.post(forget)
    assert SavedView.objects.exists()
    forgotten = ours.post(forget, {"query": "turn=us&p=2"}, follow=True)
    assert forgotten.redirect_chain[0][0].endswith("?turn=us")
    assert "The list “Срочное” is deleted." in text(forgotten)
    assert not SavedView.objects.exists()


def test_a_number_of_a_subject_stays_in_one_line_and_what_is_not_known_is_a_dash(
    ours: Client, shop: Shop, agent: User
) -> None:
    lifecycle.create(actor=agent, now=SENT, shop=shop, subject="<b>: 80010111-0001-1, срочно", assignee=None)
    found = ours.get(reverse(LIST)).content.decode()
    assert '&lt;b&gt;: </span><span class="hub-number">80010111-0001-1</span>' in found
    for name in ("due", "money"):
        assert re.search(rf'field-{name} hub-cell"[^>]*>—</td>', found)


def test_the_money_filter_shows_what_is_worth_pressing_for(ours: Client, shop: Shop, agent: User) -> None:
    for money in (None, 500, 10_000, 250_000):
        lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Тема", amount_at_stake=money)
    for least, count in {"1000": 2, "10000": 2, "100000": 1}.items():
        assert ours.get(reverse(LIST), {"money": least}).context["cl"].result_count == count


def test_a_new_team_is_led_through_its_three_steps(ours: Client, shop: Shop, agent: User) -> None:
    home, title = reverse("admin:index"), "Three steps to the first answer"
    draft = lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Тема", body="Где?")
    shown = text(ours.get(home))
    assert title in shown
    assert "Log an appeal: done." not in shown
    sent = lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    shown = text(ours.get(home, {"mine": "1"}))
    assert title in shown
    assert "Log an appeal: done." in shown
    lifecycle.record_reply(appeal=sent, actor=agent, now=SENT, kind="acknowledgement", text="Ждите")
    assert title not in text(ours.get(home))


def test_a_team_that_logs_on_its_own_is_not_led(ours: Client, shop: Shop, agent: User) -> None:
    for _number in range(4):
        lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Тема")
    assert "Three steps to the first answer" not in text(ours.get(reverse("admin:index")))


def test_the_help_page_names_the_keys(viewer: Client) -> None:
    shown = text(viewer.get(reverse("admin:appeals_appeal_help")))
    assert "Alt+N" in shown
    assert "They ask us something." in shown
