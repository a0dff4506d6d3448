"""One fault, many orders and shops: all appeals in one go, once, each with its own numbers. Times are Moscow's."""

import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appeals import incidents, lifecycle, orders
from appeals.incidents import Facts, Part, Text
from appeals.models import Appeal, Deadline, Event, Incident, IncidentBatch, Membership, Shop
from appeals.orders import Order
from hub.models import User
from marketplaces.models import Channel, Marketplace, Topic
from tests.appeals.conftest import SENT, moscow

TEXT = Text("Payment of {numbers}", "Orders {numbers} of {shop}: {amount} roubles are missing.", "Pay {count}")
NOW = moscow("2026-10-05 12:00")


@pytest.fixture
def shops(shop: Shop, market: Marketplace, agent: User) -> list[Shop]:
    """Three shops of the agent's, one of them on another marketplace."""
    other = Marketplace.objects.create(slug="souk", name="Сук", name_en="Souk")
    more = [Shop.objects.create(name="Cups", marketplace=market), Shop.objects.create(name="Pots", marketplace=other)]
    for one in more:
        Membership.objects.create(shop=one, user=agent, is_lead=True)
    return [shop, *more]


def parts(shops: list[Shop], count: int, channel: Channel | None = None) -> list[Part]:
    return [
        Part(
            shop,
            [Order(f"{shop.pk}-{number:05}", Decimal(100)) for number in range(count)],
            channel if channel and channel.marketplace_id == shop.marketplace_id else None,
        )
        for shop in shops
    ]


def make(agent: User, given: list[Part], **facts: object) -> IncidentBatch:
    values = {"text": TEXT, "facts": Facts(assignee=agent), "token": uuid.uuid4(), "title": "Payments stopped"} | facts
    return incidents.make(actor=agent, now=NOW, parts=given, **values)  # type: ignore[arg-type]


def test_each_appeal_has_the_text_with_its_own_numbers(agent: User, shops: list[Shop]) -> None:
    batch = make(agent, parts(shops, 2))
    assert batch.count == 6
    appeal = Appeal.objects.filter(shop=shops[1]).order_by("pk").first()
    assert appeal is not None
    number = f"{shops[1].pk}-00000"
    assert (appeal.status, appeal.incident, appeal.order_numbers) == ("draft", batch.incident, [number])
    assert appeal.subject == f"Payment of {number}"
    assert appeal.body.startswith(f"Orders {number} of Cups: 100")
    assert appeal.desired_outcome == "Pay 1"
    assert appeal.amount_at_stake == 100
    assert Appeal.objects.search(number).get() == appeal
    assert [event.kind for event in appeal.events.all()] == ["created"]


@pytest.mark.parametrize(("size", "held"), [(1, [1, 1, 1]), (2, [2, 1]), (None, [3])])
def test_so_many_orders_stand_in_one_appeal(agent: User, shop: Shop, size: int | None, held: list[int]) -> None:
    make(agent, parts([shop], 3), facts=Facts(per_appeal=size))
    appeals = Appeal.objects.order_by("pk")
    assert [len(appeal.order_numbers) for appeal in appeals] == held
    assert [appeal.amount_at_stake for appeal in appeals] == [Decimal(100 * count) for count in held]


def test_what_is_made_as_sent_is_what_the_verbs_would_have_made(
    agent: User, shops: list[Shop], desk: Channel, finance: Topic
) -> None:
    make(agent, parts(shops[:1], 1, desk), facts=Facts(topic=finance, assignee=agent), sent_at=SENT)
    bulk = Appeal.objects.get()
    one = lifecycle.create(
        actor=agent, now=NOW, shop=shops[0], topic=finance, channel=desk, subject="One", assignee=agent
    )
    one = lifecycle.submit(appeal=one, actor=agent, now=NOW, at=SENT)
    same = ("status", "submitted_at", "next_due_at", "assignee", "version")
    assert [getattr(bulk, name) for name in same[:-1]] == [getattr(one, name) for name in same[:-1]]
    assert _clocks(bulk) == _clocks(one)
    assert _lines(bulk) == _lines(one)


def _clocks(appeal: Appeal) -> list[dict[str, object]]:
    left_out = {"id", "appeal", "appeal_id"}
    rows = Deadline.objects.filter(appeal=appeal).order_by("kind").values()
    return [{name: value for name, value in row.items() if name not in left_out} for row in rows]


def _lines(appeal: Appeal) -> list[tuple[object, ...]]:
    events = Event.objects.filter(appeal=appeal).order_by("id")
    return list(events.values_list("kind", "at", "recorded_at", "actor", "text", "data"))


def test_three_hundred_orders_in_three_shops_are_made_in_one_go(
    agent: User, shops: list[Shop], desk: Channel, finance: Topic
) -> None:
    with CaptureQueriesContext(connection) as queries:
        batch = make(agent, parts(shops, 100, desk), facts=Facts(topic=finance, assignee=agent), sent_at=SENT)
    assert len(queries) <= 70  # SQLite takes at most 999 values at a time; PostgreSQL needs about 25
    assert batch.count == Appeal.objects.filter(incident=batch.incident, status="waiting").count() == 300
    assert Event.objects.count() == 600
    assert Deadline.objects.filter(kind="answer").count() == 200  # the third marketplace promises nothing
    assert Appeal.objects.filter(next_due_at=None).count() == 100


@pytest.mark.postgres
@pytest.mark.django_db
def test_the_same_on_postgresql(agent: User, shops: list[Shop], desk: Channel, finance: Topic) -> None:
    with CaptureQueriesContext(connection) as queries:
        make(agent, parts(shops, 100, desk), facts=Facts(topic=finance, assignee=agent), sent_at=SENT)
    assert len(queries) <= 40
    assert Appeal.objects.filter(status="waiting").count() == 300
    numbers = [f"{shops[0].pk}-{number:05}" for number in range(150)]
    assert len(orders.appealed([shops[0].pk], numbers)) == 100


