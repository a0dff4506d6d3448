"""How long the calls of the API take, at 2,000 and at 1,000,000 appeals, beside what they cannot do without.

    DATABASE_URL=postgres://... python benchmarks/api.py [--appeals 2000 1000000] [--rounds 100] [--keep]

Fills a scratch database (`test_` before the name in DATABASE_URL; removed at the end, or kept for the next run),
starts granian with 2 workers on it, and asks by HTTP. Beside each call, in turns with it: the SQL that it sends,
replayed by psycopg over one connection, and an empty Django view of the same server. `x` is the call over their sum.
The CPU is that of the web processes. Then eight clients create as fast as they can.
Last figures, 2 cores: see docs/architecture.md, "Figures".
"""

import argparse
import http.client
import json
import logging
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
os.environ.setdefault("HUB_DATA_DIR", mkdtemp(prefix="hub-benchmark-"))
os.environ.setdefault("HUB_PORT", "8766")
os.environ["HUB_WORKERS"] = "2"
os.environ["HUB_API_REQUESTS_PER_MINUTE"] = "1000000"

import django

django.setup()
logging.disable()

import psycopg
import rows
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext, setup_databases, teardown_databases
from rest_framework.test import APIClient

from appeals.models import Appeal
from hub import startup, supervisor
from hub.api.pagination import Cursor
from hub.models import ApiToken, User

APPEALS = "/api/v1/appeals/"
CLIENTS = 8
INSERT = re.compile(r"^(INSERT .*?\))( RETURNING [^)]*)?$", re.DOTALL)
Call = tuple[str, str, Any]


class Client:
    """One program with one connection that it keeps."""

    def __init__(self, token: str) -> None:
        self.connection = http.client.HTTPConnection(settings.HUB_HOST, settings.HUB_PORT, timeout=120)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __call__(self, method: str, path: str, body: Any = None) -> float:
        """Milliseconds until the answer is here whole."""
        text = None if body is None else json.dumps(body)
        began = time.perf_counter()
        self.connection.request(method, path, text, self.headers)
        answer = self.connection.getresponse()
        read = answer.read()
        took = 1000 * (time.perf_counter() - began)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {read[:500]!r}")
        return took


