"""What each page of the workplace costs: queries, bytes, time of the server, with 100 appeals and with 100,000.

    python benchmarks/pages.py [appeals] [appeals] ...

Fills a scratch database (beside the one that DATABASE_URL names, SQLite without it; removed at the end) with the
shipped directory, two shops, a lead and an agent, and appeals of which one in five is open and one in twenty overdue;
those that are resolved lie hours apart, three years back at 100,000. A lead reads. Time is the least of seven
requests, without the network; bytes are those of the page, and those that travel when the browser takes gzip.
Last figures, 2 cores: see docs/architecture.md, "Figures".
"""

import gzip
import io
import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
os.environ.setdefault("HUB_DATA_DIR", mkdtemp(prefix="hub-benchmark-"))

import django

django.setup()

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_databases, setup_test_environment, teardown_databases
from django.urls import reverse
from django.utils import timezone
from sweep import ROWS, analyze

from appeals import lifecycle, reminders, shops
from appeals.admin import kept
from appeals.admin.listing import CappedPaginator
from appeals.models import Appeal, Deadline, Event, Reminder, Shop
from hub.models import User
from marketplaces.models import Channel, Marketplace, Topic

PATTERN = 20
RESOLVED = 16
HOURS_APART = 5
RUNS = 7
# What moves back in time with a resolved appeal
MOMENTS = {
    Appeal: ["created_at", "submitted_at", "resolved_at", "next_due_at"],
    Event: ["at", "recorded_at"],
    Deadline: ["started_at", "due_at", "met_at", "ended_at"],
    Reminder: [],
}
LINKS = {"appeal_id": Appeal, "deadline_id": Deadline}
EARLIER = {
    "postgresql": "{column} - n * interval '{hours} hours'",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%S', {column}, '-' || (n * {hours}) || ' hours')",
}
# Those that are open fall due one after the other
LATER = {
    "postgresql": "{column} + n * interval '1 second'",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%S', {column}, '+' || n || ' seconds')",
}


def people() -> tuple[User, User]:
    lead, agent = (User.objects.create_user(f"{role}@example.com", full_name=role) for role in ("lead", "agent"))
    for person in (lead, agent):
        person.groups.add(Group.objects.get(name=person.full_name))
    return lead, agent


def pattern(lead: User, agent: User, now: datetime) -> None:
    """The appeals that all others are copies of; the resolved ones come first."""
    topic = Topic.objects.get(slug="finance", marketplace=None)
    places = [
        shops.create(actor=lead, members=[agent], name=f"Shop {slug}", marketplace=Marketplace.objects.get(slug=slug))
        for slug in ("ozon", "wildberries")
    ]
    for number in range(PATTERN):
        shop = places[number % 2]
        _play(number, shop, topic, (lead, agent)[number // 2 % 2], now)
    reminders.sweep(now)
    reminders.record_sweep(now)


def _play(number: int, shop: Shop, topic: Topic, actor: User, now: datetime) -> None:
    sent = now - timedelta(days=20 if number < RESOLVED + 2 else 0, hours=1 + number)
    facts: dict[str, Any] = {
        "subject": f"Выплата {number} не поступила",
        "body": "Выплата за сентябрь не пришла. " * 30,
    }
    channel = Channel.objects.usable_by_sellers().filter(marketplace=shop.marketplace).order_by("position")[0]
    facts |= {"order_numbers": [f"{50_000_000 + number}-0001-1"], "external_number": str(31_400_000 + number)}
    appeal = lifecycle.create(
        actor=actor, now=sent, shop=shop, topic=topic, channel=channel, amount_at_stake=1000 + number, **facts
    )
    if number == PATTERN - 1:
        return
    appeal = lifecycle.submit(appeal=appeal, actor=actor, now=sent)
    if number < RESOLVED:
        later = sent + timedelta(hours=3 * number)
        appeal = lifecycle.record_reply(appeal=appeal, actor=actor, now=later, kind="answer", text="Начислим.")
        lifecycle.resolve(appeal=appeal, actor=actor, now=later, outcome="granted", amount_recovered=Decimal(1000))
    elif number == RESOLVED:
        lifecycle.record_reply(appeal=appeal, actor=actor, now=sent + timedelta(hours=2), kind="question", text="?")


def copy(model: type[models.Model], first: int, last: int, sizes: dict[type[models.Model], int]) -> None:
    """The pattern's rows of `model` again, rounds first..last; what is resolved lies earlier with each round."""
    table, columns = model._meta.db_table, [str(field.column) for field in model._meta.concrete_fields]
    values = {one: one for one in columns} | {"id": f"id + n * {sizes[model]}"}
    values |= {one: f"{one} + n * {sizes[link]}" for one, link in LINKS.items() if one in columns}
    whose = "id" if model is Appeal else "appeal_id"
    for column in MOMENTS[model]:
        earlier = EARLIER[connection.vendor].format(column=column, hours=HOURS_APART)
        later = LATER[connection.vendor].format(column=column) if column in ("due_at", "next_due_at") else column
        values[column] = f"CASE WHEN {whose} <= {RESOLVED} THEN {earlier} ELSE {later} END"
    series = ROWS[connection.vendor].format(first=first, last=last)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values.values())}"  # noqa: S608
            f" FROM {table}, ({series}) AS rounds WHERE id <= {sizes[model]}",
            [] if connection.vendor == "sqlite" else None,
        )


