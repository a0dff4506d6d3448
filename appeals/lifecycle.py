"""The verbs: the only writers of an appeal's state.

Each verb is keyword-only, runs in one transaction, locks the appeal, takes `now` once, leaves one event and returns
the fresh appeal. `at` is when it happened: not after `now`, and not before the last move on the timeline. A verb
raises StateError when the state does not allow it and ValidationError with the field's name when the input is bad;
then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from appeals import attachments, chain, deadlines, timeline
from appeals.deadlines import Change
from appeals.escalation import Paths
from appeals.models import Appeal, Attachment, Deadline, Event, Shop
from appeals.state import EDITABLE, STATES, StateError, Status, done, known, locked, save, validate, verbs
from marketplaces.models import Channel, EscalationStep

if TYPE_CHECKING:
    from hub.models import User

__all__ = [
    "DECIDING", "EDITABLE", "STATES", "StateError", "attach", "create", "delete_draft", "edit", "escalate", "message",
    "next_step", "record_reply", "reopen", "resolve", "snooze", "submit", "verbs",
]  # fmt: skip

Kind = Deadline.Kind
ReplyKind = Event.ReplyKind
# What a promise depends on: a change of these moves the clocks that run
DECIDING = ("topic", "channel", "priority", "is_complex")


@transaction.atomic
def create(*, actor: User | None, now: datetime, shop: Shop, **fields: Any) -> Appeal:
    """A draft. Nothing is promised and nobody is reminded until it is submitted."""
    appeal = Appeal(shop=shop, created_by=actor, created_at=now, **known(fields))
    validate(appeal)
    appeal.check_assignee()
    if appeal.previous:
        chain.lock(shop)
        chain.place(appeal)
    appeal.save()
    timeline.tell(appeal, Event.Kind.CREATED, actor=actor, now=now)
    return appeal


@transaction.atomic
def edit(*, appeal: Appeal, actor: User | None, now: datetime, **changes: Any) -> Appeal:
    """Changes what was asked. Clocks that run move to the promise that now applies; what has run stays counted."""
    if "previous" in changes:
        chain.lock(appeal.shop)
    appeal = locked(appeal)
    before = {name: getattr(appeal, name) for name in known(changes)}
    for name, value in changes.items():
        setattr(appeal, name, value)
    validate(appeal)
    if "assignee" in changes and changes["assignee"] != before["assignee"]:
        appeal.check_assignee()
    if "previous" in changes and changes["previous"] != before["previous"]:
        chain.place(appeal)
    changed = {
        name: [timeline.plain(was), timeline.plain(changes[name])]
        for name, was in before.items()
        if was != changes[name]
    }
    if not changed:
        return appeal
    open_now = appeal.status in (Status.WAITING, Status.OUR_TURN)
    moved = deadlines.follow(appeal, now=now) if open_now and set(changed) & set(DECIDING) else []
    return done(appeal, Event.Kind.EDITED, actor=actor, now=now, moved=moved, changed=changed)


@transaction.atomic
def delete_draft(*, appeal: Appeal, actor: User | None, now: datetime) -> None:
    """Removes a draft with its files. What was sent can only be resolved."""
    appeal = locked(appeal, "delete_draft")
    files = list(appeal.attachments.all())
    appeal.delete()
    for attachment in files:
        transaction.on_commit(partial(attachment.file.delete, save=False))


@transaction.atomic
def submit(
    *,
    appeal: Appeal,
    actor: User | None,
    now: datetime,
    at: datetime | None = None,
    channel: Channel | None = None,
    external_number: str = "",
) -> Appeal:
    """The appeal went out: the first reply and the answer are awaited from `at`."""
    appeal = locked(appeal, "submit")
    at = timeline.moment(appeal, at, now)
    appeal.channel = channel or appeal.channel
    appeal.external_number = external_number or appeal.external_number
    appeal.status, appeal.submitted_at = Status.WAITING, at
    validate(appeal)
    save(appeal)
    moved = deadlines.start(appeal, Kind.FIRST_REPLY, at=at) + deadlines.start(appeal, Kind.ANSWER, at=at)
    number = {"external_number": external_number} if external_number else {}
    return done(appeal, Event.Kind.SUBMITTED, actor=actor, now=now, at=at, moved=moved, **number)


@transaction.atomic
def record_reply(
    *, appeal: Appeal, actor: User | None, now: datetime, kind: str, text: str, at: datetime | None = None
) -> Appeal:
    """The marketplace wrote.

    An acknowledgement meets nothing. A question makes it our turn, and pauses the answer. A brush-off meets the first
    reply and leaves the answer running. An answer meets all that we waited for, and it is for us to decide what next.
    """
    if kind not in ReplyKind.values:
        raise ValidationError({"kind": _("The kind is one of: %(kinds)s.") % {"kinds": ", ".join(ReplyKind.values)}})
    appeal = locked(appeal, "record_reply")
    at = timeline.moment(appeal, at, now)
    moved = _take_reply(appeal, kind, _live(appeal), at)
    return done(appeal, Event.Kind.REPLY, actor=actor, now=now, at=at, text=text, reply_kind=kind, moved=moved)


@transaction.atomic
def message(*, appeal: Appeal, actor: User | None, now: datetime, text: str, at: datetime | None = None) -> Appeal:
    """We wrote back: it is the marketplace's turn, and its paused clock runs on."""
    appeal = locked(appeal, "message")
    at = timeline.moment(appeal, at, now)
    live = _live(appeal)
    moved = _meet(live, (Kind.OUR_REPLY,), at)
    if (answer := live.get(Kind.ANSWER)) and answer.state == Deadline.State.PAUSED:
        moved.append(deadlines.resume(answer, at=at))
    if not (Kind.ANSWER in live or Kind.ESCALATION in live):
        moved += deadlines.start(appeal, Kind.ANSWER, at=at)
    appeal.status = Status.WAITING
    return done(appeal, Event.Kind.MESSAGE, actor=actor, now=now, at=at, text=text, moved=moved)


