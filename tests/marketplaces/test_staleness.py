"""What nobody has checked for long: marked, listed, and mailed once a week."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from hub.models import User
from marketplaces import staleness
from marketplaces.models import Channel, Marketplace, StaleDigest, Topic
from tests.marketplaces.workplace import listed

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
OLD = date(2026, 8, 1)


@pytest.fixture
def fresh(market: Marketplace) -> Channel:
    return Channel.objects.create(
        marketplace=market, kind="email", name="Почта", source="S1", verified_on=date(2026, 11, 1)
    )


def test_the_limit_is_the_setting(settings: Any, chat: Channel) -> None:
    chat.verified_on = date(2026, 8, 25)  # 90 days before
    assert not staleness.is_stale(chat, NOW.date())
    assert staleness.is_stale(chat, NOW.date() + timedelta(days=1))
    settings.STALE_AFTER_DAYS = 89
    assert staleness.is_stale(chat, NOW.date())


def test_lists_mark_it_and_filter_it(client: Client, editor: User, chat: Channel, fresh: Channel) -> None:
    Channel.objects.filter(pk=fresh.pk).update(verified_on=timezone.localdate() - timedelta(days=1))
    Channel.objects.filter(pk=chat.pk).update(verified_on=timezone.localdate() - timedelta(days=120))
    client.force_login(editor)
    assert client.get(listed("channel")).content.decode().count("not checked for 120 days") == 1
    assert list(client.get(listed("channel", "?checked=stale")).context["cl"].result_list) == [chat]


def test_editors_get_one_mail_with_what_is_stale(
    editor: User, chat: Channel, fresh: Channel, mailoutbox: list[Any]
) -> None:
    User.objects.create_user("viewer@example.com")
    User.objects.create_superuser("root@example.com")
    Topic.objects.create(slug="money", name="Деньги", name_en="Money", source="S1", verified_on=OLD)
    assert staleness.send_digest(NOW) == 1
    (mail,) = mailoutbox
    assert mail.to == ["editor@example.com"]
    assert mail.subject == "2 entries of the directory have not been checked for a long time"
    assert "Chat" in mail.body
    assert f"/admin/marketplaces/channel/{chat.pk}/change/" in mail.body
    assert "For all marketplaces" in mail.body
    assert "Почта" not in mail.body


def test_no_more_than_one_mail_a_week_however_often_the_beat_rings(
    editor: User, chat: Channel, mailoutbox: list[Any]
) -> None:
    for hours in (0, 0, 1, 24, 6 * 24):
        staleness.send_digest(NOW + timedelta(hours=hours))
    assert len(mailoutbox) == 1
    staleness.send_digest(NOW + timedelta(days=7))
    assert len(mailoutbox) == 2


def test_of_two_beats_at_once_one_sends(chat: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    today = NOW.date()
    StaleDigest.objects.create(pk=1, sent_on=OLD)
    read = StaleDigest.objects.get

    def overtaken(**query: Any) -> StaleDigest:
        """The other beat claims the digest after this one has read the row."""
        row = read(**query)
        StaleDigest.objects.filter(pk=1).update(sent_on=today)
        return row

    monkeypatch.setattr(StaleDigest.objects, "get", overtaken)
    assert staleness._claim(today) is None


def test_nothing_stale_no_mail(editor: User, fresh: Channel, mailoutbox: list[Any]) -> None:
    assert staleness.send_digest(NOW) == 0
    assert not mailoutbox
    assert not StaleDigest.objects.exists()


def test_without_editors_the_administrators_are_told(db: None, chat: Channel, mailoutbox: list[Any]) -> None:
    User.objects.create_superuser("root@example.com")
    User.objects.create_superuser("gone@example.com", is_active=False)
    staleness.send_digest(NOW)
    assert [mail.to for mail in mailoutbox] == [["root@example.com"]]


def test_a_mail_server_that_is_away_costs_no_week(
    editor: User, chat: Channel, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: EmailBackend, messages: Any) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", away)
        assert staleness.send_digest(NOW) == 0
    assert staleness.send_digest(NOW + timedelta(days=1)) == 1
    assert len(mailoutbox) == 1


def test_the_mail_speaks_the_readers_language(editor: User, chat: Channel, mailoutbox: list[Any]) -> None:
    User.objects.update(language="ru")
    staleness.send_digest(NOW)
    assert "Чат" in mailoutbox[0].body


def test_the_number_of_queries_does_not_grow(
    editor: User, market: Marketplace, chat: Channel, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(50):
        Channel.objects.create(marketplace=market, kind="chat", name=f"Чат {number}", source="S1", verified_on=OLD)
    with django_assert_max_num_queries(20):
        staleness.send_digest(NOW)


def test_an_editor_whose_zone_can_be_read_no_more_is_told_by_the_hubs_clock(
    editor: User, chat: Channel, mailoutbox: list[Any]
) -> None:
    Channel.objects.filter(pk=chat.pk).update(verified_on=OLD)
    User.objects.filter(pk=editor.pk).update(time_zone="Europe/Gone")
    assert staleness.send_digest(NOW) == len(mailoutbox) == 1
