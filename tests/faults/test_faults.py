"""A night in production: parts are killed, PostgreSQL and Redis crash, the disk is full, mail is away; and meanwhile a
program logs appeals and replies without a pause. Nothing that was acknowledged is lost, nobody is told twice.

FAULT_ROUNDS sets how often all misfortunes come, one by one and in any order (the full form: 10). Without it they
come once, some of them together. It prints what it counted.
"""

import hashlib
import logging
import os
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.conftest import MISSING
from tests.faults import machinery
from tests.faults.integration import Integration, Ledger
from tests.faults.machinery import AGENT, Disk, Part, Postgres, Redis, prepare
from tests.hub.running import forget_figures, free_port, wait_until

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "0"))
READY = {"beat": "beat: Starting", "worker": " ready.", "web": "Started worker-2"}


class Box:
    """What has arrived: how often each Message-ID came, and which mails told each person of each case."""

    def __init__(self) -> None:
        self.mails: Counter[str] = Counter()
        self.told: dict[tuple[str, str], set[str]] = defaultdict(set)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        body, message = mail.get_body(("plain",)), str(mail["Message-ID"])
        self.mails[message] += 1
        for case in re.findall(r"Case \d+", body.get_content() if body else ""):
            self.told[envelope.rcpt_tos[0], case].add(message)
        return "250 OK"


class Mail:
    """A mail server that can be away, and remembers what it took."""

    def __init__(self) -> None:
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self.box, self.port = Box(), free_port()

    def start(self) -> None:
        self._server = Controller(self.box, hostname="127.0.0.1", port=self.port)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()


@dataclass
class Night:
    database: Postgres
    broker: Redis
    mail: Mail
    disk: Disk
    parts: dict[str, Part]
    client: Integration
    environment: dict[str, str]
    logs: Path

    def wait_for_progress(self, count: int = 5) -> None:
        """The client gets on: so many more things are acknowledged."""
        enough = self.client.ledger.acknowledged + count
        wait_until(lambda: self.client.ledger.acknowledged >= enough, "the hub acknowledges again", 120)

    def kill_web(self) -> None:
        self.parts["web"].kill()

    def kill_web_child(self) -> None:
        self.parts["web"].kill_child()

    def kill_worker(self) -> None:
        self.parts["worker"].kill()

    def kill_worker_child(self) -> None:
        self.parts["worker"].kill_child()

    def kill_beat(self) -> None:
        self.parts["beat"].kill()

    def restart_database(self) -> None:
        self.database.crash()
        time.sleep(2)
        self.database.start()

    def restart_broker(self) -> None:
        self.broker.crash()
        self.wait_for_progress()  # without a broker, too
        self.broker.start()

    def wipe_broker(self) -> None:
        self.broker.wipe()

    def fill_disk(self) -> None:
        if self.disk.missing:
            return
        before = self.client.ledger.answers[507]
        self.disk.fill()
        wait_until(lambda: self.client.ledger.answers[507] > before, "the disk is told to be full", 60)
        self.disk.make_room()

    def lose_mail_for_an_hour(self) -> None:
        self.mail.stop()
        tried = "SELECT 1 FROM appeals_reminder WHERE state = 'pending' AND reason = 'trying' LIMIT 1"
        wait_until(lambda: bool(self.database.ask(tried)), "mail was tried in vain", 120)
        self.move_time()
        self.mail.start()
        self.move_time()

    def move_time(self) -> None:
        """An hour passes for the reminders that wait."""
        self.database.ask(
            "UPDATE appeals_reminder SET send_after = send_after - interval '1 hour',"
            " first_tried_at = first_tried_at - interval '1 hour' WHERE state = 'pending'"
        )

    def two_beats(self) -> None:
        second = Part("beat", self.environment, self.logs)
        time.sleep(4)
        second.end()

    def settle(self) -> list[int | None]:
        """The worker is asked to stop, claims of the dead run out, and a new one has all the time it needs.

        How every part ended.
        """
        ended = [self.end("beat"), self.end("worker")]
        self.database.ask("UPDATE appeals_reminder SET leased_until = NULL WHERE state = 'pending'")
        self.parts |= {name: Part(name, self.environment, self.logs) for name in ("worker", "beat")}
        give_up = time.monotonic() + 180
        while self._unsettled():
            assert time.monotonic() < give_up, f"{self._unsettled()} still wait"
            self.move_time()
            time.sleep(1)
        return [*ended, *(self.end(name) for name in READY)]

    def end(self, name: str) -> int | None:
        """Asks a part that is up to stop: one that is not yet would just die."""
        wait_until(lambda: self.parts[name].has_said(READY[name]), f"{name} runs", 120)
        return self.parts[name].end()

    def _unsettled(self) -> int:
        waiting = self.database.ask(
            "SELECT (SELECT count(*) FROM appeals_reminder WHERE state = 'pending')"
            " + (SELECT count(*) FROM appeals_deadline WHERE state = 'running' AND remind_at <= now())"
        )
        return int(str(waiting[0][0]))


