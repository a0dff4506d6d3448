"""Who may be told of what, this moment: a worker claims reminders, and settles those that are not to be told.

All that waits for some people is claimed in one transaction, which reads at the same time how things stand now. The
rows of one person become one mail. Its Message-ID is written with the claim: whoever claims a mail whose fate is
unknown, because its worker died or its connection broke, sends the same message again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, models, transaction

from appeals import digest, planning
from appeals.models import RefusedAddress, Reminder, ReminderRule, Shop
from appeals.models.bulk import update_rows
from appeals.planning import free, hand_on, send_after, settled
from appeals.recipients import Recipient, Roster

Reason = Reminder.Reason
State = Reminder.State

# The kind of lock that whoever claims for a person holds; the other half of its key is the address
_CLAIMING = 0x6D61696C
GIVE_UP_AFTER = timedelta(days=2)
ATTEMPTS_AT_LEAST = 8


@dataclass
class Claim:
    """What a worker took for one person: the rows to tell of, as they were before, and the identity of the mail."""

    recipient: Recipient
    reminders: list[Reminder]
    message_id: str
    leased_until: datetime

    @property
    def held(self) -> models.QuerySet[Reminder]:
        """The rows that are still this worker's: whoever held them too long must not undo what another does."""
        return _held((row.pk for row in self.reminders), self.leased_until)


def waiting(now: datetime) -> models.QuerySet[Reminder]:
    """Reminders to be sent now: due, not being sent by somebody else, and of appeals that are not snoozed."""
    due = Reminder.objects.filter(free(now), state=State.PENDING, send_after__lte=now)
    return due.exclude(deadline__appeal__snoozed_until__gt=now)