class Calls:
    """What is asked, of the appeals that the caller sees. Each call is another one of its kind."""

    def __init__(self, user: User, appeals: int) -> None:
        mine = Appeal.objects.visible_to(user)
        self.shops = [shop.pk for shop in user.shops.filter(marketplace__slug="ozon").order_by("id")]
        some = random.Random(appeals).sample(range(1, appeals + 1), min(appeals, 2000))
        self.ids = list(mine.filter(pk__in=some).values_list("pk", flat=True))
        self.open = list(mine.filter(status="waiting").order_by("-pk").values_list("pk", flat=True)[:1000])
        self.deep = mine.order_by("-created_at")[9 * mine.count() // 10]
        self.user, self.appeals, self.numbers = user, appeals, count()

    def create(self) -> Call:
        number = next(self.numbers)
        body = {"shop": self.shops[number % len(self.shops)], "topic": "finance", "subject": f"Выплата {number}"}
        body |= {"body": "Заказ доставлен, выплаты нет. " * 10, "order_numbers": [f"{number}-0001"]}
        body |= {"amount_at_stake": "12500.00", "assignee": self.user.email, "client_reference": f"erp:{number}"}
        return "POST", APPEALS, body

    def read(self) -> Call:
        return "GET", f"{APPEALS}{self._one_of(self.ids)}/", None

    def page_1(self) -> Call:
        return "GET", APPEALS, None

    def page_deep(self) -> Call:
        cursor = Cursor("-created_at", self.deep.created_at.isoformat(), self.deep.pk, False).encode()
        return "GET", f"{APPEALS}?cursor={cursor}", None

    def overdue(self) -> Call:
        return "GET", f"{APPEALS}?overdue=true&ordering=next_due_at", None

    def search_number(self) -> Call:
        """An order of one appeal; a product code is in one of 5,000, which at a million are 200."""
        return "GET", f"{APPEALS}?search={10_000_000 + self._one_of(self.ids)}-0001", None

    def search_rare(self) -> Call:
        return "GET", f"{APPEALS}?search=art-{next(self.numbers) % 5000:05}", None

    def search_common(self) -> Call:
        return "GET", f"{APPEALS}?search={quote('выплата')}", None

    def nightly(self) -> Call:
        since = {"submitted_after": "2000-01-01T00:00:00Z", "ordering": "submitted_at", "page_size": 200}
        return "GET", f"{APPEALS}?{urlencode(since)}", None

    def reply(self) -> Call:
        body = {"kind": "brush_off", "text": "Мы рассматриваем обращение. " * 5}
        return "POST", f"{APPEALS}{self._one_of(self.open)}/replies/", body

    def _one_of(self, found: list[int]) -> int:
        return found[next(self.numbers) % len(found)]


KINDS = {
    "create": Calls.create,
    "read": Calls.read,
    "list, page 1": Calls.page_1,
    "list, deep": Calls.page_deep,
    "overdue by due": Calls.overdue,
    "search, number": Calls.search_number,
    "search, rare": Calls.search_rare,
    "search, common": Calls.search_common,
    "nightly, 200": Calls.nightly,
    "reply": Calls.reply,
}


def sql_of(call: Call, token: str) -> list[str]:
    """The statements that a call sends, as the database gets them; what it inserted may be there at a replay."""
    inside = APIClient(SERVER_NAME="localhost")
    inside.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    method, path, body = call
    with CaptureQueriesContext(connection) as captured:
        answer = inside.generic(method, path, json.dumps(body) if body else "", content_type="application/json")
    assert answer.status_code < 300, answer.content
    return [INSERT.sub(r"\1 ON CONFLICT DO NOTHING\2", one["sql"]) for one in captured]


def replay(bare: psycopg.Connection[Any], statements: list[str]) -> float:
    began = time.perf_counter()
    for statement in statements:
        result = bare.execute(statement.encode())
        if result.description:
            result.fetchall()
    return 1000 * (time.perf_counter() - began)


def cpu_of(process: int) -> float:
    """CPU seconds that a process and its children have used, from /proc."""
    used = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if process in (int(stat.parent.name), int(fields[1])):
            used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def measure(name: str, calls: Calls, token: str, *, server: int, rounds: int, address: str) -> float:
    """Prints the line of one kind of call, and returns its median."""
    ask, make = Client(token), KINDS[name]
    for _warm in range(5):
        ask(*make(calls))
    taken: dict[str, list[float]] = {"sql": [], "empty": [], "call": []}
    with psycopg.connect(address, autocommit=True) as bare:
        for _round in range(rounds):
            statements = sql_of(make(calls), token)
            replay(bare, statements)
            taken["sql"].append(replay(bare, statements))
            taken["empty"].append(ask("GET", "/empty/"))
            taken["call"].append(ask(*make(calls)))
    before = cpu_of(server)
    for _round in range(rounds):
        ask(*make(calls))
    cpu = 1000 * (cpu_of(server) - before) / rounds
    queries = sum(not one.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")) for one in statements)
    sql, empty, median = (statistics.median(taken[one]) for one in ("sql", "empty", "call"))
    p95 = statistics.quantiles(taken["call"], n=20)[-1]
    line = f"{name:<16}{queries:>4}{sql:>9.2f}{empty:>9.2f}{median:>9.2f}{p95:>9.2f}{cpu:>9.2f}"
    print(f"{line}{median / (sql + empty):>7.2f}", flush=True)
    return median


def creating(calls: Calls, token: str, seconds: float, server: int) -> None:
    """As many as eight clients get done, each waiting for its answer before it asks again."""

    def work(ask: Client) -> list[float]:
        times: list[float] = []
        while time.perf_counter() < end:
            times.append(ask(*calls.create()))
        return times

    for _round in range(3):
        clients = [Client(token) for _one in range(CLIENTS)]
        before, began = cpu_of(server), time.perf_counter()
        end = began + seconds
        with ThreadPoolExecutor(CLIENTS) as pool:
            times = [one for found in pool.map(work, clients) for one in found]
        took, cpu = time.perf_counter() - began, 1000 * (cpu_of(server) - before) / len(times)
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        print(
            f"creating, {CLIENTS} clients: {len(times) / took:.0f} a second, p50 {p50:.1f} ms, p95 {p95:.1f} ms,"
            f" {cpu:.1f} ms CPU of the web each; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


@contextmanager
def serving() -> Iterator[int]:
    """The web server as `up` starts it, on the scratch database."""
    command = [one.replace("hub.asgi:", "benchmarks.served:") for one in supervisor.command("web")]
    log = settings.DATA_DIR / "web.log"
    with log.open("wb") as output:
        web = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": database_url()},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until(startup.web_answers)
        yield web.pid
    finally:
        web.terminate()
        web.wait(20)


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not ready():
        if time.monotonic() > end:
            raise RuntimeError(f"The web server does not answer; see {settings.DATA_DIR}/web.log")
        time.sleep(0.2)


def database_url() -> str:
    url = urlsplit(os.environ["DATABASE_URL"])
    return url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def fill(appeals: int, people: list[User], shops: list[Any]) -> None:
    present = Appeal.objects.count()
    if present < appeals:
        began = time.perf_counter()
        first = 1 + (Appeal.objects.aggregate(last=Max("pk"))["last"] or 0)
        rows.load(first, first + appeals - present - 1, shops=shops, users=people, now=datetime.now(UTC))
        print(f"loaded {appeals - present:,} appeals in {time.perf_counter() - began:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--appeals", type=int, nargs="+", default=[2_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--only", choices=[*KINDS, "creating"], nargs="+", default=[*KINDS, "creating"])
    parser.add_argument("--keep", action="store_true", help="keep the scratch database for the next run")
    options = parser.parse_args()
    if connection.vendor != "postgresql":
        sys.exit("DATABASE_URL must name a PostgreSQL database.")
    databases = setup_databases(verbosity=0, interactive=False, keepdb=options.keep, serialized_aliases=set())
    try:
        settings.STATIC_ROOT.mkdir(exist_ok=True)
        startup.load_directory()
        run(options)
    finally:
        teardown_databases(databases, verbosity=0, keepdb=options.keep)


def run(options: argparse.Namespace) -> None:
    people = list(User.objects.filter(email__startswith="bench").order_by("id"))
    shops = [shop for person in people[:2] for shop in person.shops.order_by("id")]
    if not people:
        people, shops = rows.team(10, 20, prefix="bench")
        Group.objects.get(name="integration").user_set.add(*people)
    _row, token = ApiToken.objects.create(people[0], name="benchmark")
    medians: dict[str, list[float]] = {}
    for appeals in options.appeals:
        fill(appeals, people, shops)
        calls = Calls(people[0], appeals)
        with serving() as server:
            print(f"\n{Appeal.objects.count():,} appeals; load {os.getloadavg()[0]:.1f}; milliseconds")
            print(f"{'':<16}{'SQL':>4}{'SQL':>9}{'empty':>9}{'p50':>9}{'p95':>9}{'CPU':>9}{'x':>7}")
            for name in KINDS:
                if name in options.only:
                    median = measure(name, calls, token, server=server, rounds=options.rounds, address=database_url())
                    medians.setdefault(name, []).append(median)
            if "creating" in options.only:
                creating(calls, token, 10, server)
    for name, found in medians.items():
        if len(found) > 1:
            print(f"{name:<16} {options.appeals[-1]:,} over {options.appeals[0]:,}: {found[-1] / found[0]:.2f}")


if __name__ == "__main__":
    main()