def test_the_same_form_sent_twice_makes_them_once(agent: User, shop: Shop) -> None:
    token = uuid.uuid4()
    first = make(agent, parts([shop], 3), token=token)
    assert make(agent, parts([shop], 3), token=token) == first
    assert (Appeal.objects.count(), Incident.objects.count()) == (3, 1)


def test_more_appeals_join_an_incident(agent: User, shops: list[Shop]) -> None:
    first = make(agent, parts(shops[:1], 2))
    second = make(agent, parts(shops[1:2], 1), incident=first.incident)
    assert first.incident == second.incident
    assert first.incident.appeals.count() == 3


def test_what_does_not_fit_is_refused_and_nothing_is_made(agent: User, shops: list[Shop], desk: Channel) -> None:
    foreign = Channel.objects.create(marketplace=shops[2].marketplace, kind="chat", name="Чат", source="test")
    stranger = User.objects.create_user("stranger@example.com")
    given = parts(shops, 1, desk)
    refused: list[tuple[str, dict[str, object]]] = [
        ("body", {"text": replace(TEXT, body="No numbers here")}),
        ("body", {"text": replace(TEXT, body="{numbers} {nonsense}")}),
        ("subject", {"text": replace(TEXT, subject="{numbers}" * 80)}),
        ("assignee", {"facts": Facts(assignee=stranger)}),
        ("sent_at", {"sent_at": moscow("2026-10-06 12:00")}),
        ("title", {"title": ""}),
    ]
    for field, facts in refused:
        with pytest.raises(ValidationError) as caught:
            make(agent, given, **facts)
        assert list(caught.value.message_dict) == [field]
    with pytest.raises(ValidationError) as caught:
        make(agent, [replace(given[0], channel=foreign)])
    assert caught.value.message_dict["channel"][0].startswith(f"{shops[0]}: ")
    for none in ([], [Part(shops[0], [])], parts([shops[0]], incidents.LIMIT + 1)):
        with pytest.raises(ValidationError):
            make(agent, none)
    assert not Incident.objects.exists()
    assert not Appeal.objects.exists()


def test_braces_of_an_order_or_a_shop_are_no_placeholders(agent: User, shop: Shop) -> None:
    shop.name = "{numbers}"
    assert incidents.filled("{shop} {Номера}", shop, [Order("1-{shop}")]) == "{numbers} 1-{shop}"


@pytest.mark.parametrize(
    ("pasted", "numbers"),
    [
        ("1, 2;3\n4 5\t6", "1 2 3 4 5 6"),
        ("№ 11\n#12", "11 12"),
        ("Номер заказа\tСумма\n21-0001\t1 500,50 ₽\n22-0002\t", "21-0001 22-0002"),
        ("Date;Order;Amount\n2026-10-01;31;7\n2026-10-02;32;8", "31 32"),
        ("", ""),
    ],
)
def test_numbers_are_read_in_any_form(pasted: str, numbers: str) -> None:
    found = orders.read(pasted)
    assert " ".join(order.number for order in found.orders) == numbers
    assert not found.problems


def test_sums_of_a_table_are_read() -> None:
    found = orders.read("Заказ\tСумма, руб.\n1\t1 500,50 ₽\n2\t\n3\t12.345")
    assert [order.amount for order in found.orders] == [Decimal("1500.50"), None, Decimal("12.34")]


def test_each_wrong_number_is_named_and_the_rest_is_taken() -> None:
    found = orders.read(f"1\nзаказ\n1\n{'9' * 101}\n2")
    assert [order.number for order in found.orders] == ["1", "2"]
    assert [problem.number[:5] for problem in found.problems] == ["заказ", "1", "99999"]
    table = orders.read("Order\tAmount\n1\tмного\n2\t-5\n3\tNaN\n\t7")
    assert not table.orders
    assert len(table.problems) == 4


def test_numbers_that_stand_on_an_appeal_are_found_in_their_shop_only(agent: User, shops: list[Shop]) -> None:
    make(agent, [Part(shops[0], [Order("77"), Order("78")])])
    second = make(agent, [Part(shops[0], [Order("78")])])
    latest = second.incident.appeals.get()
    found = orders.appealed([shops[0].pk, shops[1].pk], ["77", "78", "79", "7"])
    assert found == {(shops[0].pk, "77"): Appeal.objects.get(body__contains="77").pk, (shops[0].pk, "78"): latest.pk}


def test_who_sees_an_incident_sees_an_appeal_of_it(agent: User, shops: list[Shop]) -> None:
    member = User.objects.create_user("member@example.com")
    stranger = User.objects.create_user("stranger@example.com")
    Membership.objects.create(shop=shops[1], user=member)
    first = make(agent, parts(shops, 1)).incident
    make(agent, parts(shops[:1], 1))
    assert list(Incident.objects.visible_to(member)) == [first]
    assert list(first.appeals.filter(shop__in=Shop.objects.visible_to(member))) == [Appeal.objects.get(shop=shops[1])]
    assert not Incident.objects.visible_to(stranger).exists()
    assert Incident.objects.visible_to(agent).count() == 2


def test_what_is_said_of_an_incident_can_be_changed(agent: User, shop: Shop) -> None:
    incident = make(agent, parts([shop], 1)).incident
    incidents.edit(incident=incident, title="All is well", began_at=SENT, ended_at=NOW)
    incident.refresh_from_db()
    assert (incident.title, incident.ended_at) == ("All is well", NOW)
    with pytest.raises(ValidationError):
        incidents.edit(incident=incident, began_at=NOW, ended_at=SENT)
