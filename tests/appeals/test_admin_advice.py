"""At the screen: the review of what is typed, and the way back from what was done; outsiders get neither."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from appeals import lifecycle
from appeals.models import Appeal, Membership, Shop
from hub.models import User
from marketplaces.models import Channel, Topic

REVIEW = "admin:appeals_appeal_review"
REVIEW_OF = "admin:appeals_appeal_review_of"


def with_role(user: User, role: str) -> Client:
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def undo_of(appeal: Appeal) -> str:
    return reverse("admin:appeals_appeal_undo", args=[appeal.pk])


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


def test_the_form_is_reviewed_as_it_is_filled_in(ours: Client, shop: Shop, finance: Topic, desk: Channel) -> None:
    finance.required = ["order_number"]
    finance.save()
    form = {"shop": shop.pk, "topic": finance.pk, "channel": desk.pk, "subject": "Деньги", "body": "  Вы\r\nворы!"}
    answer = ours.post(reverse(REVIEW), form)
    assert "There is no order number." in text(answer)
    # counted in the text as it was typed: two spaces, "Вы", one line feed
    assert 'data-field="body" data-start="5" data-end="9"' in text(answer)
    assert "must be mended" in text(answer)
    better = ours.post(
        reverse(REVIEW), form | {"order_numbers": "12345678-0001-1", "body": "Прошу выплатить за 12.10."}
    )
    assert "There is no order number." not in text(better)


def test_without_a_shop_nothing_is_said_but_to_choose_one(ours: Client, shop: Shop) -> None:
    answer = ours.post(reverse(REVIEW), {"subject": "Пиздец"})
    assert answer.status_code == 200
    assert "Choose a shop" in text(answer)
    assert "hub-finding " not in text(answer)


def test_a_saved_draft_is_reviewed_with_its_own_shop_and_files(ours: Client, draft: Appeal) -> None:
    answer = ours.post(
        reverse(REVIEW_OF, args=[draft.pk]), {"subject": "x", "body": "Скриншот прилагаю.", "attached": "1"}
    )
    assert "there are none" not in text(answer)
    answer = ours.post(
        reverse(REVIEW_OF, args=[draft.pk]), {"subject": "x", "body": "Скриншот прилагаю.", "attached": "0"}
    )
    assert "there are none" in text(answer)


def test_a_review_takes_few_queries(
    ours: Client, draft: Appeal, shop: Shop, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    form = {
        "shop": shop.pk,
        "topic": draft.topic_id,
        "channel": draft.channel_id,
        "subject": "x",
        "body": "Слово за слово.",
    }
    ours.post(reverse(REVIEW), form)
    with django_assert_max_num_queries(12):
        assert ours.post(reverse(REVIEW), form).status_code == 200


def test_a_form_that_cannot_be_reviewed_says_what_is_wrong(ours: Client, shop: Shop) -> None:
    said = text(ours.post(reverse(REVIEW), {"shop": shop.pk, "order_numbers": "1" * 150}))
    assert "Order numbers: “11111111111111111111…” is too long" in said
    assert "Choose a shop" not in said


def test_who_only_reads_a_draft_is_led_to_no_form(viewer: Client, ours: Client, draft: Appeal) -> None:
    address = reverse("admin:appeals_appeal_change", args=[draft.pk])
    assert "?edit=1#id_body" in text(ours.get(address))
    seen = text(viewer.get(address))
    assert "hub-finding " in seen
    assert "?edit=1" not in seen


def test_what_is_too_much_or_broken_is_no_error_of_ours(ours: Client, shop: Shop) -> None:
    for form in (
        {"shop": shop.pk, "body": "x" * 100_001},
        {"shop": "nobody", "previous": "?", "attached": "-1"},
        {"shop": shop.pk, "order_numbers": "1" * 101},
    ):
        assert ours.post(reverse(REVIEW), form).status_code == 200
    assert ours.get(reverse(REVIEW)).status_code == 405
    huge = ours.post(reverse(REVIEW), {"shop": shop.pk, "body": "x" * 3_000_000})
    assert huge.status_code in (400, 413)


def test_outsiders_and_viewers_get_no_review(outsider: Client, viewer: Client, draft: Appeal, shop: Shop) -> None:
    form = {"shop": shop.pk, "subject": "x", "body": "Пиздец"}
    assert "hub-finding " not in text(outsider.post(reverse(REVIEW), form))
    assert outsider.post(reverse(REVIEW_OF, args=[draft.pk]), form).status_code == 404
    assert viewer.post(reverse(REVIEW), form).status_code == 403
    assert viewer.post(reverse(REVIEW_OF, args=[draft.pk]), form).status_code == 403
    careless = Client(enforce_csrf_checks=True)
    careless.force_login(User.objects.get(email="agent@example.com"))
    assert careless.post(reverse(REVIEW), form).status_code == 403


def test_the_page_of_a_draft_says_what_is_lacking_and_that_of_a_sent_appeal_does_not(
    ours: Client, draft: Appeal
) -> None:
    shown = text(ours.get(draft.get_absolute_url()))
    assert "Check before sending" in shown
    assert "The text is empty." in shown
    assert 'href="?edit=1#id_body"' in shown
    lifecycle.submit(appeal=draft, actor=draft.assignee, now=timezone.now())
    assert "Check before sending" not in text(ours.get(draft.get_absolute_url()))


def test_what_was_done_is_undone_from_the_page(ours: Client, draft: Appeal) -> None:
    ours.post(reverse("admin:appeals_appeal_verb", args=[draft.pk, "submit"]), {})
    shown = ours.get(draft.get_absolute_url())
    event = draft.events.get(kind="submitted")
    button = f'<button type="submit" form="undo" name="event" value="{event.pk}"'
    assert text(shown).count(button) == 2  # in the message, and on the line of the timeline
    assert f'id="undo" action="{undo_of(draft)}"' in text(shown)
    assert "10 min left" in text(shown)

    answer = ours.post(undo_of(draft), {"event": event.pk}, follow=True)
    assert "Undone: everything is as it was before." in text(answer)
    assert "<s>Sent</s>" in text(answer)
    assert "Undone: sent" in text(answer)
    assert button not in text(answer)
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_what_cannot_be_undone_is_said_on_the_page(ours: Client, sent: Appeal, agent: User) -> None:
    now = timezone.now()
    with time_machine.travel(now + timedelta(minutes=11), tick=False):
        lifecycle.snooze(appeal=sent, actor=agent, now=now, until=now + timedelta(days=1))
        assert 'form="undo"' not in text(ours.get(sent.get_absolute_url()))
        event = sent.events.get(kind="snoozed")
        assert "that time is over" in text(ours.post(undo_of(sent), {"event": event.pk}, follow=True))
    for number in ("", "x", "0", "9" * 30):
        assert "There is nothing to undo." in text(ours.post(undo_of(sent), {"event": number}, follow=True))
    assert ours.get(undo_of(sent)).status_code == 405


def test_outsiders_viewers_and_colleagues_undo_nothing(
    outsider: Client, viewer: Client, sent: Appeal, agent: User, shop: Shop
) -> None:
    now = timezone.now()
    lifecycle.snooze(appeal=sent, actor=agent, now=now, until=now + timedelta(days=1))
    event = {"event": sent.events.get(kind="snoozed").pk}
    colleague = User.objects.create_user("colleague@example.com", language="en")
    Membership.objects.create(shop=shop, user=colleague)
    theirs = with_role(colleague, "agent")
    assert outsider.post(undo_of(sent), event).status_code == 404
    assert viewer.post(undo_of(sent), event).status_code == 403
    assert theirs.post(undo_of(sent), event).status_code == 403
    assert 'form="undo"' not in text(theirs.get(sent.get_absolute_url()))
    sent.refresh_from_db()
    assert sent.snoozed_until
