"""Two stories of the demonstration that are longer than one appeal: a matter of three, and an incident."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from appeals import incidents, lifecycle
from appeals.incidents import Facts, Part, Text
from appeals.models import Appeal, Shop
from appeals.orders import Order
from hub.models import User
from marketplaces.models import Channel, EscalationStep, Topic

ORDERS = 6
STAKE = Decimal(96_400)
SUBJECT = "Не возвращены деньги за утерянную партию чая"
BODY = (
    "Партия из 24 коробок принята на склад, в остатках её нет. Акт приёмки и фотографии приложены. Заказы:"
    " 70112233-0001-1, 70112233-0002-1. Просим вернуть {stake} ₽."
)
WISH = "Возместить стоимость партии"


def tell(shops: Sequence[Shop], people: Sequence[User], now: datetime) -> None:
    """Plays both. The first three shops are those of the incident; the first one has the matter."""
    _matter(shops[0], people[1], now)
    _incident(shops[:3], people[1], now)


def _matter(shop: Shop, actor: User, now: datetime) -> None:
    """Asked, brushed off and dropped; asked again by another channel; asked a third time, and a complaint filed."""
    channels = list(Channel.objects.usable_by_sellers().filter(marketplace=shop.marketplace).order_by("position")[:2])
    first = _asked(shop, actor, now - timedelta(days=58), channels[0], number="31500001")
    _brushed_off(first, actor, now - timedelta(days=55))
    _given_up(first, actor, now - timedelta(days=45))
    second = _asked(shop, actor, now - timedelta(days=45), channels[-1], number="31500744", previous=first)
    _brushed_off(second, actor, now - timedelta(days=41))
    _given_up(second, actor, now - timedelta(days=30))
    third = _asked(shop, actor, now - timedelta(days=30), channels[0], number="31501902", previous=second)
    _brushed_off(third, actor, now - timedelta(days=27))
    steps = EscalationStep.objects.sellers_path(shop.marketplace).filter(key="operator-complaint")
    at = now - timedelta(days=9)
    if step := steps.exclude(available_from__gt=at.date()).first() or lifecycle.next_step(third, at):
        note = "Три обращения подряд без ответа по существу."
        lifecycle.escalate(appeal=third, actor=actor, now=at, step=step, note=note)


def _asked(
    shop: Shop, actor: User, at: datetime, channel: Channel, *, number: str, previous: Appeal | None = None
) -> Appeal:
    appeal = lifecycle.create(
        actor=actor,
        now=at,
        shop=shop,
        topic=Topic.objects.filter(slug="finance", marketplace=None).first(),
        channel=channel,
        subject=SUBJECT,
        body=BODY.format(stake=STAKE),
        desired_outcome=WISH,
        order_numbers=["70112233-0001-1", "70112233-0002-1"],
        amount_at_stake=STAKE,
        previous=previous,
        assignee=actor,
    )
    return lifecycle.submit(appeal=appeal, actor=actor, now=at, external_number=number)


def _brushed_off(appeal: Appeal, actor: User, at: datetime) -> None:
    text = "Мы проверили вашу ситуацию, нарушений не обнаружено. Подробнее читайте в справке."
    lifecycle.record_reply(appeal=appeal, actor=actor, now=at, kind="brush_off", text=text)


def _given_up(appeal: Appeal, actor: User, at: datetime) -> None:
    lifecycle.resolve(appeal=appeal, actor=actor, now=at, outcome="ignored", note="Ответа нет, пишем заново.")


def _incident(shops: Sequence[Shop], actor: User, now: datetime) -> None:
    """One fault in three shops, each order an appeal, sent four days ago."""
    at = now - timedelta(days=4)
    batch = incidents.make(
        actor=actor,
        now=at,
        token=uuid4(),
        title="Двойное удержание комиссии",
        description="В отчёте за неделю комиссия по части заказов удержана дважды.",
        began_at=at - timedelta(days=2),
        parts=[Part(shop, _orders(place), _first_channel(shop)) for place, shop in enumerate(shops)],
        text=Text(
            "Комиссия удержана дважды: {номера}",
            "По заказам {номера} комиссия удержана дважды, лишнее удержание {сумма} ₽. Просим вернуть.",
            "Вернуть лишнее удержание",
        ),
        facts=Facts(topic=Topic.objects.filter(slug="finance", marketplace=None).first(), assignee=actor),
        sent_at=at,
    )
    answered = batch.incident.appeals.filter(shop=shops[1]).order_by("pk")[:2]
    for appeal in answered:
        text = "Возврат проведён, сумма придёт следующей выплатой."
        lifecycle.record_reply(appeal=appeal, actor=actor, now=now - timedelta(days=1), kind="answer", text=text)


def _orders(place: int) -> list[Order]:
    return [
        Order(f"{80_000_000 + place * 10_000 + number * 37}-0001-1", Decimal(310 + number)) for number in range(ORDERS)
    ]


def _first_channel(shop: Shop) -> Channel | None:
    usable = Channel.objects.usable_by_sellers().filter(marketplace=shop.marketplace)
    return usable.order_by("position").first()
