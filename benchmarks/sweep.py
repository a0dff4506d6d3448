"""How fast the reminders are found, and how fast they are sent.

    python benchmarks/sweep.py [appeals] [late]

Fills a scratch database (beside the one that DATABASE_URL names, SQLite without it; removed at the end) with 1,000,000
appeals and two running deadlines for each, of which 100,000 are late for 50 people, and measures: an idle sweep at a
hundredth of it and at all of it; the first sweep, which makes all reminders; then 1,000 digests to 1,000 people,
sent by one worker through a mail server in a process of its own, five times. Each line ends with the load average of
the machine when it was measured: on a busy one look at the ratios and at the CPU time.
Last figures, 2 cores: see docs/architecture.md, "Figures".
"""

import asyncio
import logging
import multiprocessing
import os
import resource
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
os.environ.setdefault("HUB_DATA_DIR", mkdtemp(prefix="hub-benchmark-"))

import django

django.setup()

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext, setup_databases, setup_test_environment, teardown_databases

from appeals import delivery, reminders
from appeals.models import Appeal, Deadline, Membership, Reminder, Shop
from hub.celery import look_for_cycles_less_often
from hub.models import User
from marketplaces.models import Marketplace

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    Counter = Synchronized[int]

NOW = datetime(2026, 10, 14, 12, 0, tzinfo=UTC)
FAR = NOW + timedelta(days=90)
PEOPLE, READERS, DELIVERIES = 50, 1000, 5
ROWS = {
    "postgresql": "SELECT n FROM generate_series({first}, {last}) AS series(n)",
    "sqlite": "WITH RECURSIVE series(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM series WHERE n < {last})"
    " SELECT n FROM series",
}


def people(count: int) -> list[User]:
    return User.objects.bulk_create(
        User(email=f"person{number}@example.com", full_name=f"Person {number}") for number in range(count)
    )


def shop_of(users: list[User]) -> Shop:
    market = Marketplace.objects.create(slug="bench", name="Bench")
    shop = Shop.objects.create(name="Bench", marketplace=market)
    Membership.objects.bulk_create(Membership(shop=shop, user=user) for user in users)
    return shop


def copy(row: models.Model, first: int, last: int, **changes: str) -> None:
    """Copies of a row with the numbers first..last, made inside the database; `changes` are expressions of `n`."""
    fields = [str(field.column) for field in row._meta.concrete_fields]
    values = ", ".join(changes.get(name, name) for name in fields)
    table = row._meta.db_table
    series = ROWS[connection.vendor].format(first=first, last=last)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(fields)}) SELECT {values} FROM ({series}) AS numbers"  # noqa: S608
            f" CROSS JOIN (SELECT * FROM {table} WHERE id = {row.pk}) AS template"
        )


def fill(shop: Shop, users: list[User], first: int, last: int) -> None:
    """Appeals with these numbers, each with two deadlines that are far from due, dealt out to the people in turn."""
    one = users[0].pk
    appeal, _new = Appeal.objects.get_or_create(
        pk=1, defaults={"shop": shop, "subject": "Bench", "status": "waiting", "created_at": NOW, "submitted_at": NOW}
    )
    common = {"started_at": NOW - timedelta(days=30), "due_at": FAR, "remind_at": FAR, "opening_hours": "24/7"}
    common |= {"amount": 3, "unit": "working_days", "time_zone": "Europe/Moscow", "country": "RU"}
    reply, _new = Deadline.objects.get_or_create(pk=1, defaults={"appeal": appeal, "kind": "first_reply", **common})
    answer, _new = Deadline.objects.get_or_create(pk=2, defaults={"appeal": appeal, "kind": "answer", **common})
    with transaction.atomic():
        copy(appeal, first, last, id="n", assignee_id=f"{one} + n % {PEOPLE}")
        copy(reply, first, last, id="2 * n - 1", appeal_id="n")
        copy(answer, first, last, id="2 * n", appeal_id="n")


def make_late(count: int) -> None:
    """The answers of the last `count` appeals ran out during the last day."""
    last = Appeal.objects.aggregate(last=models.Max("pk"))["last"]
    for part in range(24):
        at = NOW - timedelta(minutes=60 * part + 1)
        rows = Deadline.objects.filter(kind="answer", appeal__gt=last - count).annotate(part=models.F("pk") % 48)
        rows.filter(part=2 * part).update(due_at=at, remind_at=at)


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def tell(text: str) -> None:
    print(f"{text} [load {os.getloadavg()[0]:.1f}]", flush=True)


