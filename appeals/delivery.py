"""Telling people: what waits for one person becomes one mail, once.

A worker claims all that waits for a person, with a lease, and reads in the same transaction how things stand now;
then it sends outside of any transaction, and then it marks. A worker that dies in between loses nothing: the lease
ends, and another sends the same message under the same Message-ID.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, OperationalError, connection, models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from appeals import digest
from appeals.escalation import Paths
from appeals.models import Event, RefusedAddress, Reminder
from appeals.planning import LEASE, free, hand_on, send_after, settled
from appeals.post import DelayedError, Postbox, RefusedError
from appeals.recipients import Recipient, Roster

logger = logging.getLogger(__name__)
Reason = Reminder.Reason
State = Reminder.State

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=2)
ATTEMPTS_AT_LEAST = 8
# One run of a worker: then other tasks have their turn
RUN_SECONDS = 45.0
# So many failures of the server one after the other, and the rest waits for the next run
SERVER_FAILURES = 3
# How old the people and the escalation paths may be that a mail is made from
_READ_SECONDS = 1.0
_MARK_SECONDS = 600.0


def waiting(now: datetime) -> models.QuerySet[Reminder]:
    """Reminders to be sent now: due, not being sent by somebody else, and of appeals that are not snoozed."""
    due = Reminder.objects.filter(free(now), state=State.PENDING, send_after__lte=now)
    return due.exclude(deadline__appeal__snoozed_until__gt=now)


def deliver(now: datetime) -> bool:
    """Sends what waits, one mail a person, until nothing waits or the run is over; true when something is left."""
    with Postbox() as postbox:
        return Run(now, postbox).work()


@dataclass
class Claim:
    """What a worker took for one person: the rows to tell of, and the identity of the mail."""

    recipient: Recipient
    reminders: list[Reminder]
    message_id: str

    @property
    def pks(self) -> list[int]:
        return [row.pk for row in self.reminders]


class Run:
    """One worker's round. Its clock goes on from the `now` that it was given."""

    def __init__(self, now: datetime, postbox: Postbox) -> None:
        self.postbox = postbox
        self._now, self._started = now, time.monotonic()
        self._failures = 0
        self._read()

    @property
    def now(self) -> datetime:
        return self._now + timedelta(seconds=time.monotonic() - self._started)

    def _read(self) -> None:
        self.roster, self.paths, self._read_at = Roster(), Paths(timezone.localdate(self.now)), time.monotonic()

    def work(self) -> bool:
        """True when time ran out before the work did."""
        for address in self._addresses():
            if time.monotonic() - self._read_at > _READ_SECONDS:
                self._read()
            while self._failures < SERVER_FAILURES and (claim := self._claim(address)):
                self._tell(claim)
            if self._failures >= SERVER_FAILURES:
                return False
            if time.monotonic() - self._started > RUN_SECONDS:
                return True
        return False

    def _addresses(self) -> Iterator[str]:
        """Each person for whom something waits, the longest wait first, until nobody new turns up."""
        seen: set[str] = set()
        while True:
            waits = waiting(self.now).values("address").annotate(since=models.Min("send_after"))
            found = waits.order_by("since", "address").values_list("address", flat=True)
            if not (fresh := [address for address in found if address not in seen]):
                return
            seen.update(fresh)
            yield from fresh

    @transaction.atomic
    def _claim(self, address: str) -> Claim | None:
        """Takes what is to be told to one person now, and settles what is not; None when nothing is left to take.

        A mail whose fate is unknown is taken again just as it was, so that its copy has the same Message-ID.
        """
        now = self.now
        found = _in_full(waiting(now).filter(address=address))
        rows = list(found.select_for_update(of=("self",), skip_locked=True))
        taken: list[Reminder] = []
        while rows and not taken:
            tried = next((row.message_id for row in rows if row.message_id), "")
            taken = [row for row in rows if row.message_id == tried and self._still_stands(row, now)]
            rows = [row for row in rows if row.message_id != tried]
        if not taken:
            return None
        message_id = taken[0].message_id or digest.message_id(taken)
        Reminder.objects.filter(pk__in=[row.pk for row in taken]).update(
            leased_until=now + LEASE,
            message_id=message_id,
            attempts=models.F("attempts") + 1,
            first_tried_at=Coalesce("first_tried_at", now),
        )
        recipient = Recipient(address=address, role=Reminder.Role(taken[0].role), user=taken[0].user)
        return Claim(recipient, taken, message_id)

    def _still_stands(self, row: Reminder, now: datetime) -> bool:
        """Whether to tell of it now; what is not to be told is cancelled, put off or handed on."""
        if reason := settled(row):
            _end([row], State.CANCELLED, reason)
            return False
        if not self._is_theirs(row):
            _end([row], State.CANCELLED, Reason.NOT_THEIRS)
            self._hand_on(row, self.roster.told(row.rule, row.deadline.appeal) if row.rule else [], "", now)
            return False
        if row.address in self.roster.refused:
            self._fail(row, Reason.REFUSED, "", now)
            return False
        if _has_given_up(row, now):
            self._fail(row, Reason.GAVE_UP, row.detail, now)
            return False
        moment = now if row.resends else send_after(_recipient(row), row.deadline, now)
        if moment > now:
            Reminder.objects.filter(pk=row.pk).update(send_after=moment)
        return moment <= now

    def _is_theirs(self, row: Reminder) -> bool:
        appeal = row.deadline.appeal
        if row.reason == Reason.INSTEAD:
            return self.roster.may_lead(row.address, appeal)
        return row.rule is not None and any(one.address == row.address for one in self.roster.told(row.rule, appeal))

    def _tell(self, claim: Claim) -> None:
        try:
            message = digest.compose(claim.recipient, claim.reminders, claim.message_id, self.now, self.paths)
            self.postbox.send(message)
        except DatabaseError:
            raise
        except RefusedError as error:
            self._refused(claim, str(error))
        except DelayedError as error:
            self._failures += error.is_server
            self._delayed(claim, error)
        except Exception as error:
            logger.exception("The mail %s could not be written", claim.message_id)
            self._delayed(claim, DelayedError(f"{type(error).__name__}: {error}"))
        else:
            self._failures = 0
            _persist(lambda: self._sent(claim))

    @transaction.atomic
    def _sent(self, claim: Claim) -> None:
        """Marks, and puts it on the timelines. Done twice, it changes nothing the second time."""
        now = self.now
        done = Reminder.objects.filter(pk__in=claim.pks, state=State.PENDING).update(
            state=State.SENT,
            sent_at=now,
            leased_until=None,
            detail="",
            reason=models.Case(
                models.When(reason=Reason.INSTEAD, then=models.Value(Reason.INSTEAD)), default=models.Value("")
            ),
        )
        told = claim.reminders if done == len(claim.reminders) else list(_in_full(_sent_at(claim.pks, now)))
        Event.objects.bulk_create(_event(row, claim.message_id, now) for row in told)

    @transaction.atomic
    def _refused(self, claim: Claim, answer: str) -> None:
        """Marks the address, and tells the leads in its stead."""
        now = self.now
        RefusedAddress.objects.update_or_create(
            address=claim.recipient.address, defaults={"reason": answer, "at": now}
        )
        self.roster.refused.add(claim.recipient.address)
        for row in claim.reminders:
            self._fail(row, Reason.REFUSED, answer, now)

    @transaction.atomic
    def _delayed(self, claim: Claim, error: DelayedError) -> None:
        """Tries again after a pause that grows, with some chance in it, so that not all come back at once."""
        now = self.now
        for row in claim.reminders:
            pause = min(FIRST_PAUSE * 2**row.attempts, LONGEST_PAUSE) * random.uniform(0.75, 1.25)  # noqa: S311
            Reminder.objects.filter(pk=row.pk, state=State.PENDING).update(
                leased_until=None,
                send_after=now + pause,
                reason=row.reason or Reason.TRYING,
                detail=str(error),
                message_id=claim.message_id if error.is_unknown else "",
            )

    def _fail(self, row: Reminder, reason: Reason, detail: str, now: datetime) -> None:
        _end([row], State.FAILED, reason, detail)
        self._hand_on(row, self.roster.instead_of([_recipient(row)], row.deadline.appeal), Reason.INSTEAD, now)

    def _hand_on(self, row: Reminder, recipients: Sequence[Recipient], reason: str, now: datetime) -> None:
        """The same rung for other people, unless they have it; what was cancelled for them lives again."""
        Reminder.objects.bulk_create(hand_on(row, recipients, now, reason=reason), ignore_conflicts=True)
        same = Reminder.objects.filter(
            deadline=row.deadline, due_at=row.due_at, rule=row.rule, repetition=row.repetition
        )
        same.filter(state=State.CANCELLED, address__in=[one.address for one in recipients]).update(
            state=State.PENDING, reason=reason, send_after=now, leased_until=None
        )


