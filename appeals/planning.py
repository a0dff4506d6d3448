"""What a sweep does about one deadline: which reminders its due rungs become. Nothing here writes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from appeals import ladder
from appeals.ladder import Rung
from appeals.models import Deadline, Reminder
from appeals.recipients import Recipient, Roster
from marketplaces.models import Priority

LEASE = timedelta(minutes=5)
"""How long a worker may hold reminders that it is about to send."""
Reason = Reminder.Reason
Role = Reminder.Role
State = Reminder.State


@dataclass(slots=True)
class NewReminder:
    """What is written of a reminder when its rung falls due: many are planned at once, and a model costs ten times it.

    The names are those of the columns.
    """

    deadline_id: int
    due_at: datetime
    rule_id: int
    repetition: int
    level: int
    rung_at: datetime
    user_id: int | None
    role: str
    address: str
    created_at: datetime
    send_after: datetime
    state: str = State.PENDING.value
    reason: str = ""

    def row(self) -> Reminder:
        return Reminder(**asdict(self))


@dataclass(slots=True)
class Plan:
    """Reminders to add, cancelled ones to bring back to life, and waiting ones whose place a higher rung takes."""

    new: list[NewReminder] = field(default_factory=list)
    revived: list[Reminder] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)


def plan(deadline: Deadline, due: Sequence[Rung], known: Sequence[Reminder], roster: Roster, now: datetime) -> Plan:
    """Of the due rungs those of which nobody was told; of several, each person is told the highest.

    `known` are the reminders of the deadline's present due time. One that was cancelled told nobody: when its rung is
    due again, because the due time moved back, it lives again.
    """
    rows = {(row.rule_id, row.repetition, row.address): row for row in known}
    standing = [row for row in known if row.state != State.CANCELLED]
    handled = {(row.rule_id, row.repetition) for row in standing}
    found, told = Plan(), set[str]()
    for rung in reversed(due):
        if (rung.rule.pk, rung.repetition) in handled:
            continue
        for row in _rows(rung, deadline, roster, now):
            if row.state == State.PENDING and row.address in told:
                row.state, row.reason = State.SUPERSEDED.value, Reason.LATER_RUNG.value
            told.add(row.address)
            _take(found, row, rows.get((rung.rule.pk, rung.repetition, row.address)))
    found.superseded = [row.pk for row in standing if row.state == State.PENDING and row.address in told]
    return found


def hand_on(reminder: Reminder, recipients: Iterable[Recipient], now: datetime, *, reason: str = "") -> list[Reminder]:
    """The same reminder for other people."""
    deadline = reminder.deadline
    return [
        Reminder(
            deadline=deadline,
            due_at=reminder.due_at,
            rule=reminder.rule,
            repetition=reminder.repetition,
            level=reminder.level,
            rung_at=reminder.rung_at,
            user=recipient.user,
            role=recipient.role,
            address=recipient.address,
            reason=reason,
            created_at=now,
            send_after=send_after(recipient, deadline, now),
        )
        for recipient in recipients
    ]


def free(now: datetime) -> Q:
    """Held by no worker: never claimed, or the lease has ended, or it was given by a clock that has been set back."""
    return Q(leased_until=None) | Q(leased_until__lte=now) | Q(leased_until__gt=now + 2 * LEASE)


def settled(row: Reminder) -> Reason | None:
    """Why there is nothing to tell any more, as things stand now."""
    deadline = row.deadline
    if deadline.state == Deadline.State.PAUSED:
        return Reason.PAUSED
    if deadline.state != Deadline.State.RUNNING:
        return Reason.ENDED
    if deadline.due_at != row.due_at:
        return Reason.MOVED
    if row.rule is None or not row.rule.is_active or not ladder.fits(row.rule, deadline):
        return Reason.RULE_OFF
    return None


def send_after(recipient: Recipient, deadline: Deadline, now: datetime) -> datetime:
    """When the person may be told: now, or when their hours next open.

    What is urgent, and a question of the marketplace that would die before they are back, breaks through.
    """
    opens = recipient.opens_at(now, deadline.country)
    dies = deadline.kind == Deadline.Kind.OUR_REPLY and now < deadline.due_at <= opens
    return now if dies or deadline.appeal.priority == Priority.URGENT else opens


def _rows(rung: Rung, deadline: Deadline, roster: Roster, now: datetime) -> Iterator[NewReminder]:
    """One reminder for each person whom the rung names; for those whom mail does not reach also their stand-ins.

    Nobody at all is a reminder too, a failed one: silence has to be seen.
    """
    told = roster.told(rung.rule, deadline.appeal)
    refused = [one for one in told if one.address in roster.refused]
    for recipient in told:
        row = _row(rung, deadline, recipient, now)
        if recipient in refused:
            row.state, row.reason = State.FAILED.value, Reason.REFUSED.value
        yield row
    named = {one.address for one in told}
    for recipient in roster.instead_of(refused, deadline.appeal) if refused else []:
        if recipient.address not in named:
            row = _row(rung, deadline, recipient, now)
            row.reason = Reason.INSTEAD.value
            yield row
    if not told:
        row = _row(rung, deadline, Recipient(address="", role=Role.NOBODY), now)
        row.state, row.reason = State.FAILED.value, Reason.NOBODY.value
        yield row


def _row(rung: Rung, deadline: Deadline, recipient: Recipient, now: datetime) -> NewReminder:
    theirs = max(now, ladder.in_hours_of(rung, deadline, recipient))
    return NewReminder(
        deadline_id=deadline.pk,
        due_at=deadline.due_at,
        rule_id=rung.rule.pk,
        repetition=rung.repetition,
        level=rung.level,
        rung_at=rung.at,
        user_id=recipient.user.pk if recipient.user else None,
        role=recipient.role.value,
        address=recipient.address,
        created_at=now,
        send_after=send_after(recipient, deadline, theirs),
    )


def _take(found: Plan, planned: NewReminder, cancelled: Reminder | None) -> None:
    if cancelled is None:
        found.new.append(planned)
        return
    row = planned.row()
    row.pk, row.message_id, row.resends = cancelled.pk, cancelled.message_id, cancelled.resends
    found.revived.append(row)
