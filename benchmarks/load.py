"""A team at work: 20 people in the workplace and 5 programs at the API, for an hour, on the hub as it is run.

    DATABASE_URL=postgres://... REDIS_URL=redis://... python benchmarks/load.py [--minutes 60] [--appeals 100000]

Fills a scratch database (`test_` before the name in DATABASE_URL; removed at the end) with 100,000 appeals and starts
`manage.py up` on it: granian with 2 workers, the Celery worker and beat. People log in by the form and read, search,
log appeals and replies, with the pauses of people; programs create, send, reply, list, and read everything once.
Prints for each action how many, p50, p95 and the longest; the errors by kind; whether each write that was acknowledged
is there, once; and the memory of every process at the start and at the end. Ends with 1 if there was an error; then
the logs stay where they are.
Last figures, 2 cores: see docs/architecture.md, "Figures".
"""

import argparse
import logging
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
os.environ.setdefault("HUB_DATA_DIR", mkdtemp(prefix="hub-load-"))
os.environ.setdefault("HUB_PORT", "8767")
os.environ["HUB_WORKERS"] = "2"

import django

django.setup()
logging.disable()

import httpx
import rows
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from django.urls import reverse

from appeals.models import Appeal, Event, Shop
from hub import startup
from hub.models import ApiToken, User

PASSWORD = "load-seller-hub"  # noqa: S105 - of a scratch database
ADMIN = "/admin/appeals/appeal/"
API = "/api/v1/appeals/"
WORDS = ("выплата", "штраф", "склад доставка", "7-1234", "art-00042", "акт сверка", "возврат товар")
WEEK = timedelta(days=7)