def addresses() -> dict[str, str]:
    """The pages by name; those of one appeal show one that is overdue."""
    page = {name: reverse(f"admin:{name}") for name in NAMES.values()}
    listed, appeal = page["appeals_appeal_changelist"], Appeal.objects.get(pk=RESOLVED + 2)
    chosen = [str(pk) for pk in Appeal.objects.exclude(status="draft").values_list("pk", flat=True)[:50]]
    many = reverse("admin:appeals_appeal_many", args=["escalate"])
    export = reverse("admin:appeals_appeal_export", args=["csv"])
    found = {title: page[name] for title, name in NAMES.items()}
    return found | {
        "list, overdue": f"{listed}?due=overdue",
        "list, search for a number": f"{listed}?q=31400007",
        "list, search for a word": f"{listed}?q=ВЫПЛАТА",
        "list, last page": f"{listed}?p={min(Appeal.objects.count(), CappedPaginator.limit) // 50}",
        "appeal": appeal.get_absolute_url(),
        "form: what is promised": f"{reverse('admin:appeals_appeal_promise')}?shop={appeal.shop_id}",
        "bulk preview of ten": f"{many}?ids={'-'.join(chosen[:10])}",
        "bulk preview of fifty": f"{many}?ids={'-'.join(chosen)}",
        "export of a week, CSV": f"{export}?replied={kept.last_weeks(timezone.now() - timedelta(days=20))[-1]}",
        "where to write": f"{reverse('where-to-write')}?marketplace=ozon",
        "escalation path": reverse("escalation-path", args=["ozon"]),
    }


NAMES = {
    "home": "index",
    "list of appeals": "appeals_appeal_changelist",
    "form": "appeals_appeal_add",
    "shops": "appeals_shop_changelist",
    "reminders": "appeals_reminder_changelist",
    "reminder rules": "appeals_reminderrule_changelist",
    "channels": "marketplaces_channel_changelist",
    "people": "hub_user_changelist",
}


def measure(lead: User, agent: User) -> dict[str, tuple[int, int, int, float]]:
    """By page: queries, bytes, bytes by gzip, milliseconds. People are read by an administrator."""
    client, administrator = Client(), Client()
    client.force_login(lead)
    administrator.force_login(User.objects.get(email="administrator@example.com"))
    return {
        name: _page((administrator if name == "people" else client).get, address)
        for name, address in addresses().items()
    }


def _page(get: Callable[[str], object], address: str) -> tuple[int, int, int, float]:
    body = _body(get(address))
    with CaptureQueriesContext(connection) as queries:
        _body(get(address))
    asked, times = len(queries), []
    for _run in range(RUNS):
        began = time.perf_counter()
        _body(get(address))
        times.append(1000 * (time.perf_counter() - began))
    return asked, len(body), len(gzip.compress(body, 6)), min(times)


def _body(answer: object) -> bytes:
    if answer.status_code != 200:  # type: ignore[attr-defined]
        raise SystemExit(f"{answer.request['PATH_INFO']}: {answer.status_code}")  # type: ignore[attr-defined]
    streaming = getattr(answer, "streaming_content", None)
    return b"".join(streaming) if streaming is not None else answer.content  # type: ignore[attr-defined]


def main() -> None:
    sizes = [int(one) for one in sys.argv[1:]] or [100, 100_000]
    setup_test_environment()
    logging.disable(logging.INFO)
    settings.ALLOWED_HOSTS = ["*"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        call_command("load_directory", verbosity=0, stdout=io.StringIO())
        User.objects.create_superuser("administrator@example.com")
        (lead, agent), now = people(), timezone.now()
        pattern(lead, agent, now)
        counted = {model: model._default_manager.count() for model in MOMENTS}
        rounds, found = 1, []
        for size in sizes:
            for model in MOMENTS:
                copy(model, rounds, size // PATTERN - 1, counted)
            rounds = size // PATTERN
            analyze()
            found.append(measure(lead, agent))
        show(sizes, found)
    finally:
        teardown_databases(databases, verbosity=0)


def show(sizes: list[int], found: list[dict[str, tuple[int, int, int, float]]]) -> None:
    print(
        f"{connection.vendor}; queries / KB / KB by gzip / ms, at {', '.join(f'{size:,}' for size in sizes)} appeals"
    )
    for name in found[0]:
        cells = [
            f"{queries:>3} {size / 1000:7.1f} {packed / 1000:6.1f} {ms:7.0f}"
            for queries, size, packed, ms in (one[name] for one in found)
        ]
        print(f"{name:<34}{'   |'.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
