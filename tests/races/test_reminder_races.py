"""Workers are killed, the broker is wiped, the database hangs up, the mail server is moody: nothing is lost,
and nobody is told twice.

Each round has 500 late deadlines of 100 people, one of whom no mail reaches. REMINDER_RACE_ROUNDS sets how many rounds
are played (the full form: 200); it prints what it counted.

A second copy of a mail is forgiven where nobody could know that the first one had arrived: its worker was killed after
the server's 250 and before our commit, or the connection broke, or stalled, before that 250 was heard. The copy must
have the same Message-ID. Whatever a worker that lives has heard "250" for must never come again.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from celery import Celery
from django.db import connection
from django.utils import timezone

from appeals.models import Appeal, Deadline, Event, Membership, RefusedAddress, Reminder, Shop
from hub.models import User
from marketplaces.models import Marketplace
from tests.races.moody_server import Arrival, Mailbox, serve

ROUNDS = int(os.environ.get("REMINDER_RACE_ROUNDS", "2"))
TOLD_EVERY = 10
LATE, PEOPLE, WORKERS, MISFORTUNES = 500, 100, 3, 5
PATIENCE = 120.0
UNREACHED = "person0@example.com"
CHANCE = random.Random()  # noqa: S311

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@dataclass
class Team:
    """Worker processes, all made by one nursery."""

    nursery: subprocess.Popen[str]
    journal: Path
    workers: list[int] = field(default_factory=list)
    killed: dict[int, float] = field(default_factory=dict)

    def hire(self) -> None:
        assert self.nursery.stdin
        assert self.nursery.stdout
        while len(self.workers) < WORKERS:
            print(file=self.nursery.stdin, flush=True)
            self.workers.append(int(self.nursery.stdout.readline()))

    def kill_one(self) -> None:
        pid = self.workers.pop(CHANCE.randrange(len(self.workers)))
        os.kill(pid, signal.SIGKILL)
        self.killed[pid] = time.monotonic()

    def heard(self) -> Iterator[tuple[int, float, str]]:
        """Which worker heard a "250", when, and for which mail."""
        for line in self.journal.read_text().splitlines():
            pid, at, message_id = line.split()
            yield int(pid), float(at), message_id


@contextmanager
def team(environment: dict[str, str], redis_url: str, port: int, folder: Path) -> Iterator[Team]:
    database = connection.settings_dict
    login = ":".join(quote(part, safe="") for part in (database["USER"], database["PASSWORD"]) if part)
    address = f"{login}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"
    environment |= {
        "DATABASE_URL": f"postgres://{address}",
        "REDIS_URL": redis_url,
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "hub.settings",
    }
    journal = folder / "journal"
    journal.touch()
    with (folder / "workers.log").open("w") as output:
        nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.races.nursery", str(journal)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
        try:
            yield Team(nursery, journal)
        finally:
            nursery.kill()  # the workers die with it
            nursery.communicate()


@pytest.fixture
def people() -> list[User]:
    market = Marketplace.objects.create(slug="bazaar", name="Базар")
    shop = Shop.objects.create(name="Tea and Cups", marketplace=market)
    users = [User.objects.create_user(f"person{number}@example.com") for number in range(PEOPLE)]
    lead = User.objects.create_user("lead@example.com")
    Membership.objects.bulk_create(Membership(shop=shop, user=user) for user in users)
    Membership.objects.create(shop=shop, user=lead, is_lead=True)
    return users


def make_late(people: list[User], first: int, now: datetime) -> None:
    """Appeals "Case <number>", each with an answer that is late for one minute."""
    shop = Shop.objects.get()
    appeals = Appeal.objects.bulk_create(
        Appeal(
            shop=shop,
            subject=f"Case {first + number}",
            assignee=people[number % PEOPLE],
            status=Appeal.Status.WAITING,
            created_at=now - timedelta(days=3),
            submitted_at=now - timedelta(days=3),
        )
        for number in range(LATE)
    )
    due = now - timedelta(minutes=1)
    terms = {"amount": 3, "unit": "working_days", "opening_hours": "24/7", "time_zone": "UTC", "country": "RU"}
    Deadline.objects.bulk_create(
        Deadline(appeal=one, kind="answer", started_at=one.created_at, due_at=due, remind_at=due, **terms)
        for one in appeals
    )


def disturb(crew: Team, mailbox: Mailbox, broker: redis.Redis, bell: Celery) -> None:
    """One misfortune in the midst of the work, and a bell or two."""
    wait_for_mail(mailbox, CHANCE.randint(0, 12), bell)
    what = CHANCE.random()
    if what < 0.15:
        broker.flushdb()
    elif what < 0.3:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    for _worker in range(CHANCE.randint(1, WORKERS)):
        crew.kill_one()
    crew.hire()
    ring(bell, CHANCE.randint(1, 2))


def wait_for_mail(mailbox: Mailbox, count: int, bell: Celery) -> None:
    """Until so many more mails have come, or for two beats of beat, and then a moment that nobody can foresee."""
    enough = mailbox.count + count
    for _beat in range(2):
        end = time.monotonic() + 1
        while time.monotonic() < end and mailbox.count < enough:
            time.sleep(0.005)
        if mailbox.count < enough:
            ring(bell)
    time.sleep(CHANCE.uniform(0, 0.05))


def ring(bell: Celery, times: int = 1) -> None:
    for _time in range(times):
        bell.send_task("appeals.tasks.sweep", expires=30)


def settle(crew: Team, bell: Celery) -> None:
    """A quiet time: workers live, the server is in a good mood, and beat rings every second."""
    end = time.monotonic() + PATIENCE
    unsent = Reminder.objects.filter(state=Reminder.State.PENDING)
    crew.hire()
    while time.monotonic() < end:
        ring(bell)
        again = time.monotonic() + 1
        while time.monotonic() < again:
            if not Deadline.objects.filter(told_until=None).exists() and not unsent.exists():
                return
            time.sleep(0.05)
    raise AssertionError(f"{unsent.count()} reminders still wait after {PATIENCE} s")


def clear() -> None:
    with connection.cursor() as cursor:
        tables = ", ".join(model._meta.db_table for model in (Appeal, Deadline, Reminder, Event, RefusedAddress))
        cursor.execute(f"TRUNCATE {tables} CASCADE")


@dataclass
class Tally:
    rounds: int = 0
    mails: int = 0
    copies_after_a_death: int = 0
    copies_after_a_broken_connection: int = 0
    killed: int = 0

    def check(self, mailbox: Mailbox, crew: Team) -> None:
        """Every case told to its person once, by Message-ID, and recorded so."""
        sent = list(Reminder.objects.filter(state=Reminder.State.SENT).select_related("deadline__appeal"))
        told = {(row.address, row.deadline.appeal.subject): {row.message_id} for row in sent}
        reached = {"lead@example.com" if one == UNREACHED else one for one in self._assignees()}
        assert len(told) == LATE
        assert {address for address, _case in told} == reached
        assert dict(mailbox.told) == told
        assert Reminder.objects.filter(address=UNREACHED, state=Reminder.State.FAILED).count() == LATE // PEOPLE
        assert Event.objects.filter(kind=Event.Kind.REMINDED).count() == LATE
        self._check_copies(mailbox, crew)
        self.rounds += 1
        self.mails += mailbox.count
        self.killed = len(crew.killed)

    def _check_copies(self, mailbox: Mailbox, crew: Team) -> None:
        for worker, at, message_id in crew.heard():
            later = [copy for copy in mailbox.mails.get(message_id, []) if copy.at > at]
            assert not [copy for copy in later if crew.killed.get(worker, copy.at) >= copy.at], message_id
        for copies in mailbox.mails.values():
            assert len({copy.cases for copy in copies}) == 1
            for first, second in pairwise(copies):
                if first.said_ok and self._died(first, second, crew):
                    self.copies_after_a_death += 1
                else:
                    self.copies_after_a_broken_connection += 1

    @staticmethod
    def _died(first: Arrival, second: Arrival, crew: Team) -> bool:
        return crew.killed.get(first.worker, second.at) < second.at

    @staticmethod
    def _assignees() -> list[str]:
        return list(Appeal.objects.values_list("assignee__email", flat=True).distinct())


def play(crew: Team, mailbox: Mailbox, broker: redis.Redis, bell: Celery) -> None:
    mailbox.forget()
    crew.hire()
    ring(bell, 2)
    for _misfortune in range(MISFORTUNES):
        disturb(crew, mailbox, broker, bell)
    mailbox.moody = False
    settle(crew, bell)


def test_nobody_is_told_twice_and_nothing_is_lost(
    people: list[User], environment: dict[str, str], redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tally, mailbox = Tally(), Mailbox(refused=UNREACHED)
    with (
        serve(mailbox) as port,
        team(environment, redis_url, port, tmp_path) as crew,
        closing(redis.Redis.from_url(redis_url)) as broker,
        closing(Celery(broker=redis_url)) as bell,
    ):
        for number in range(ROUNDS):
            make_late(people, number * LATE, timezone.now())
            play(crew, mailbox, broker, bell)
            tally.check(mailbox, crew)
            clear()
            if (number + 1) % TOLD_EVERY == 0 or number + 1 == ROUNDS:
                with capsys.disabled():
                    print(f"\n{tally}; told twice: 0, lost: 0", end=" ", flush=True)  # noqa: T201
