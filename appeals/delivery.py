"""Telling people: what was claimed for one person becomes one mail, once.

A worker claims for some people at a time (`appeals.claims`), sends outside of any transaction, and marks each mail as
sent by itself. A worker that dies in between loses nothing: its claim ends, and another sends the same message.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, OperationalError, connection, models, transaction

from appeals import claims, digest
from appeals.claims import Claim
from appeals.models import Event, Reminder
from appeals.models.bulk import insert_rows
from appeals.next_steps import Directory, NextSteps
from appeals.post import DelayedError, Postbox, RefusedError
from appeals.recipients import Roster

logger = logging.getLogger(__name__)
Reason = Reminder.Reason
State = Reminder.State

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
# One run of a worker: then other tasks have their turn
RUN_SECONDS = 30.0
# So many failures of the server one after the other, and the rest waits for the next run
SERVER_FAILURES = 3
# People claimed at a time, and about how many reminders: what is claimed is sent within FRESH_SECONDS or given back.
# Where the server is slow, fewer are claimed the next time: as many as it takes in that time
PEOPLE, REMINDERS = 100, 600
FRESH_SECONDS = 1.0
_MARK_SECONDS = 600.0
_SEND = (
    "UPDATE appeals_reminder SET state = %s, sent_at = %s, leased_until = NULL, detail = '',"
    " reason = CASE WHEN reason = %s THEN reason ELSE '' END"
)


def deliver(now: datetime) -> bool:
    """Sends what waits, one mail a person, until nothing is left or the run is over; true when something is left."""
    with Postbox() as postbox:
        return Run(now, postbox).work()


class Run:
    """One worker's round. Its clock goes on from the `now` that it was given."""

    def __init__(self, now: datetime, postbox: Postbox) -> None:
        self.postbox = postbox
        self._now, self._started = now, time.monotonic()
        self._failures, self._at_once = 0, PEOPLE
        self._roster, self._roster_read = Roster(), self._started
        self._directory = Directory(now)

    @property
    def now(self) -> datetime:
        return self._now + timedelta(seconds=self._seconds())

    def work(self) -> bool:
        """Until nothing can be claimed: what others hold is theirs."""
        found = True
        while found and self._failures < SERVER_FAILURES:
            found = False
            for addresses in self._people():
                if self._seconds() > RUN_SECONDS:
                    return True
                found = self._serve(addresses) or found
        return False

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _people(self) -> Iterator[list[str]]:
        """Those for whom something waits, the longest wait first, so many at a time as can be served at once."""
        waits = claims.waiting(self.now).values("address").annotate(since=models.Min("send_after"))
        some: list[str] = []
        weight = 0
        for address, count in waits.order_by("since", "address").values_list("address", models.Count("id")):
            some.append(address)
            weight += count
            if len(some) >= self._at_once or weight >= REMINDERS:
                yield some
                some, weight = [], 0
        if some and self._failures < SERVER_FAILURES:
            yield some

    def _serve(self, addresses: list[str]) -> bool:
        """Claims for these people and tells them; false when nothing waited for them."""
        roster = self._people_now()
        taken = claims.take(addresses, self.now, roster)
        if taken is None:
            return False
        left, began = taken, time.monotonic()
        appeals = (row.deadline.appeal for claim in left for row in claim.reminders)
        steps = NextSteps(appeals, self.now, self._directory)
        while left and left[0].leased_until > self.now:
            claim, *left = left
            self._tell(claim, roster, steps)  # the first at any rate: a slow machine gets on, too
            took = time.monotonic() - began
            self._at_once = _so_many(len(taken) - len(left), took)
            if self._failures >= SERVER_FAILURES or took > FRESH_SECONDS or self._seconds() > RUN_SECONDS:
                break
        claims.release(left)
        return True

    def _people_now(self) -> Roster:
        """Who works where, as it was at most FRESH_SECONDS ago."""
        if time.monotonic() - self._roster_read > FRESH_SECONDS:
            self._roster, self._roster_read = Roster(), time.monotonic()
        return self._roster

    def _tell(self, claim: Claim, roster: Roster, steps: NextSteps) -> None:
        try:
            message = digest.compose(claim.recipient, claim.reminders, claim.message_id, self.now, steps)
            self.postbox.send(message)
        except DatabaseError:
            raise
        except RefusedError as error:
            claims.refuse(claim, str(error), self.now, roster)
        except DelayedError as error:
            self._failures += error.is_server
            _put_off(claim, error, self.now)
        except Exception as error:
            logger.exception("The mail %s could not be written", claim.message_id)
            _put_off(claim, DelayedError(f"{type(error).__name__}: {error}"), self.now)
        else:
            self._failures = 0
            _persist(lambda: _mark(claim, self.now))


def _so_many(told: int, took: float) -> int:
    """How many people can be told in FRESH_SECONDS, where so many took so long."""
    return min(max(int(told * FRESH_SECONDS / max(took, 0.001)), 1), PEOPLE)


def _mark(claim: Claim, now: datetime) -> None:
    """Sent, and on the timelines: one statement. Done twice, it changes nothing the second time."""
    pks = [row.pk for row in claim.reminders]
    update = f"{_SEND} WHERE state = %s AND id IN ({', '.join(['%s'] * len(pks))})"
    at = Reminder._meta.get_field("sent_at").get_db_prep_save(now, connection)
    given = [State.SENT.value, at, Reason.INSTEAD.value, State.PENDING.value, *pks]
    lines = [_event(row, claim.message_id, now) for row in claim.reminders]
    with nullcontext() if connection.vendor == "postgresql" else transaction.atomic():
        insert_rows(Event, [field.attname for field in Event._meta.concrete_fields[1:]], lines, after=(update, given))


@transaction.atomic
def _put_off(claim: Claim, error: DelayedError, now: datetime) -> None:
    """Tries again after a pause that grows, with some chance in it, so that not all come back at once.

    A mail that may have arrived, this time or an earlier one, stays the same mail; any other can be put together anew.
    """
    chance = random.uniform(0.75, 1.25)  # noqa: S311
    for row in claim.reminders:
        claim.held.filter(pk=row.pk).update(
            leased_until=None,
            send_after=now + chance * min(FIRST_PAUSE * 2 ** min(row.attempts, 20), LONGEST_PAUSE),
            reason=row.reason or Reason.TRYING,
            detail=str(error),
            message_id=claim.message_id if error.is_unknown else row.message_id,
        )


def _event(row: Reminder, message_id: str, now: datetime) -> Event:
    return Event(
        appeal_id=row.deadline.appeal_id,
        kind=Event.Kind.REMINDED,
        at=now,
        recorded_at=now,
        data={
            "recipient": row.address,
            "level": row.level,
            "deadline": row.deadline.kind,
            "due_at": row.due_at.isoformat(),
            "message_id": message_id,
        },
    )


def _persist(write: Callable[[], None]) -> None:
    """The mail is out, so the mark must follow, even if the database goes away for a while."""
    give_up = time.monotonic() + _MARK_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > give_up:
                raise
            logger.warning("A mail is out and could not be marked as sent; trying again", exc_info=True)
            connection.close()
            time.sleep(0.5)