def idle(label: str) -> float:
    """The median, in milliseconds."""
    times = []
    for _run in range(300):
        began = time.perf_counter()
        reminders.sweep(NOW)
        times.append(1000 * (time.perf_counter() - began))
    with CaptureQueriesContext(connection) as queries:
        reminders.sweep(NOW)
    median, worst = statistics.median(times), sorted(times)[int(0.95 * len(times))]
    tell(f"idle sweep, {label}: median {median:.2f} ms, 95 % under {worst:.2f} ms, queries: {len(queries)}")
    return median


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def first_sweep() -> None:
    before, began, worked = memory(), time.perf_counter(), time.process_time()
    found = reminders.sweep(NOW)
    took, worked = time.perf_counter() - began, time.process_time() - worked
    tell(
        f"first sweep: {found:,} reminders in {took:.1f} s, {found / took:,.0f} a second ({worked:.1f} s CPU here);"
        f" memory {before} MB before, {memory()} MB at most"
    )


class Sink:
    """Takes every mail, and counts connections."""

    def __init__(self, connections: "Counter") -> None:
        self.connections = connections

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        with self.connections.get_lock():
            self.connections.value += 1
        return responses

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return "250 OK"


def serve(listening: socket.socket, connections: "Counter") -> None:
    logging.disable()

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: SMTP(Sink(connections)), sock=listening)
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def mail_server() -> Iterator["Counter"]:
    """In a process of its own; how many connections it has had."""
    listening, connections = socket.create_server(("127.0.0.1", 0)), multiprocessing.Value("i", 0)
    process = multiprocessing.get_context("fork").Process(target=serve, args=(listening, connections), daemon=True)
    process.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", listening.getsockname()[1]
    yield connections
    process.kill()


def digests(shop: Shop) -> None:
    """One late appeal for each reader, then one worker; so several times."""
    readers = people_beyond(shop, READERS)
    look_for_cycles_less_often()
    times = []
    for _time in range(DELIVERIES):
        make_reminders(readers)
        with mail_server() as connections:
            began, worked = time.perf_counter(), time.process_time()
            delivery.deliver(NOW)
            took, worked = time.perf_counter() - began, time.process_time() - worked
        sent = Reminder.objects.filter(state="sent").count()
        tell(
            f"delivery: {sent:,} digests to {READERS:,} people in {took:.1f} s by one worker ({worked:.1f} s CPU);"
            f" connections: {connections.value}"
        )
        times.append(took)
    tell(f"delivery: median {statistics.median(times):.1f} s")


def make_reminders(readers: list[User]) -> None:
    Reminder.objects.all().delete()
    late = list(Deadline.objects.filter(kind="answer", told_until=NOW).order_by("pk")[: len(readers)])
    for deadline, user in zip(late, readers, strict=True):
        Appeal.objects.filter(pk=deadline.appeal_id).update(assignee=user)
    Deadline.objects.filter(pk__in=[one.pk for one in late]).update(remind_at=NOW, told_until=None)
    reminders.sweep(NOW)


def people_beyond(shop: Shop, count: int) -> list[User]:
    users = User.objects.bulk_create(User(email=f"reader{number}@example.com") for number in range(count))
    Membership.objects.bulk_create(Membership(shop=shop, user=user) for user in users)
    return users


def main() -> None:
    appeals = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    late = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        tell(f"{connection.vendor}, {os.cpu_count()} cores")
        users = people(PEOPLE)
        shop = shop_of(users)
        fill(shop, users, 2, appeals // 100)
        analyze()
        few = idle(f"{appeals // 100:,} appeals")
        fill(shop, users, appeals // 100 + 1, appeals)
        analyze()
        many = idle(f"{appeals:,} appeals")
        tell(f"idle sweep: with a hundred times the appeals {many / few:.2f} times as long")
        make_late(late)
        analyze()
        first_sweep()
        idle(f"{appeals:,} appeals, all told")
        digests(shop)
    finally:
        teardown_databases(databases, verbosity=0)


if __name__ == "__main__":
    main()
