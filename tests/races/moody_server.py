"""A mail server of bad character: it refuses, stalls and hangs up at random, and remembers what it took."""

import asyncio
import logging
import random
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.hub.running import free_port

STALL = 1.5  # longer than the workers wait
CASE = re.compile(r"Case \d+")


@dataclass
class Arrival:
    """One copy of a mail: which worker handed it over, when, and whether it was told "250 OK" at once.

    `cases` are those that it tells of.
    """

    worker: int
    at: float
    cases: frozenset[str]
    said_ok: bool = False


class Mailbox:
    """What has arrived: each copy of each Message-ID, and which mails told each person of each case."""

    def __init__(self, *, refused: str = "") -> None:
        self._chance = random.Random()  # noqa: S311
        self.refused = refused
        self.forget()

    def forget(self) -> None:
        """Begins anew, in a bad mood."""
        self.moody = True
        self.mails: dict[str, list[Arrival]] = defaultdict(list)
        self.told: dict[tuple[str, str], set[str]] = defaultdict(set)

    @property
    def count(self) -> int:
        return sum(len(copies) for copies in list(self.mails.values()))

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == self.refused:
            return "550 no such user"
        if self._in_a_mood(0.03):
            return "450 busy"
        if self._in_a_mood(0.02):
            await asyncio.sleep(STALL)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self._in_a_mood(0.04):
            return "451 try later"
        if self._in_a_mood(0.02):
            self._hang_up(server)
            return "451 never heard"
        arrival = self._keep(session, envelope)
        if self._in_a_mood(0.04):
            self._hang_up(server)
        elif self._in_a_mood(0.02):
            await asyncio.sleep(STALL)
        else:
            arrival.said_ok = True
        return "250 OK"

    def _in_a_mood(self, share: float) -> bool:
        return self.moody and self._chance.random() < share

    @staticmethod
    def _hang_up(server: SMTP) -> None:
        if server.transport:
            server.transport.abort()  # type: ignore[attr-defined]

    def _keep(self, session: Session, envelope: Envelope) -> Arrival:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(content, policy=policy.default)
        message_id = str(mail["Message-ID"])
        body = mail.get_body(("plain",))
        cases = frozenset(CASE.findall(body.get_content() if body else ""))
        arrival = Arrival(int(str(session.host_name).partition(".")[0]), time.monotonic(), cases)
        self.mails[message_id].append(arrival)
        for case in cases:
            self.told[envelope.rcpt_tos[0], case].add(message_id)
        return arrival


@contextmanager
def serve(mailbox: Mailbox) -> Iterator[int]:
    """Listening, on a port that was free just now."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield port
    controller.stop()