def _in_full(reminders: models.QuerySet[Reminder]) -> models.QuerySet[Reminder]:
    """With all that a decision and a mail are made of."""
    return (
        reminders.select_related(
            "rule", "user", "deadline__step", "deadline__appeal__shop__marketplace", "deadline__appeal__topic"
        )
        .prefetch_related("rule__people")
        .defer("deadline__appeal__body", "deadline__appeal__search_text", "deadline__appeal__desired_outcome")
        .order_by("id")
    )


def _sent_at(pks: Sequence[int], at: datetime) -> models.QuerySet[Reminder]:
    return Reminder.objects.filter(pk__in=pks, sent_at=at)


def _has_given_up(row: Reminder, now: datetime) -> bool:
    """Two days of trying are over. Whoever is told in office hours only gets a fair number of tries as well."""
    return bool(row.first_tried_at and now - row.first_tried_at > GIVE_UP_AFTER and row.attempts >= ATTEMPTS_AT_LEAST)


def _recipient(row: Reminder) -> Recipient:
    return Recipient(address=row.address, role=Reminder.Role(row.role), user=row.user)


def _end(rows: Sequence[Reminder], state: State, reason: Reason, detail: str = "") -> None:
    Reminder.objects.filter(pk__in=[row.pk for row in rows], state=State.PENDING).update(
        state=state, reason=reason, detail=detail, leased_until=None
    )


def _event(row: Reminder, message_id: str, now: datetime) -> Event:
    return Event(
        appeal=row.deadline.appeal,
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
