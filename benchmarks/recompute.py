"""How long it takes to move 100,000 running deadlines after a change of one channel's hours.

    python benchmarks/recompute.py [deadlines]

It runs on a scratch database beside the one that DATABASE_URL names (SQLite without it), which it makes and removes.
Last figures, 2 cores: see docs/architecture.md, "Figures".
"""

import os
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
os.environ.setdefault("HUB_DATA_DIR", mkdtemp(prefix="hub-benchmark-"))

import django

django.setup()

from django.db import connection, reset_queries
from django.test.utils import setup_databases, teardown_databases

from appeals import recompute
from appeals.models import Appeal, Deadline, Shop
from marketplaces.models import Channel, Marketplace, ResponseTarget
from marketplaces.working_time import Unit

CHUNK = 2000
NOW = datetime(2026, 10, 7, 12, 0, tzinfo=UTC)


def fill(count: int) -> Channel:
    """`count` appeals that wait for an answer promised in 8 working hours of one channel."""
    market = Marketplace.objects.create(slug="bench", name="Bench")
    channel = Channel.objects.create(
        marketplace=market, kind="chat", name="Chat", opening_hours="Mo-Fr 09:00-18:00; PH off", source="benchmark"
    )
    target = ResponseTarget.objects.create(
        marketplace=market, kind="answer", channel=channel, amount=8, unit="working_hours", source="benchmark"
    )
    shop = Shop.objects.create(name="Bench", marketplace=market)
    for first in range(0, count, CHUNK):
        fill_chunk(
            shop,
            channel,
            target,
            [NOW - timedelta(minutes=7 * number % 20_000) for number in range(first, first + CHUNK)],
        )
    return channel


def fill_chunk(shop: Shop, channel: Channel, target: ResponseTarget, sent: list[datetime]) -> None:
    appeals = Appeal.objects.bulk_create(
        Appeal(shop=shop, channel=channel, subject="Bench", status="waiting", created_at=at, submitted_at=at)
        for at in sent
    )
    Deadline.objects.bulk_create(
        Deadline(
            appeal=appeal,
            kind="answer",
            started_at=at,
            due_at=channel.clock.add(at, target.amount, Unit.WORKING_HOURS),
            target=target,
            amount=target.amount,
            unit=target.unit,
            opening_hours=channel.opening_hours,
            time_zone=channel.zone,
            country=channel.marketplace.country,
        )
        for appeal, at in zip(appeals, sent, strict=True)
    )


class QueryCount:
    """Counts statements without keeping their texts, so that the memory measured is the product's own."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        self.count += 1
        return execute(sql, params, many, context)


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(count: int) -> None:
    channel = fill(count)
    Channel.objects.filter(pk=channel.pk).update(opening_hours="Mo-Fr 10:00-19:00; PH off")
    for name, verb in (("preview", recompute.preview), ("apply", recompute.apply), ("apply again", recompute.apply)):
        queries, before, started = QueryCount(), memory_mb(), time.perf_counter()
        with connection.execute_wrapper(queries):
            effect = verb(now=NOW)
        seconds = time.perf_counter() - started
        print(
            f"{name:12} {seconds:7.2f} s  {count / seconds:9,.0f} deadlines/s  {queries.count:6} queries"
            f"  peak memory +{memory_mb() - before:.0f} MB  {effect}"
        )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    names = setup_databases(verbosity=0, interactive=False)
    reset_queries()
    print(f"{count:,} deadlines, {connection.vendor}, batches of {recompute.BATCH}")
    try:
        run(count)
    finally:
        teardown_databases(names, verbosity=0)


if __name__ == "__main__":
    main()
