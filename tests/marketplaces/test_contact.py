"""Which channel comes first, and which are not offered at all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplaces import addresses
from marketplaces.contact import ENOUGH, Measured, Reason, rank
from marketplaces.models import Channel, Marketplace, Topic

NIGHT = datetime(2026, 10, 5, 0, 0, tzinfo=UTC)  # Monday, 03:00 in Moscow
NOON = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
OFFICE = "Mo-Fr 09:00-18:00"


@pytest.fixture
def market(db: None) -> Marketplace:
    return Marketplace.objects.create(slug="bazaar", name="Базар")


@pytest.fixture
def finance(db: None) -> Topic:
    return Topic.objects.create(slug="finance", name="Финансы", source="test")


def channel(market: Marketplace, key: str, **fields: Any) -> Channel:
    values = {"kind": "chat", "name": key, "address": "somewhere", "state": "working", "source": "test"}
    return Channel.objects.create(marketplace=market, key=key, **{**values, **fields})


def order(market: Marketplace, at: datetime = NOON, **asked: Any) -> list[str]:
    return [contact.channel.key for contact in rank(market, at=at, **asked).write]


def test_working_comes_before_unconfirmed_whatever_else(market: Marketplace) -> None:
    channel(market, "doubtful", state="unconfirmed", first_reply_typical=timedelta(minutes=1))
    channel(market, "closed", opening_hours="Sa 09:00-10:00")
    assert order(market) == ["closed", "doubtful"]


def test_open_comes_before_closed_and_before_unknown(market: Marketplace) -> None:
    channel(market, "office", opening_hours=OFFICE)
    channel(market, "unknown", opening_hours="")
    channel(market, "always")
    assert order(market, NOON) == ["office", "always", "unknown"]
    assert order(market, NIGHT) == ["always", "office", "unknown"]


def test_without_the_account_what_needs_it_is_not_offered_and_what_was_made_for_it_comes_first(
    market: Marketplace,
) -> None:
    channel(market, "inside", needs_login=True)
    channel(market, "outside")
    channel(market, "lost", works_without_account=True)
    assert order(market) == ["inside", "outside", "lost"]
    assert order(market, account_access=False) == ["lost", "outside"]
    places = rank(market, at=NOON, account_access=False)
    assert [(aside.channel.key, aside.reason) for aside in places.aside] == [("inside", Reason.NO_ACCESS)]


def test_made_for_the_topic_comes_before_made_for_any_and_other_topics_are_set_aside(
    market: Marketplace, finance: Topic
) -> None:
    other = Topic.objects.create(slug="other", name="Иное", source="test")
    channel(market, "any")
    channel(market, "special").topics.add(finance)
    channel(market, "wrong").topics.add(other)
    assert order(market, topic=finance) == ["special", "any"]
    assert [aside.channel.key for aside in rank(market, at=NOON, topic=finance).aside] == ["wrong"]
    assert order(market) == ["any", "special", "wrong"]


def test_the_shorter_promise_comes_first_and_hearsay_counts_where_nothing_is_promised(market: Marketplace) -> None:
    channel(market, "hearsay-slow", first_reply_typical=timedelta(hours=5))
    channel(market, "hearsay-fast", first_reply_typical=timedelta(minutes=5))
    promises = {
        channel(market, "day").pk: timedelta(days=1),
        channel(market, "hour").pk: timedelta(hours=1),
    }
    assert order(market, promised=lambda row: promises.get(row.pk)) == ["hour", "day", "hearsay-fast", "hearsay-slow"]


def test_our_own_measure_beats_the_promise_once_there_is_enough_of_it(market: Marketplace) -> None:
    fast, slow = channel(market, "promises-much"), channel(market, "promises-little")
    promises = {fast.pk: timedelta(minutes=5), slow.pk: timedelta(days=1)}

    def measured(count: int) -> dict[int, Measured]:
        return {fast.pk: Measured(timedelta(days=3), count), slow.pk: Measured(timedelta(hours=1), count)}

    few, enough = measured(ENOUGH - 1), measured(ENOUGH)
    assert order(market, promised=lambda row: promises[row.pk], measured=few) == ["promises-much", "promises-little"]
    assert order(market, promised=lambda row: promises[row.pk], measured=enough) == [
        "promises-little",
        "promises-much",
    ]


def test_paper_and_public_posts_are_the_last_resort_and_a_known_address_is_better_than_none(
    market: Marketplace,
) -> None:
    channel(market, "paper", kind="post")
    channel(market, "lost-address", address="")
    channel(market, "chat")
    assert order(market) == ["chat", "lost-address", "paper"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": "dead"}, Reason.STATE),
        ({"state": "historic"}, Reason.STATE),
        ({"state": "disputed"}, Reason.STATE),
        ({"audience": "buyers"}, Reason.BUYERS),
        ({"audience": "buyers", "state": "dead"}, Reason.STATE),
        ({"audience": "other"}, Reason.OTHERS),
        ({"kind": "phone", "address": ""}, Reason.NO_ADDRESS),
        ({"kind": "telegram", "address": "", "state": "unconfirmed"}, Reason.NO_ADDRESS),
    ],
)
def test_what_nobody_should_write_to_is_set_aside_with_the_reason(
    market: Marketplace, fields: dict[str, str], reason: Reason
) -> None:
    row = channel(market, "bad", **fields)
    places = rank(market, at=NOON)
    assert (places.write, places.read) == ([], [])
    assert [(aside.channel, aside.reason) for aside in places.aside] == [(row, reason)]


def test_where_nobody_answers_is_read_and_not_written_to(market: Marketplace) -> None:
    channel(market, "help", kind="help_centre")
    places = rank(market, at=NOON)
    assert [contact.channel.key for contact in places.read] == ["help"]
    assert places.write == []


def test_what_is_retired_is_nowhere(market: Marketplace) -> None:
    channel(market, "gone", retired_at=NOON)
    places = rank(market, at=NOON)
    assert (places.write, places.read, places.aside) == ([], [], [])


def test_the_reason_names_what_weighs(market: Marketplace, finance: Topic) -> None:
    row = channel(market, "desk", opening_hours=OFFICE, works_without_account=True)
    row.topics.add(finance)
    found = rank(
        market,
        at=datetime(2026, 10, 5, 4, 0, tzinfo=UTC),
        topic=finance,
        account_access=False,
        promised=lambda channel: timedelta(hours=2),
        measured={row.pk: Measured(timedelta(hours=3), 7)},
    ).write[0]
    assert (found.is_open, found.opens_at) == (False, datetime(2026, 10, 5, 6, 0, tzinfo=UTC))
    for part in ("2", "3", "7", str(finance)):
        assert part in found.why


def test_hours_that_nobody_asks_for_are_not_called_unknown(market: Marketplace) -> None:
    for kind in ("chat", "post", "public_post"):
        channel(market, kind, kind=kind, opening_hours="")
    said = {found.channel.key: found.why for found in rank(market, at=NOON).write}
    assert said == {"chat": "Working; hours unknown.", "post": "Working.", "public_post": "Working."}


@pytest.mark.parametrize(
    ("kind", "address", "link"),
    [
        ("chat", "https://seller.example.com/chat?a=1", "https://seller.example.com/chat?a=1"),
        ("email", "help@example.com", "mailto:help@example.com"),
        ("phone", "8 800 234-70-00", "tel:88002347000"),
        ("phone", "+7 (495) 009-70-70", "tel:+74950097070"),
        ("chat", "8 800 234-70-00", ""),
        ("chat", "Профиль → значок чата", ""),
        ("chat", "javascript:alert(1)", ""),
        ("chat", "JavaScript://example.com/%0aalert(1)", ""),
        ("chat", "data:text/html,x", ""),
        ("chat", "https://", ""),
        ("chat", "https://[bad", ""),
        ("chat", "https://example.com/ and more", ""),
        ("email", "one@example.com, two@example.com", ""),
        ("post", "", ""),
    ],
)
def test_only_pages_letters_and_calls_become_links(kind: str, address: str, link: str) -> None:
    assert addresses.link(Channel(kind=kind, address=address)) == link
