"""Rows for the scripts beside this one: a team's appeals, as it would have them after some years, put in by COPY.

Appeal number n was made n minutes before `now`, so that a larger load is a longer past. The recent ones are mostly
open, the old ones resolved; each that was sent has its clocks and its timeline, and the texts are Russian and differ.
PostgreSQL only, as its superuser. The same numbers give the same rows.
"""

import json
import random
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Q

from appeals.models import Appeal, Deadline, Event, Membership, Shop
from hub.models import User
from marketplaces.models import Marketplace, Topic

RECENT = 20_000
TARGET_DAYS = 3
FIRST_WORDS = ("Выплата", "Штраф", "Возврат", "Поставка", "Карточка", "Отзыв", "Реклама", "Остаток", "Документ")
WORDS = re.findall(
    r"\w+",
    "заказ товар склад отчёт деньги акт баллы покупатель доставка удержание сверка коробка этикетка приёмка задержка"
    " период сумма расхождение заявка оператор ответ причина кабинет раздел услуга тариф скидка отмена пункт выдача",
)
MANY = 50_000
"""From so many rows on it is faster to drop the indexes of a table and to build them again."""


@dataclass(frozen=True)
class Place:
    """A shop, and what its appeals may name."""

    shop: int
    topics: list[int]
    channels: list[int]