@dataclass
class Count:
    """What was acknowledged, and what became of it."""

    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    reminders: int = 0
    reminders_lost: int = 0
    told_twice: int = 0
    copies_of_a_mail: int = 0
    mails: int = 0

    def writes(self, book: Ledger, database: Postgres, media: Path) -> None:
        self.acknowledged = book.acknowledged
        subjects = [str(row[0]) for row in database.ask("SELECT subject FROM appeals_appeal")]
        sent = [str(row[0]) for row in database.ask("SELECT subject FROM appeals_appeal WHERE status <> 'draft'")]
        texts = [str(row[0]) for row in database.ask("SELECT text FROM appeals_event WHERE text <> ''")]
        rows = database.ask("SELECT name, file FROM appeals_attachment")
        for marks, found in (
            (set(book.appeals), subjects),
            (book.submitted, sent),
            (book.events, texts),
            (set(book.files), [str(name) for name, _file in rows]),
        ):
            self.lost += len(marks - set(found))
            self.doubled += len(found) - len(set(found))
        for name, file in rows:
            content = (media / str(file)).read_bytes()
            self.lost += book.files.get(str(name), digest := _sha256(content)) != digest

    def mailed(self, book: Ledger, database: Postgres, box: Box) -> None:
        """Each late appeal was told of, in the very mail that its reminder names, and in no other."""
        rows = database.ask(
            "SELECT reminder.address, subject, message_id FROM appeals_reminder reminder"
            " JOIN appeals_deadline deadline ON deadline.id = deadline_id"
            " JOIN appeals_appeal appeal ON appeal.id = deadline.appeal_id WHERE reminder.state = 'sent'"
        )
        stated: dict[tuple[str, str], set[str]] = {}
        for address, subject, message in rows:
            stated.setdefault((str(address), str(subject)), set()).add(str(message))
        self.reminders = len(rows)
        self.reminders_lost = sum(len(ids - box.told[key]) for key, ids in stated.items())
        self.reminders_lost += sum((AGENT, mark) not in stated for mark in book.submitted)
        self.told_twice = sum(len(ids - stated.get(key, set())) for key, ids in dict(box.told).items())
        self.mails = box.mails.total()
        self.copies_of_a_mail = self.mails - len(box.mails)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def night(environment: dict[str, str], folder: Path) -> Iterator[Night]:
    data = Path(environment["HUB_DATA_DIR"])
    data.mkdir(mode=0o700)
    with ExitStack() as stack:
        database, broker = stack.enter_context(machinery.services())
        mail = Mail()
        mail.start()
        stack.callback(mail.stop)
        disk = Disk(data / "media")
        stack.callback(disk.unmount)
        settings = environment | {
            "DATABASE_URL": database.url,
            "REDIS_URL": broker.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
            "HUB_PORT": str(free_port()),
            "HUB_WORKERS": "2",
            "HUB_SWEEP_SECONDS": "1",
            "HUB_API_REQUESTS_PER_MINUTE": "1000000",
        }
        shop, token = prepare(settings)
        logs = folder / "logs"
        logs.mkdir()
        stack.callback(forget_figures, int(settings["HUB_PORT"]))
        parts = {name: Part(name, settings, logs) for name in ("web", "worker", "beat")}
        stack.callback(lambda: [part.end(5) for part in found.parts.values()])
        client = Integration(f"http://127.0.0.1:{settings['HUB_PORT']}", token, shop, AGENT)
        found = Night(database, broker, mail, disk, parts, client, settings, logs)
        yield found


def misfortunes(one: Night) -> list[list[Callable[[], None]]]:
    """What happens, step by step; what stands in one step happens together."""
    if not ROUNDS:
        return [
            [one.kill_web, one.kill_worker, one.kill_beat],
            [one.restart_database],
            [one.wipe_broker, one.restart_broker, one.kill_worker_child],
            [one.lose_mail_for_an_hour, one.fill_disk, one.two_beats, one.kill_web_child],
        ]
    each = [
        one.kill_web,
        one.kill_web_child,
        one.kill_worker,
        one.kill_worker_child,
        one.kill_beat,
        one.restart_database,
        one.restart_broker,
        one.wipe_broker,
        one.fill_disk,
        one.lose_mail_for_an_hour,
        one.two_beats,
    ]
    chance = random.SystemRandom()
    return [[step] for _round in range(ROUNDS) for step in chance.sample(each, len(each))]


def test_a_night_in_which_everything_fails_loses_nothing_and_tells_nobody_twice(
    environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    if why := machinery.missing():
        pytest.skip(f"{MISSING}servers to be killed ({why})")
    with night(environment, tmp_path) as one:
        with one.client:
            one.wait_for_progress()
            steps = misfortunes(one)
            for step in steps:
                for happen in step:
                    happen()
                one.wait_for_progress()
        book = one.client.ledger
        ended = one.settle()
        count = Count()
        count.writes(book, one.database, one.disk.folder)
        count.mailed(book, one.database, one.mail.box)
        starts = {name: part.starts for name, part in one.parts.items()}
    with capsys.disabled():
        told = f"{sum(map(len, steps))} misfortunes; {count}; answers {dict(book.answers)}; cut off {dict(book.gone)}"
        print(f"\n{told}; ended {ended}; starts of web {starts['web']}", end=" ")  # noqa: T201
    if one.disk.missing:
        record_property(MISSING, f"a disk to be filled ({one.disk.missing})")
    assert book.unexplained == []
    assert (count.lost, count.doubled, count.reminders_lost, count.told_twice) == (0, 0, 0, 0)
    assert count.reminders >= len(book.submitted) > 0
    assert ended == [0] * len(ended)