@transaction.atomic
def escalate(
    *,
    appeal: Appeal,
    actor: User | None,
    now: datetime,
    step: EscalationStep,
    external_number: str = "",
    at: datetime | None = None,
    note: str = "",
) -> Appeal:
    """We took a step of the escalation path: its term, or the topic's promise anew, takes over from the answer's."""
    appeal = locked(appeal, "escalate")
    at = timeline.moment(appeal, at, now)
    if not EscalationStep.objects.sellers_path(appeal.shop.marketplace).filter(pk=step.pk).exists():
        raise ValidationError({"step": _("This is no step that a seller can take on this marketplace.")})
    if step.available_from and localdate(at) < step.available_from:
        first = date_format(step.available_from, "DATE_FORMAT")
        raise ValidationError({"step": _("This step can be taken from %(date)s.") % {"date": first}})
    live = _live(appeal)
    moved = _cancel(live, (Kind.ANSWER, Kind.ESCALATION), at) + _meet(live, (Kind.OUR_REPLY,), at)
    moved += deadlines.start_step(appeal, step, at=at) or deadlines.start(appeal, Kind.ANSWER, at=at)
    appeal.status = Status.WAITING
    appeal.external_number = appeal.external_number or external_number
    number = {"external_number": external_number} if external_number else {}
    return done(appeal, Event.Kind.ESCALATED, actor=actor, now=now, at=at, text=note, step=step, moved=moved, **number)


@transaction.atomic
def resolve(
    *,
    appeal: Appeal,
    actor: User | None,
    now: datetime,
    outcome: str,
    amount_recovered: Decimal | None = None,
    note: str = "",
    at: datetime | None = None,
) -> Appeal:
    """The matter is over. What still runs ends: met by a decision of the marketplace, cancelled without one."""
    if outcome not in Appeal.Outcome.values:
        names = ", ".join(Appeal.Outcome.values)
        raise ValidationError({"outcome": _("The outcome is one of: %(outcomes)s.") % {"outcomes": names}})
    appeal = locked(appeal, "resolve")
    decided = outcome in (Appeal.Outcome.GRANTED, Appeal.Outcome.PARTLY_GRANTED, Appeal.Outcome.REFUSED)
    end = _meet if decided else _cancel
    moved = end(_live(appeal), Kind.values, timeline.moment(appeal, at, now))
    appeal.status, appeal.outcome, appeal.resolved_at = Status.RESOLVED, outcome, at or now
    appeal.amount_recovered, appeal.snoozed_until, appeal.next_due_at = amount_recovered, None, None
    validate(appeal)
    money = {"amount_recovered": str(amount_recovered)} if amount_recovered is not None else {}
    return done(
        appeal, Event.Kind.RESOLVED, actor=actor, now=now, at=at, text=note, moved=moved, outcome=outcome, **money
    )