class Journal:
    """What was asked, how long it took, and what went wrong; and the marks of the writes that were acknowledged."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors: Counter[str] = Counter()
        self.written: dict[str, list[str]] = {"appeals": [], "replies": []}
        self._lock = threading.Lock()

    def asked(self, action: str, seconds: float, error: str = "") -> None:
        with self._lock:
            self.times[action].append(1000 * seconds)
            if error:
                self.errors[f"{action}: {error}"] += 1

    def wrote(self, kind: str, mark: str) -> None:
        with self._lock:
            self.written[kind].append(mark)


class Caller:
    """Somebody who asks and waits, until the end."""

    def __init__(self, journal: Journal, end: float, seed: int) -> None:
        self.journal, self.end, self.chance = journal, end, random.Random(seed)
        self.client = httpx.Client(base_url=settings.BASE_URL, timeout=60)

    def ask(self, action: str, method: str, path: str, expected: int = 200, **arguments: Any) -> httpx.Response | None:
        """The answer, or nothing where it is not the one that is expected, which is noted."""
        began, error = time.perf_counter(), ""
        try:
            answer = self.client.request(method, path, **arguments)
            if answer.status_code != expected:
                error = f"{answer.status_code} instead of {expected}"
        except httpx.HTTPError as problem:
            error = type(problem).__name__
        self.journal.asked(action, time.perf_counter() - began, error)
        return None if error else answer

    def pause(self, low: float, high: float) -> None:
        time.sleep(max(0, min(self.chance.uniform(low, high), self.end - time.monotonic())))

    def work(self) -> None:
        self.pause(0, 10)
        while time.monotonic() < self.end:
            try:
                self.one()
            except Exception as problem:
                self.journal.asked(type(self).__name__, 0, repr(problem)[:200])
                self.pause(5, 5)
        self.client.close()

    def one(self) -> None:
        raise NotImplementedError


class Person(Caller):
    """Works in the workplace; logs out now and then."""

    def __init__(self, user: User, shops: list[int], *about: Any) -> None:
        super().__init__(*about)
        self.user, self.shops, self.inside = user, shops, False
        self.seen: list[str] = []

    def one(self) -> None:
        if not self.inside:
            self.log_in()
        else:
            actions = [self.home, self.list, self.page_2, self.search, self.read, self.log, self.reply, self.leave]
            self.chance.choices(actions, weights=[15, 20, 5, 15, 25, 8, 10, 2])[0]()
        self.pause(3, 15)

    def post(self, action: str, path: str, form: dict[str, Any]) -> httpx.Response | None:
        """Sends a form; one that was taken leads on."""
        token = {"csrfmiddlewaretoken": self.client.cookies.get("csrftoken") or ""}
        return self.ask(action, "POST", path, 302, data=token | form)

    def log_in(self) -> None:
        self.client.cookies.clear()
        self.ask("log-in, form", "GET", reverse("admin:login"))
        form = {"username": self.user.email, "password": PASSWORD, "next": "/admin/"}
        self.inside = self.post("log-in", reverse("admin:login"), form) is not None

    def leave(self) -> None:
        self.inside = not self.post_out()

    def post_out(self) -> bool:
        token = {"csrfmiddlewaretoken": self.client.cookies.get("csrftoken") or ""}
        return self.ask("log-out", "POST", reverse("admin:logout"), 200, data=token) is not None

    def home(self) -> None:
        self.ask("home", "GET", reverse("admin:index"))

    def list(self) -> None:
        self.remember(self.ask("list", "GET", ADMIN))

    def page_2(self) -> None:
        self.remember(self.ask("list, page 2", "GET", ADMIN, params={"p": 2}))

    def search(self) -> None:
        self.remember(self.ask("search", "GET", ADMIN, params={"q": self.chance.choice(WORDS)}))

    def remember(self, answer: httpx.Response | None) -> None:
        if answer:
            self.seen = [*self.seen, *re.findall(rf"{ADMIN}(\d+)/change/", answer.text)][-200:]

    def read(self) -> None:
        if self.seen:
            self.ask("appeal", "GET", f"{ADMIN}{self.chance.choice(self.seen)}/change/")

    def log(self) -> None:
        self.ask("log an appeal, form", "GET", f"{ADMIN}add/")
        self.pause(5, 20)
        mark = str(uuid.uuid4())
        form = {"shop": self.chance.choice(self.shops), "subject": "Не поступила выплата", "body": mark, "_sent": ""}
        if answer := self.post("log an appeal", f"{ADMIN}add/", form):
            self.journal.wrote("appeals", mark)
            self.seen += re.findall(rf"{ADMIN}(\d+)/change/", answer.headers["Location"])

    def reply(self) -> None:
        """Of what was looked at, the first that is open."""
        mine = Appeal.objects.filter(pk__in=self.seen[-30:], status__in=["waiting", "our_turn"])
        number = mine.values_list("pk", flat=True).first()
        connection.close()
        if number is None:
            return self.list()
        path = reverse("admin:appeals_appeal_verb", args=[number, "record_reply"])
        self.ask("reply, form", "GET", path)
        self.pause(5, 20)
        mark = str(uuid.uuid4())
        if self.post("reply", path, {"kind": "brush_off", "text": mark}):
            self.journal.wrote("replies", mark)
        return None


class Program(Caller):
    """An ERP that opens appeals, a bot that logs replies, a report that reads."""

    def __init__(self, token: str, shops: list[int], reads_all: bool, *about: Any) -> None:
        super().__init__(*about)
        self.client.headers["Authorization"] = f"Bearer {token}"
        self.shops, self.reads_all = shops, reads_all
        self.read_at = time.monotonic() + self.chance.uniform(30, 300)

    def one(self) -> None:
        if time.monotonic() > self.read_at:
            return self.nightly()
        self.chance.choices([self.create, self.list, self.read], weights=[4, 3, 3])[0]()
        return self.pause(1, 5)

    def call(self, action: str, method: str, path: str, expected: int = 200, **arguments: Any) -> Any:
        answer = self.ask(f"API: {action}", method, path, expected, **arguments)
        return answer.json() if answer else None

    def create(self) -> None:
        """An appeal that is sent, and answered by a stock phrase."""
        mark = str(uuid.uuid4())
        body = {"shop": self.chance.choice(self.shops), "topic": "finance", "subject": "Удержание", "body": mark}
        made = self.call("create", "POST", API, 201, json=body, headers={"Idempotency-Key": mark})
        if not made:
            return
        self.journal.wrote("appeals", mark)
        self.call("submit", "POST", f"{API}{made['id']}/submit/", json={"external_number": f"8-{made['id']}"})
        self.pause(1, 3)
        mark = str(uuid.uuid4())
        reply = {"kind": "brush_off", "text": mark}
        if self.call("reply", "POST", f"{API}{made['id']}/replies/", json=reply, headers={"Idempotency-Key": mark}):
            self.journal.wrote("replies", mark)

    def list(self) -> None:
        self.call("overdue", "GET", API, params={"overdue": "true", "ordering": "next_due_at"})

    def read(self) -> None:
        page = self.call("list", "GET", API)
        if page and page["results"]:
            self.call("read", "GET", f"{API}{self.chance.choice(page['results'])['id']}/")

    def nightly(self) -> None:
        """What was sent in the last week; of one program, all there is. Again ten minutes later."""
        since = datetime.now(UTC) - (timedelta(days=3650) if self.reads_all else WEEK)
        query = {"page_size": 200, "ordering": "submitted_at", "submitted_after": since.isoformat()}
        page = self.call("nightly page", "GET", API, params=query)
        while page and page["next"] and time.monotonic() < self.end:
            page = self.call("nightly page", "GET", page["next"])
        self.read_at, self.reads_all = time.monotonic() + 600, False


@contextmanager
def running() -> Iterator[int]:
    """The hub, as `up` runs it."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    with (settings.DATA_DIR / "up.log").open("wb") as log:
        hub = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--stop-with-parent"],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": url},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + 180
        while not startup.web_answers():
            if hub.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"The hub does not start; see {settings.DATA_DIR}/up.log")
            time.sleep(0.5)
        yield hub.pid
    finally:
        hub.terminate()
        hub.wait(60)


def memory(root: int) -> dict[str, int]:
    """MB of every process of the hub, by what it is."""
    parents, found = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    for process in sorted(parents):
        line = [process]
        while line[-1] in parents and line[-1] != root:
            line.append(parents[line[-1]])
        if line[-1] == root:
            pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
            found[f"{_part(line)} {process}"] = pages * os.sysconf("SC_PAGE_SIZE") // 2**20
    return found


