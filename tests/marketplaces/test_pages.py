"""The reference pages, and that the page and the API give the same answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from appeals import lifecycle
from appeals.models import Appeal, Membership, Shop
from hub.models import User
from marketplaces import directory
from marketplaces.models import Channel, EscalationStep, Marketplace, Source, Topic

PAGE = "where-to-write"
START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
CASES = {
    "Ozon, finance, with access, Sunday 03:00": (
        ("ozon", {"topic": "finance", "account_access": "true"}, "2026-11-22T03:00"),
        [
            "seller-chat", "mobile-app", "general-email", "vk-group", "personal-manager-chat", "paper-letter",
            "seller-email", "request-form", "cross-border-email", "management-form", "public-post",
        ],
    ),
    "Ozon, account lost": (
        ("ozon", {"topic": "account", "account_access": "false"}, "2026-11-23T12:00"),
        ["general-email", "vk-group", "paper-letter", "seller-email", "cross-border-email", "public-post"],
    ),
    "Wildberries, mass outage": (
        ("wildberries", {"topic": "outage"}, "2026-11-23T12:00"),
        ["support-dialogues", "live-chat", "paper-letter"],
    ),
    "Yandex Market, account lost": (
        ("yandex_market", {"topic": "account", "account_access": "false"}, "2026-11-23T12:00"),
        ["help-article-form", "paper-letter"],
    ),
    "AliExpress, 07:30": (("aliexpress", {}, "2026-11-23T07:30"), ["seller-chat"]),
    "AliExpress, 12:00": (("aliexpress", {}, "2026-11-23T12:00"), ["seller-chat"]),
}  # fmt: skip


@pytest.fixture
def shipped(db: None) -> None:
    directory.load(now=START)


@pytest.fixture
def viewer(db: None) -> User:
    user = User.objects.create_user("viewer@example.com", language="en", time_zone="Europe/Moscow")
    user.groups.add(Group.objects.get(name="viewer"))
    return user


@pytest.fixture
def agent(db: None) -> User:
    user = User.objects.create_user("agent@example.com", language="en", time_zone="Europe/Moscow")
    user.groups.add(Group.objects.get(name="agent"))
    return user


@pytest.fixture
def market(db: None) -> Marketplace:
    return Marketplace.objects.create(slug="bazaar", name="Базар", name_en="Bazaar")


@pytest.fixture
def shop(market: Marketplace, agent: User) -> Shop:
    shop = Shop.objects.create(name="Tea and Cups", marketplace=market)
    Membership.objects.create(shop=shop, user=agent)
    return shop


def channel(market: Marketplace, **fields: Any) -> Channel:
    values = {"kind": "chat", "name": "Чат", "name_en": "Chat", "address": "in the account", "state": "working"}
    return Channel.objects.create(marketplace=market, source="test", **{**values, **fields})


def answered(shop: Shop, agent: User, channel: Channel, count: int, hours: int) -> None:
    """`count` appeals that were each answered after so many hours, a receipt after a minute aside."""
    for number in range(count):
        sent = START - timedelta(days=30 + number)
        appeal = lifecycle.create(actor=agent, now=sent, shop=shop, channel=channel, subject=f"Matter {number}")
        appeal = lifecycle.submit(appeal=appeal, actor=agent, now=sent)
        for kind, wait in (("acknowledgement", timedelta(minutes=1)), ("answer", timedelta(hours=hours))):
            lifecycle.record_reply(appeal=appeal, actor=agent, now=sent + wait, kind=kind, text="Text")


@pytest.mark.parametrize("case", CASES)
def test_page_and_api_give_the_same_sensible_order(client: Client, shipped: None, viewer: User, case: str) -> None:
    (slug, query, moment), expected = CASES[case]
    client.force_login(viewer)
    page = client.get(reverse(PAGE), {"marketplace": slug, **query, "at": moment})
    api = client.get(f"/api/v1/marketplaces/{slug}/contact/", {**query, "at": f"{moment}:00+03:00"})
    assert (page.status_code, api.status_code) == (200, 200)
    keys = dict(Channel.objects.values_list("pk", "key"))
    assert [keys[found["id"]] for found in api.json()] == expected
    assert [keys[card.pk] for card in page.context["write"]] == expected
    assert [card.place.is_open for card in page.context["write"]] == [found["is_open"] for found in api.json()]


def test_the_chat_of_aliexpress_opens_at_eight_by_the_readers_clock(
    client: Client, shipped: None, viewer: User
) -> None:
    client.force_login(viewer)
    for zone, moment, status in (
        ("Europe/Moscow", "2026-11-23T07:30", "opens in 30\u00a0min"),
        ("Europe/Moscow", "2026-11-23T12:00", "open until 20:00"),
        ("Asia/Yekaterinburg", "2026-11-23T14:00", "open until 22:00 (your time)"),
    ):
        User.objects.update(time_zone=zone)
        page = client.get(reverse(PAGE), {"marketplace": "aliexpress", "at": moment})
        assert page.context["write"][0].place.status == status


def test_every_channel_of_a_marketplace_stands_on_its_page_once(client: Client, shipped: None, viewer: User) -> None:
    client.force_login(viewer)
    for marketplace in Marketplace.objects.all():
        page = client.get(reverse(PAGE), {"marketplace": marketplace.slug, "account_access": "false"})
        shown = [entry for name in ("write", "read", "avoid", "elsewhere") for entry in page.context[name]]
        assert len(shown) == marketplace.channels.count()


def test_a_dead_phone_is_folded_away_with_the_reason_and_cannot_be_called(
    client: Client, market: Marketplace, viewer: User
) -> None:
    channel(market, kind="phone", address="8 800 100-75-05", state="dead", state_reason_en="Drops the call.")
    client.force_login(viewer)
    page = client.get(reverse(PAGE))
    [folded] = page.context["avoid"]
    assert (folded.place.reason, folded.place.link, folded.place.status) == ("Drops the call.", "", "")
    html = page.content.decode()
    assert "8 800 100-75-05" in html
    assert "tel:" not in html


def test_two_addresses_of_one_channel_stand_side_by_side_and_one_is_believed(
    client: Client, market: Marketplace, viewer: User
) -> None:
    believed = channel(market, kind="email", address="right@example.com", name_en="Mail")
    channel(market, kind="email", address="wrong@example.com", state="disputed", contradicts=believed)
    client.force_login(viewer)
    page = client.get(reverse(PAGE))
    assert [rival.address for rival in page.context["write"][0].rivals] == ["wrong@example.com"]
    assert page.context["avoid"][0].believed == "Mail, right@example.com"
    assert "mailto:wrong" not in page.content.decode()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"address": "https://example.com/chat"}, (True, "")),
        ({"kind": "email", "address": "help@example.com"}, (True, "")),
        ({"kind": "post", "address": "1 Long Street, Town"}, (True, "")),
        ({"address": "Profile → the sign in the corner"}, (False, "")),
        ({"kind": "email", "address": "help@example.com", "state": "dead"}, (False, "")),
        ({"address": ""}, (False, "The address is not known.")),
        ({"kind": "phone", "address": ""}, (False, "The number is not known.")),
        ({"kind": "phone", "address": "", "state": "dead"}, (False, "")),
    ],
)
def test_an_address_is_copied_where_that_is_of_use_and_missed_where_there_should_be_one(
    client: Client, market: Marketplace, viewer: User, fields: dict[str, str], expected: tuple[bool, str]
) -> None:
    made = channel(market, **fields)
    EscalationStep.objects.create(marketplace=market, position=1, name="Шаг", channel=made, source="test")
    client.force_login(viewer)
    page = client.get(reverse("escalation-path", args=["bazaar"]))
    shown = page.context["ladders"][0]["steps"][0].place
    assert (shown.is_copied, shown.nowhere) == expected
    assert ("data-copy" in page.content.decode()) is expected[0]


def test_what_a_name_says_already_is_not_said_again(client: Client, market: Marketplace, viewer: User) -> None:
    chat, desk = channel(market, name_en="Chat in the account"), channel(market, kind="ticket_form", name_en="Desk")
    names = [("court", "Suit in the court"), ("other", "Claim"), ("state", "Prosecutor")]
    for number, (where, name) in enumerate(names):
        fields = {"name": name, "takes_place": where, "term_amount": 15, "term_unit": "calendar_days"}
        ground = "The law: 15 days." if where == "state" else ""
        EscalationStep.objects.create(marketplace=market, position=number, term_basis=ground, source="test", **fields)
    client.force_login(viewer)
    cards = {card.pk: card.place.kind for card in client.get(reverse(PAGE)).context["write"]}
    assert cards == {chat.pk: "", desk.pk: "Ticket form"}
    page = client.get(reverse("escalation-path", args=["bazaar"]))
    assert [step.where for step in page.context["ladders"][0]["steps"]] == ["", "", "a state body"]
    html = page.content.decode()
    assert html.count("15\u00a0calendar days") == 3
    assert html.count("<dt>Term</dt>") == 1


def test_topics_of_a_channel_are_named_within_a_sentence(client: Client, market: Marketplace, viewer: User) -> None:
    finance, api = (
        Topic.objects.create(slug=name, name=name, source="test", position=place)
        for place, name in enumerate(("Финансы", "API и обмен данными"))
    )
    channel(market).topics.set([finance])
    channel(market).topics.set([finance, api])
    User.objects.update(language="ru")
    client.force_login(viewer)
    one, two = client.get(reverse(PAGE)).context["write"]
    assert one.marks == ["только по теме: финансы"]
    assert two.marks == ["только по темам: финансы, API и обмен данными"]


def test_a_topic_says_what_to_have_ready_and_what_is_promised(client: Client, shipped: None, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(reverse(PAGE), {"marketplace": "ozon", "topic": "finance", "at": "2026-11-20T12:00"})
    assert page.context["topic"]["required"] == ["dates", "report number", "desired outcome"]
    assert [line.text for line in page.context["general"]] == ["3\u00a0working days, by the end of 25 November"]
    first = page.context["write"][0]
    assert [(line.kind, line.text) for line in first.promises] == [
        ("First reply", "30\u00a0minutes, by 12:30 on 20 November")
    ]
    assert [part.text for part in first.promises[0].citation.parts] == ["S0"]
    assert "S0" in [source.key for source in page.context["references"].cited]


def test_our_own_replies_are_shown_once_there_are_enough_and_only_those_one_may_see(
    client: Client, market: Marketplace, shop: Shop, agent: User, viewer: User
) -> None:
    desk = channel(market)
    answered(shop, agent, desk, count=4, hours=7)
    client.force_login(agent)
    assert client.get(reverse(PAGE)).context["write"][0].measured == ""
    [known] = client.get("/api/v1/marketplaces/bazaar/contact/").json()
    assert known["measured"] == {"median": 7 * 3600, "count": 4}
    answered(shop, agent, desk, count=1, hours=7)
    assert "7\u00a0h" in client.get(reverse(PAGE)).context["write"][0].measured
    client.force_login(viewer)
    assert client.get(reverse(PAGE)).context["write"][0].measured == ""


def test_log_the_appeal_opens_the_form_filled_in(
    client: Client, market: Marketplace, shop: Shop, agent: User, viewer: User
) -> None:
    desk = channel(market)
    topic = Topic.objects.create(slug="finance", name="Финансы", source="test")
    client.force_login(agent)
    page = client.get(reverse(PAGE), {"marketplace": "bazaar", "topic": "finance"})
    address = f"{page.context['log_url']}&channel={desk.pk}"
    assert address.replace("&", "&amp;") in page.content.decode()
    form = client.get(address).context["form"]
    assert (form["shop"].value(), form["topic"].value(), form["channel"].value()) == (
        str(shop.pk),
        str(topic.pk),
        str(desk.pk),
    )
    client.force_login(viewer)
    assert client.get(reverse(PAGE)).context["log_url"] == ""


def test_the_menu_offers_it_first_to_everybody_who_may_log_in(client: Client, shipped: None, viewer: User) -> None:
    client.force_login(viewer)
    home = client.get(reverse("admin:index"))
    assert home.context["sidebar_navigation"][0]["items"][0]["link"] == reverse(PAGE)
    nobody = User.objects.create_user("nobody@example.com")
    client.force_login(nobody)
    assert client.get(reverse(PAGE)).status_code == 200
    assert client.get(reverse("escalation-path", args=["ozon"])).status_code == 200


@pytest.mark.parametrize("path", ["/admin/where-to-write/", "/admin/escalation-path/ozon/"])
def test_who_may_not_open_the_workplace_is_sent_to_log_in(client: Client, shipped: None, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/admin/login/")
    client.force_login(User.objects.create_user("program@example.com", is_staff=False))
    assert client.get(path).headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    "query",
    [
        {"topic": "no-such-topic"},
        {"topic": "wildberries-digital-goods", "marketplace": "ozon"},
        {"at": "tomorrow"},
        {"at": "0001-01-01T00:00"},
        {"at": "9999-12-31T23:59"},
        {"at": "2098-12-31T23:59"},
        {"account_access": "perhaps"},
        {"topic": "\x00"},
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_answered(
    client: Client, shipped: None, viewer: User, query: dict[str, str]
) -> None:
    client.force_login(viewer)
    page = client.get(reverse(PAGE), query)
    assert page.status_code == 200
    assert set(page.context["form"].errors) == {name for name in query if name != "marketplace"}
    assert page.context["write"]


def test_an_unknown_marketplace_is_not_found_and_an_empty_directory_says_so(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert "load_directory" in client.get(reverse(PAGE)).content.decode()
    assert client.get(reverse("escalation-path", args=["nowhere"])).status_code == 404
    Marketplace.objects.create(slug="bazaar", name="Базар")
    assert client.get(reverse(PAGE), {"marketplace": "nowhere"}).status_code == 404


def test_another_marketplace_is_asked_the_same_question(client: Client, shipped: None, viewer: User) -> None:
    client.force_login(viewer)
    query = {"marketplace": "ozon", "topic": "finance", "account_access": "false", "at": "2026-11-22T03:00"}
    tabs = {tab["name"]: tab["url"] for tab in client.get(reverse(PAGE), query).context["tabs"]}
    other = "?marketplace=wildberries&topic=finance&account_access=false&at=2026-11-22T03%3A00"
    assert tabs["Wildberries"] == other
    own = client.get(reverse(PAGE), query | {"topic": "ozon-volume-weight"}).context["tabs"]
    assert "topic" not in {tab["name"]: tab["url"] for tab in own}["Wildberries"]


def test_the_escalation_path_is_a_ladder_with_buyers_steps_apart(client: Client, shipped: None, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(reverse("escalation-path", args=["ozon"]))
    sellers, buyers = page.context["ladders"]
    assert (len(sellers["steps"]), len(buyers["steps"])) == (12, 6)
    terms = {step.term for step in sellers["steps"] if step.term}
    assert terms == {"15\u00a0calendar days", "30\u00a0calendar days"}
    html = page.content.decode()
    for step in (*sellers["steps"], *buyers["steps"]):
        assert step.citation.parts
        assert all(f'id="{earlier.anchor}"' in html for earlier in step.after)
    assert any(step.after for step in sellers["steps"])
    assert "24\u00a0hours" in [rule.term for rule in page.context["rules"]]
    assert [part["title"] for part in page.context["support"]] == [
        "What support deals with",
        "What support does not deal with",
    ]


def test_a_fact_says_where_it_is_from_and_that_nobody_checked_it_for_long(
    client: Client, market: Marketplace, viewer: User
) -> None:
    source = Source.objects.create(
        key="X1", title="Статья", title_en="An article", url="https://example.com", grade="C"
    )
    today = timezone.localdate()
    fields: dict[str, Any] = {"source": "X1, a friend", "verified_by": viewer}
    old = today - timedelta(days=settings.STALE_AFTER_DAYS + 1)
    Channel.objects.create(marketplace=market, kind="chat", name="Старый", verified_on=old, **fields)
    Channel.objects.create(marketplace=market, kind="chat", name="Новый", verified_on=today, **fields)
    client.force_login(viewer)
    page = client.get(reverse(PAGE))
    stale, fresh = [card.place.citation for card in page.context["write"]]
    assert (stale.is_stale, fresh.is_stale) == (True, False)
    assert [(part.text, part.listed) for part in fresh.parts] == [("X1", True), ("a friend", False)]
    assert (fresh.verified_on, fresh.verified_by) == (today, "viewer@example.com")
    html = page.content.decode()
    assert f'<a href="{source.url}" target="_blank" rel="noopener noreferrer">An article</a>' in html
    assert html.count("not checked for long") == 1


def test_a_step_that_cannot_be_taken_yet_says_from_when(client: Client, market: Marketplace, viewer: User) -> None:
    EscalationStep.objects.create(
        marketplace=market, position=1, name="Жалоба", available_from=datetime(2090, 10, 1, tzinfo=UTC), source="test"
    )
    client.force_login(viewer)
    page = client.get(reverse("escalation-path", args=["bazaar"]))
    assert "2090" in page.context["ladders"][0]["steps"][0].available_from


def test_texts_of_the_directory_are_not_markup(client: Client, market: Marketplace, viewer: User) -> None:
    bad = "<script>alert(1)</script>"
    channel(market, name=bad, name_en=bad, address=bad, remarks=bad, instructions=bad, state_reason=bad)
    EscalationStep.objects.create(marketplace=market, position=1, name=bad, instructions=bad, source=bad)
    client.force_login(viewer)
    for path in (reverse(PAGE), reverse("escalation-path", args=["bazaar"])):
        html = client.get(path).content.decode()
        assert "&lt;script&gt;" in html
        assert "<script>alert" not in html


@pytest.mark.parametrize("path", ["where-to-write", "api", "escalation-path"])
def test_queries_do_not_grow_with_channels_steps_or_appeals(
    client: Client, market: Marketplace, shop: Shop, agent: User, path: str
) -> None:
    address = {
        "where-to-write": "/admin/where-to-write/?topic=finance",
        "api": "/api/v1/marketplaces/bazaar/contact/?topic=finance",
        "escalation-path": "/admin/escalation-path/bazaar/",
    }[path]
    topic = Topic.objects.create(slug="finance", name="Финансы", source="test")
    client.force_login(agent)

    def grow(count: int) -> None:
        for number in range(count):
            made = channel(market, verified_by=agent, state=["working", "dead"][number % 2])
            made.topics.add(topic)
            step = EscalationStep.objects.create(
                marketplace=market, position=number, name="Шаг", channel=made, source="test", verified_by=agent
            )
            step.requires.set(EscalationStep.objects.exclude(pk=step.pk)[:2])
            answered(shop, agent, made, count=1, hours=2)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    grow(4)
    queries()  # what is read once per process
    few = queries()
    grow(12)
    assert Appeal.objects.count() == 16
    assert queries() == few