@transaction.atomic
def reopen(*, appeal: Appeal, actor: User | None, now: datetime, note: str = "") -> Appeal:
    """The matter was not over: new clocks start, the old ones keep their result."""
    appeal = locked(appeal, "reopen")
    before = {"outcome": appeal.outcome, "amount_recovered": timeline.plain(appeal.amount_recovered)}
    appeal.status, appeal.outcome, appeal.resolved_at, appeal.amount_recovered = Status.WAITING, "", None, None
    save(appeal)
    moved = deadlines.start(appeal, Kind.FIRST_REPLY, at=now) + deadlines.start(appeal, Kind.ANSWER, at=now)
    return done(appeal, Event.Kind.REOPENED, actor=actor, now=now, text=note, moved=moved, before=before)


@transaction.atomic
def snooze(*, appeal: Appeal, actor: User | None, now: datetime, until: datetime | None, note: str = "") -> Appeal:
    """Nobody is reminded before `until`; None ends the silence. No deadline moves."""
    timeline.check_year(until, "until")
    if until is not None and until <= now:
        raise ValidationError({"until": _("The end of the silence must lie in the future.")})
    appeal = locked(appeal, "snooze")
    appeal.snoozed_until = until
    return done(appeal, Event.Kind.SNOOZED, actor=actor, now=now, text=note, until=timeline.plain(until))


@transaction.atomic
def attach(*, appeal: Appeal, actor: User | None, now: datetime, file: File[bytes], name: str) -> Attachment:
    """Adds a file. Its kind is what its bytes are; ValidationError when it is too large, too many, or not accepted."""
    appeal = locked(appeal)
    attachment = attachments.keep(appeal=appeal, actor=actor, now=now, file=file, name=name)
    timeline.tell(appeal, Event.Kind.ATTACHED, actor=actor, now=now, attachment=attachment.pk, name=attachment.name)
    return attachment


def next_step(
    appeal: Appeal, now: datetime | None = None, lines: Iterable[Event] | None = None
) -> EscalationStep | None:
    """The first step of the seller's path that comes after the last one taken and can be taken; None at its end.

    `lines` is its timeline, where it is at hand with `undone_by` and `step`: then it is not read again.
    """
    if lines is None:
        taken = timeline.steps_taken(appeal)
    else:
        taken = [line for line in lines if line.kind == Event.Kind.ESCALATED and line.is_standing]
    return Paths(localdate(now)).next(appeal, taken)


def _live(appeal: Appeal) -> dict[str, Deadline]:
    return {deadline.kind: deadline for deadline in appeal.deadlines.live()}


def _meet(live: dict[str, Deadline], kinds: Iterable[str], at: datetime) -> list[Change]:
    return [deadlines.meet(live[kind], at=at) for kind in kinds if kind in live]


def _cancel(live: dict[str, Deadline], kinds: Iterable[str], at: datetime) -> list[Change]:
    return [deadlines.cancel(live[kind], at=at) for kind in kinds if kind in live]


def _take_reply(appeal: Appeal, kind: str, live: dict[str, Deadline], at: datetime) -> list[Change]:
    if kind == ReplyKind.ACKNOWLEDGEMENT:
        return []
    moved = _meet(live, (Kind.FIRST_REPLY,), at)
    if kind == ReplyKind.QUESTION:
        appeal.status = Status.OUR_TURN
        if (answer := live.get(Kind.ANSWER)) and answer.state == Deadline.State.RUNNING:
            moved.append(deadlines.pause(answer, at=at))
        if Kind.OUR_REPLY not in live:
            moved += deadlines.start(appeal, Kind.OUR_REPLY, at=at)
    elif kind == ReplyKind.ANSWER:
        appeal.status = Status.OUR_TURN
        moved += _meet(live, (Kind.ANSWER, Kind.ESCALATION), at) + _cancel(live, (Kind.OUR_REPLY,), at)
    return moved