def _part(line: list[int]) -> str:
    """The part of the hub that a process belongs to, by the command of the one below the root."""
    words = Path(f"/proc/{line[-2] if len(line) > 1 else line[-1]}/cmdline").read_text().split("\0")
    part = next((one for one in ("granian", "worker", "beat", "guardian", "up") if any(one in w for w in words)), "?")
    return f"{part}{'' if len(line) <= 2 else ', child'}"


def callers(journal: Journal, end: float, people: list[User], programs: list[User]) -> list[Caller]:
    found: list[Caller] = []
    for number, user in enumerate(people):
        found.append(Person(user, _shops(user), journal, end, number))
    for number, user in enumerate(programs):
        _row, token = ApiToken.objects.create(user, name="load")
        found.append(Program(token, _shops(user), number == 0, journal, end, 1000 + number))
    return found


def _shops(user: User) -> list[int]:
    return list(Shop.objects.visible_to(user).values_list("pk", flat=True))


def team(people: int, programs: int) -> tuple[list[User], list[User], list[Shop]]:
    users, shops = rows.team(people + programs, 10, prefix="load")
    User.objects.filter(pk__in=[user.pk for user in users[:people]]).update(password=make_password(PASSWORD))
    Group.objects.get(name="agent").user_set.add(*users[:people])
    Group.objects.get(name="integration").user_set.add(*users[people:])
    return users[:people], users[people:], shops


def work(everybody: list[Caller], end: float, tell: Callable[[], None]) -> None:
    threads = [threading.Thread(target=caller.work, daemon=True) for caller in everybody]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        time.sleep(min(60, max(0.1, end - time.monotonic())))
        tell()
    for thread in threads:
        thread.join(timeout=120)


def report(journal: Journal, minutes: float, before: dict[str, int], after: dict[str, int]) -> int:
    total = sum(len(times) for times in journal.times.values())
    print(f"\n{total:,} requests in {minutes:.0f} minutes, {total / minutes / 60:.1f} a second; milliseconds")
    print(f"{'':<22}{'count':>8}{'p50':>9}{'p95':>9}{'longest':>9}")
    for action, times in sorted(journal.times.items()):
        p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
        print(f"{action:<22}{len(times):>8,}{statistics.median(times):>9.0f}{p95:>9.0f}{max(times):>9.0f}")
    print(f"\nerrors: {sum(journal.errors.values())}")
    for error, count in journal.errors.most_common():
        print(f"  {count} {error}")
    lost = missing("appeals", journal.written["appeals"], Appeal.objects.values_list("body", flat=True))
    lost += missing("replies", journal.written["replies"], Event.objects.values_list("text", flat=True))
    print("\nMB              start      end")
    for process in sorted({*before, *after}):
        print(f"{process:<24}{before.get(process, 0):>6}{after.get(process, 0):>9}")
    print(f"{'together':<24}{sum(before.values()):>6}{sum(after.values()):>9}")
    return lost + sum(journal.errors.values())


def missing(kind: str, marks: list[str], texts: Any) -> int:
    """How many of the acknowledged writes are not there, or there twice."""
    field = "body" if kind == "appeals" else "text"
    there = Counter(texts.filter(**{f"{field}__in": marks}))
    lost, doubled = sum(there[mark] == 0 for mark in marks), sum(there[mark] > 1 for mark in marks)
    print(f"{kind} acknowledged: {len(marks):,}; lost {lost}, doubled {doubled}")
    return lost + doubled


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--appeals", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--programs", type=int, default=5)
    options = parser.parse_args()
    if connection.vendor != "postgresql" or not settings.CELERY_BROKER_URL.startswith("redis"):
        sys.exit("DATABASE_URL must name a PostgreSQL database, and REDIS_URL a Redis.")
    databases = setup_databases(verbosity=0, interactive=False, serialized_aliases=set())
    try:
        startup.load_directory()
        people, programs, shops = team(options.people, options.programs)
        rows.load(1, options.appeals, shops=shops, users=people, now=datetime.now(UTC))
        with running() as hub:
            wrong = run(hub, people, programs, options.minutes)
    finally:
        connection.close()
        teardown_databases(databases, verbosity=0)
    if wrong:
        print(f"The logs are in {settings.DATA_DIR}/log")
    else:
        shutil.rmtree(settings.DATA_DIR, ignore_errors=True)
    return wrong


def run(hub: int, people: list[User], programs: list[User], minutes: float) -> int:
    journal, began = Journal(), time.monotonic()
    end = began + 60 * minutes
    known: list[dict[str, int]] = []

    def tell() -> None:
        """A line each minute; the first is the start, when every process has done something."""
        known.append(memory(hub))
        count, errors = sum(len(times) for times in journal.times.values()), sum(journal.errors.values())
        passed, load = (time.monotonic() - began) / 60, os.getloadavg()[0]
        used = sum(known[-1].values())
        print(f"{passed:5.0f} min: {count:,} requests, {errors} errors, {used} MB, load {load:.1f}", flush=True)

    work(callers(journal, end, people, programs), end, tell)
    return report(journal, minutes, known[0], memory(hub))


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