@transaction.atomic
def take(addresses: Sequence[str], now: datetime, roster: Roster) -> list[Claim] | None:
    """Claims what is to be told to these people now, one claim a person, and settles the rest of what waits for them.

    A mail whose fate is unknown is taken again just as it was; what is new waits for the next claim. None when nothing
    waits that no other worker has before it: a list, even an empty one, means that there may be more.
    """
    found = _in_full(waiting(now).filter(address__in=_alone_with(addresses)))
    rows = list(found.select_for_update(of=("self",), skip_locked=True))
    if not rows:
        return None
    mails: dict[str, dict[str, list[Reminder]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        mails[row.address][row.message_id].append(row)
    roster.read({row.deadline.appeal.shop_id for row in rows})
    each = (_claim(dict(sorted(mine.items(), reverse=True)), now, roster) for mine in mails.values())
    claims = [claim for claim in each if claim]
    update_rows(
        Reminder,
        {
            row.pk: {
                "leased_until": claim.leased_until,
                "message_id": claim.message_id,
                "attempts": row.attempts + 1,
                "first_tried_at": row.first_tried_at or now,
            }
            for claim in claims
            for row in claim.reminders
        },
    )
    return claims


@transaction.atomic
def release(claims: Sequence[Claim]) -> None:
    """Gives back what was taken at once and not tried, as it was; three statements, however many people are waiting.

    For whom another worker claims already, there is nothing to give.
    """
    mine = set(_alone_with([claim.recipient.address for claim in claims])) if claims else set()
    rows = {row.pk: row for claim in claims if claim.recipient.address in mine for row in claim.reminders}
    if not rows:
        return
    held = _held(rows, claims[0].leased_until).select_for_update().order_by("pk").values_list("pk", flat=True)
    update_rows(
        Reminder,
        {
            pk: {
                "leased_until": None,
                "message_id": rows[pk].message_id,
                "attempts": rows[pk].attempts,
                "first_tried_at": rows[pk].first_tried_at,
            }
            for pk in held
        },
    )


@transaction.atomic
def refuse(claim: Claim, answer: str, now: datetime, roster: Roster) -> None:
    """The server will have none of this address: it is marked, and the leads are told in its stead."""
    address = claim.recipient.address
    RefusedAddress.objects.update_or_create(address=address, defaults={"reason": answer, "at": now})
    roster.refused.add(address)
    held = set(claim.held.values_list("pk", flat=True))
    for row in claim.reminders:
        if row.pk in held:
            _fail(row, Reason.REFUSED, answer, now, roster)


def _held(pks: Iterable[int], leased_until: datetime) -> models.QuerySet[Reminder]:
    return Reminder.objects.filter(pk__in=list(pks), state=State.PENDING, leased_until=leased_until)


def _alone_with(addresses: Sequence[str]) -> Sequence[str]:
    """Those for whom no other worker claims at this moment, until the transaction ends; SQLite has one writer anyway.

    Of what waits for a person two workers would get a part each, and send two mails, under one Message-ID perhaps.
    """
    if connection.vendor != "postgresql":
        return addresses
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT address FROM unnest(%s::text[]) AS address WHERE pg_try_advisory_xact_lock(%s, hashtext(address))",
            [list(addresses), _CLAIMING],
        )
        return [address for (address,) in cursor.fetchall()]


def _claim(mails: dict[str, list[Reminder]], now: datetime, roster: Roster) -> Claim | None:
    """The first mail of one person, by earlier Message-ID, of which something is still to be told."""
    for message_id, rows in mails.items():
        if taken := [row for row in rows if _still_stands(row, now, roster)]:
            _part_with(message_id, taken)
            return Claim(_recipient(taken[0]), taken, message_id or digest.message_id(taken), now + planning.LEASE)
    return None


def _part_with(message_id: str, taken: Sequence[Reminder]) -> None:
    """What was in the mail and does not go along this time is another mail some day: under the same Message-ID it
    would be taken for a copy, and nobody would see it."""
    if message_id:
        left = Reminder.objects.filter(address=taken[0].address, message_id=message_id, state=State.PENDING)
        left = left.exclude(pk__in=[row.pk for row in taken]).select_for_update(skip_locked=True)
        Reminder.objects.filter(pk__in=[row.pk for row in left]).update(message_id="")


def _still_stands(row: Reminder, now: datetime, roster: Roster) -> bool:
    """Whether to tell of it now; what is not to be told is cancelled, put off or handed on."""
    appeal = row.deadline.appeal
    if reason := settled(row):
        _end(row, State.CANCELLED, reason)
    elif not _is_theirs(row, roster):
        _end(row, State.CANCELLED, Reason.NOT_THEIRS)
        _hand_on(row, roster.told(row.rule, appeal) if row.rule else [], "", now)
    elif row.address in roster.refused:
        _fail(row, Reason.REFUSED, "", now, roster)
    elif _has_given_up(row, now):
        _fail(row, Reason.GAVE_UP, row.detail, now, roster)
    elif not row.resends and (opens := send_after(_recipient(row), row.deadline, now)) > now:
        Reminder.objects.filter(pk=row.pk).update(send_after=opens)
    else:
        return True
    return False


def _is_theirs(row: Reminder, roster: Roster) -> bool:
    appeal = row.deadline.appeal
    if row.reason == Reason.INSTEAD:
        return roster.may_lead(row.address, appeal)
    return row.rule is not None and any(one.address == row.address for one in roster.told(row.rule, appeal))


def _has_given_up(row: Reminder, now: datetime) -> bool:
    """Two days of trying are over. Whoever is told in office hours only gets a fair number of tries as well."""
    return bool(row.first_tried_at and now - row.first_tried_at > GIVE_UP_AFTER and row.attempts >= ATTEMPTS_AT_LEAST)


def _end(row: Reminder, state: State, reason: Reason, detail: str = "") -> None:
    Reminder.objects.filter(pk=row.pk).update(state=state, reason=reason, detail=detail, leased_until=None)


def _fail(row: Reminder, reason: Reason, detail: str, now: datetime, roster: Roster) -> None:
    _end(row, State.FAILED, reason, detail)
    _hand_on(row, roster.instead_of([_recipient(row)], row.deadline.appeal), Reason.INSTEAD, now)


def _hand_on(row: Reminder, recipients: Sequence[Recipient], reason: str, now: datetime) -> None:
    """The same rung for other people, unless they have it; what was cancelled for them lives again."""
    Reminder.objects.bulk_create(hand_on(row, recipients, now, reason=reason), ignore_conflicts=True)
    same = Reminder.objects.filter(deadline=row.deadline, due_at=row.due_at, rule=row.rule, repetition=row.repetition)
    same.filter(state=State.CANCELLED, address__in=[one.address for one in recipients]).update(
        state=State.PENDING, reason=reason, send_after=now, leased_until=None
    )


def _in_full(reminders: models.QuerySet[Reminder]) -> models.QuerySet[Reminder]:
    """With all that a decision and a mail are made of. What many have in common is read once for all of them."""
    return (
        reminders.select_related("user", "deadline__step", "deadline__target", "deadline__appeal__incident")
        .prefetch_related(
            models.Prefetch("rule", ReminderRule.objects.prefetch_related("people")),
            models.Prefetch("deadline__appeal__shop", Shop.objects.select_related("marketplace")),
            "deadline__appeal__topic",
            "deadline__appeal__channel",
        )
        .defer("user__password", "user__last_login", "user__date_joined")
        .defer("deadline__appeal__body", "deadline__appeal__search_text", "deadline__appeal__desired_outcome")
        .defer("deadline__appeal__incident__body", "deadline__appeal__incident__description")
        .order_by("id")
    )


def _recipient(row: Reminder) -> Recipient:
    return Recipient(address=row.address, role=Reminder.Role(row.role), user=row.user)