def team(people: int, shops: int, *, prefix: str = "person") -> tuple[list[User], list[Shop]]:
    """So many people, of whom each works for every second shop, the first one leads; shops of all marketplaces."""
    users = User.objects.bulk_create(
        User(email=f"{prefix}{number}@example.com", full_name=f"Person {number}", language="ru")
        for number in range(people)
    )
    markets = list(Marketplace.objects.order_by("id"))
    rows = Shop.objects.bulk_create(
        Shop(name=f"{prefix} shop {number}", marketplace=markets[number // 2 % len(markets)])
        for number in range(shops)
    )
    Membership.objects.bulk_create(
        Membership(shop=shop, user=user, is_lead=one == 0)
        for number, shop in enumerate(rows)
        for one, user in enumerate(users)
        if number % 2 == one % 2
    )
    return users, rows


def load(first: int, last: int, *, shops: list[Shop], users: list[User], now: datetime) -> None:
    """The appeals with these numbers, with their deadlines and events."""
    places = [_place(shop) for shop in shops]
    many = last - first >= MANY
    for table, rows in ((Appeal, _appeal), (Deadline, _deadlines), (Event, _events)):
        with transaction.atomic(), _without_indexes(table) if many else transaction.atomic():
            _copy(table, (row for one in _all(first, last, places, users, now) for row in rows(one)))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) appeals_appeal, appeals_deadline, appeals_event")


@dataclass(frozen=True)
class Made:
    """What one number stands for."""

    number: int
    place: Place
    author: int
    status: str
    created: datetime
    sent: datetime
    replied: datetime
    due: datetime
    now: datetime
    chance: random.Random

    @property
    def outcome(self) -> str:
        return ("granted", "partly_granted", "refused")[self.number % 3] if self.status == "resolved" else ""

    @property
    def is_open(self) -> bool:
        return self.status in ("waiting", "our_turn")


def _place(shop: Shop) -> Place:
    fits = Q(marketplace=shop.marketplace_id) | Q(marketplace=None)
    return Place(
        shop.pk,
        list(Topic.objects.filter(fits, retired_at=None).order_by("id").values_list("pk", flat=True)),
        list(shop.marketplace.channels.filter(retired_at=None).order_by("id").values_list("pk", flat=True)),
    )


def _all(first: int, last: int, places: list[Place], users: list[User], now: datetime) -> Iterator[Made]:
    chance = random.Random()
    for number in range(first, last + 1):
        chance.seed(number)
        created = now - timedelta(minutes=number)
        sent = created + timedelta(seconds=40)
        replied = min(sent + timedelta(minutes=chance.randrange(5, 3000)), now)
        due = sent + timedelta(days=chance.randrange(1, 2 * TARGET_DAYS))
        status = _status(number, chance)
        place, author = places[number % len(places)], users[number % len(users)].pk
        yield Made(number, place, author, status, created, sent, replied, due, now, chance)


def _status(number: int, chance: random.Random) -> str:
    roll = chance.random()
    if number > RECENT:
        return "resolved" if roll < 0.99 else "waiting"
    return "draft" if roll < 0.03 else "waiting" if roll < 0.5 else "our_turn" if roll < 0.6 else "resolved"


def _appeal(one: Made) -> Iterator[dict[str, Any]]:
    chance = one.chance
    words = chance.choices(WORDS, k=28)
    subject = f"{chance.choice(FIRST_WORDS)}: {' '.join(words[:4])}"
    body = f"{' '.join(words[4:16])}. {' '.join(words[16:])}.".capitalize()
    orders = [f"{10_000_000 + one.number}-{piece:04}" for piece in range(1, 2 + one.number % 3)]
    codes, external = [f"ART-{one.number % 5000:05}"], "" if one.status == "draft" else f"7-{one.number}"
    yield {
        "id": one.number,
        "shop_id": one.place.shop,
        "topic_id": chance.choice(one.place.topics),
        "channel_id": chance.choice(one.place.channels),
        "priority": "urgent" if chance.random() < 0.05 else "normal",
        "subject": subject,
        "body": body,
        "order_numbers": json.dumps(orders),
        "product_codes": json.dumps(codes),
        "amount_at_stake": chance.randrange(100, 500_000) if chance.random() < 0.7 else None,
        "external_number": external,
        "client_reference": f"erp:{one.number}",
        "assignee_id": one.author if chance.random() < 0.8 else None,
        "status": one.status,
        "outcome": one.outcome,
        "next_due_at": one.due if one.is_open else None,
        "created_by_id": one.author,
        "created_at": one.created,
        "submitted_at": None if one.status == "draft" else one.sent,
        "resolved_at": one.replied if one.outcome else None,
        "search_text": "\n".join([subject, body, external, *orders, *codes]).casefold(),
    }


def _deadlines(one: Made) -> Iterator[dict[str, Any]]:
    if one.status == "draft":
        return
    common = {"appeal_id": one.number, "started_at": one.sent, "pauses": "[]", "amount": TARGET_DAYS}
    common |= {"unit": "working_days", "opening_hours": "24/7", "time_zone": "Europe/Moscow", "country": "RU"}
    over = {"state": "met" if one.replied <= one.due else "missed", "met_at": one.replied, "ended_at": one.replied}
    yield common | over | {"kind": "first_reply", "due_at": one.due}
    if not one.is_open:
        yield common | over | {"kind": "answer", "due_at": one.due}
        return
    kind = "answer" if one.status == "waiting" else "our_reply"
    told = {"told_until": one.now, "remind_at": one.now + timedelta(days=300)}
    yield common | told | {"kind": kind, "state": "running", "due_at": one.due}


def _events(one: Made) -> Iterator[dict[str, Any]]:
    moves = [("created", "", one.created)]
    if one.status != "draft":
        kind = "question" if one.status == "our_turn" else "answer" if one.status == "resolved" else "brush_off"
        moves += [("submitted", "", one.sent), ("reply", kind, one.replied)]
    if one.status == "resolved":
        moves.append(("resolved", "", one.replied))
    for kind, reply, at in moves:
        text = " ".join(one.chance.choices(WORDS, k=12)) if reply else ""
        row = {"appeal_id": one.number, "kind": kind, "reply_kind": reply, "at": at, "recorded_at": at}
        data = json.dumps({"outcome": one.outcome} if kind == "resolved" else {})
        yield row | {"actor_id": one.author, "text": text, "data": data}


def _copy(model: type[models.Model], rows: Iterable[dict[str, Any]]) -> None:
    """Puts rows in; what they do not say is the field's default. Numbers go on after the highest."""
    table, defaults, columns = model._meta.db_table, _defaults(model), None
    with connection.cursor() as cursor:
        for row in rows:
            if columns is None:
                columns = [name for name in defaults if name != "id" or "id" in row]
                copying = cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN")
                copy = copying.__enter__()
            copy.write_row([row.get(name, defaults[name]) for name in columns])
        if columns:
            copying.__exit__(None, None, None)
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # noqa: S608
        )


def _defaults(model: type[models.Model]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in model._meta.concrete_fields:
        value = one.get_default()
        found[str(one.column)] = json.dumps(value) if isinstance(one, models.JSONField) else value
    return found


@contextmanager
def _without_indexes(model: type[models.Model]) -> Iterator[None]:
    """Builds the indexes of a table at the end, in one go."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN"
            " (SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass)",
            [model._meta.db_table] * 2,
        )
        indexes = cursor.fetchall()
        cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        cursor.execute("SET LOCAL session_replication_role = replica")  # the references are right as they are made
        for name, _definition in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _name, definition in indexes:
            cursor.execute(definition)
