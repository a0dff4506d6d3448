"""The clocks of an appeal: how a deadline starts, pauses, resumes, ends and moves.

Each function that changes a deadline saves it and returns a record of the change for the timeline: its `kind`, the
`change`, `due_at`, `promise` where one is made (`promises.as_data`), and `was` where a due time moved. `at` is the
moment of what happened.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, OuterRef, Subquery

from appeals import ladder
from appeals.models import Appeal, Deadline, Event, ReminderRule
from appeals.promises import Promised, Targets, as_data
from appeals.recipients import Roster
from marketplaces.models import ROUND_THE_CLOCK, Channel, EscalationStep, Marketplace, ResponseTarget
from marketplaces.working_time import Unit

Change = dict[str, Any]
Kind = Deadline.Kind
State = Deadline.State


def start(appeal: Appeal, kind: str, *, at: datetime) -> list[Change]:
    """Starts the clock of `kind`, if a target applies. The appeal must have no live one of this kind."""
    begun = begin(appeal, kind, at=at, targets=Targets(appeal.shop.marketplace))
    if begun is None:
        return []
    deadline, change = begun
    deadline.save()
    return [change]


def begin(
    appeal: Appeal,
    kind: str,
    *,
    at: datetime,
    targets: Targets,
    rules: Sequence[ReminderRule] | None = None,
    roster: Roster | None = None,
) -> tuple[Deadline, Change] | None:
    """The clock of `kind` as it starts, not saved: many that start at once are saved together.

    None where no target applies.
    """
    target = targets.of(appeal, kind)
    if target is None:
        return None
    deadline = Deadline(appeal=appeal, kind=kind, started_at=at)
    _copy_target(deadline, target, appeal.channel)
    deadline.due_at = due_at(deadline)
    deadline.remind_at = ladder.next_rung(deadline, rules=rules, roster=roster)
    return deadline, _record(deadline, "started", as_data(target))


def start_step(appeal: Appeal, step: EscalationStep, *, at: datetime) -> list[Change]:
    """Starts the term of an escalation step that has one."""
    if step.term_amount is None:
        return []
    deadline = Deadline(appeal=appeal, kind=Kind.ESCALATION, started_at=at, step=step)
    _copy_step(deadline, step)
    return [_put(deadline, "started", as_data(step))]


def pause(deadline: Deadline, *, at: datetime) -> Change:
    """Stops a running clock while it is our turn; what has run is kept."""
    deadline.state, deadline.paused_at, deadline.remind_at = State.PAUSED, at, None
    deadline.save()
    return _record(deadline, "paused")


def resume(deadline: Deadline, *, at: datetime) -> Change:
    """Lets a paused clock run on with what is left; one that was late before the pause stays late."""
    was = deadline.due_at
    _end_pause(deadline, at)
    deadline.state = State.RUNNING
    return _put(deadline, "resumed", was=was, told_until=at)


def meet(deadline: Deadline, *, at: datetime) -> Change:
    """Ends a clock well: met, or missed when it was late by then."""
    state = State.MISSED if _was_late(deadline, at) else State.MET
    return _end(deadline, state, at=at, met_at=at)


def cancel(deadline: Deadline, *, at: datetime) -> Change:
    """Ends a clock that no longer matters: cancelled, or missed when it was late by then."""
    state = State.MISSED if _was_late(deadline, at) else State.CANCELLED
    return _end(deadline, state, at=at, met_at=None)


def retarget(deadline: Deadline, target: ResponseTarget, *, now: datetime) -> list[Change]:
    """Moves a live clock to another promise or other hours, from the same start and with the same pauses."""
    change = move(deadline, target, now=now)
    if change:
        deadline.save()
    return [change] if change else []


def move(
    deadline: Deadline,
    promised: ResponseTarget | EscalationStep | None,
    *,
    now: datetime,
    rules: Sequence[ReminderRule] | None = None,
) -> Change | None:
    """Computes a live clock anew from what is promised now; None when nothing differs. The caller saves it.

    A rule that changed is no reason to write to people: only what became late by it is told, once; of what was late
    before, or is not late, the rungs that lie ahead remain.
    """
    was, before = deadline.due_at, _terms(deadline)
    if isinstance(promised, ResponseTarget):
        _copy_target(deadline, promised, deadline.appeal.channel)
    elif promised is not None and promised.term_amount:
        _copy_step(deadline, promised)
    else:
        promised = None
    deadline.due_at = due_at(deadline)
    if _terms(deadline) == before and deadline.due_at == was:
        return None
    if deadline.state == State.RUNNING:
        became_late = deadline.due_at < now <= was
        deadline.told_until = None if became_late else now
        deadline.remind_at = ladder.next_rung(deadline, rules=rules, after=deadline.told_until)
    return _record(deadline, "moved", as_data(promised) if promised else None, was)


def follow(appeal: Appeal, *, now: datetime) -> list[Change]:
    """Moves the live clocks to what is promised now: one that nothing promises ends, one newly promised starts."""
    moved: list[Change] = []
    live = {deadline.kind: deadline for deadline in appeal.deadlines.live()}
    targets = Targets(appeal.shop.marketplace)
    for kind, deadline in live.items():
        if kind == Kind.ESCALATION:
            continue
        deadline.appeal = appeal
        target = targets.of(appeal, kind)
        moved += retarget(deadline, target, now=now) if target else [cancel(deadline, at=now)]
    if appeal.status == Appeal.Status.WAITING:
        for kind in _unpromised(appeal, live):
            moved += start(appeal, kind, at=_asked_at(appeal))
    return moved


def due_at(deadline: Deadline) -> datetime:
    """When it is due by its own copy of the promise: a replay of its start and its pauses.

    A pause that began after the due time changes nothing. A pause that fell between the last counted calendar day
    and the working day that it was moved to leaves that one day to count.
    """
    ticking, start = deadline.clock, deadline.started_at
    unit = Unit(deadline.unit)
    counted: timedelta | int = 0 if unit.in_days else timedelta(0)
    for began, ended in _pauses(deadline):
        due = ticking.add(start, deadline.amount, unit, counted=counted)
        if due <= began:
            return due
        if isinstance(counted, int):
            counted = min(counted + ticking.elapsed_days(start, began, unit), deadline.amount - 1)
        else:
            counted += ticking.elapsed(start, began, unit)
        start = ended
    return ticking.add(start, deadline.amount, unit, counted=counted)


def used(deadline: Deadline, now: datetime) -> timedelta | int:
    """How much of the promise has run at `now`: a timedelta, or whole days for the day units."""
    end = deadline.ended_at or deadline.paused_at or now
    legs, start = [], deadline.started_at
    for began, ended in _pauses(deadline):
        legs.append((start, began))
        start = ended
    legs.append((start, max(start, end)))
    unit = Unit(deadline.unit)
    if unit.in_days:
        return sum(deadline.clock.elapsed_days(a, b, unit) for a, b in legs)
    return sum((deadline.clock.elapsed(a, b, unit) for a, b in legs), timedelta(0))


def share(deadline: Deadline, now: datetime) -> float:
    """Which share of the way from start to due time is gone at `now`, pauses left out; over 1 when late."""
    end = deadline.ended_at or deadline.paused_at or now
    idle = sum((min(b, end) - a for a, b in _pauses(deadline) if a < end), timedelta(0))
    span = deadline.due_at - deadline.started_at
    return (end - deadline.started_at - idle) / max(span - idle, timedelta(seconds=1))


def refresh(appeal: Appeal) -> None:
    """Sets `next_due_at` to the earliest due time of the running deadlines. The caller saves the appeal."""
    appeal.next_due_at = appeal.deadlines.running().aggregate(due=Min("due_at"))["due"]


def refresh_many(appeals: Iterable[Appeal]) -> None:
    """Sets and saves `next_due_at` of many appeals, whose rows the caller has locked, in one query."""
    running = Deadline.objects.running().filter(appeal=OuterRef("pk")).order_by("due_at").values("due_at")[:1]
    Appeal.objects.filter(pk__in=[appeal.pk for appeal in appeals]).update(next_due_at=Subquery(running))


def _copy_target(deadline: Deadline, target: ResponseTarget, channel: Channel | None) -> None:
    deadline.target = target
    deadline.amount, deadline.unit, deadline.source = target.amount, target.unit, target.source
    _copy_calendar(deadline, target.marketplace, channel)


def _copy_step(deadline: Deadline, step: EscalationStep) -> None:
    assert step.term_amount is not None  # noqa: S101 - the callers look
    deadline.step = step
    deadline.amount, deadline.unit, deadline.source = step.term_amount, step.term_unit, step.source
    _copy_calendar(deadline, step.marketplace, step.channel)


def _copy_calendar(deadline: Deadline, marketplace: Marketplace, channel: Channel | None) -> None:
    deadline.opening_hours = (channel.opening_hours if channel else "") or ROUND_THE_CLOCK
    deadline.time_zone = channel.zone if channel else marketplace.time_zone
    deadline.country = marketplace.country


def _terms(deadline: Deadline) -> tuple[object, ...]:
    return (deadline.amount, deadline.unit, deadline.opening_hours, deadline.time_zone, deadline.country)


def _pauses(deadline: Deadline) -> list[tuple[datetime, datetime]]:
    return [(datetime.fromisoformat(began), datetime.fromisoformat(ended)) for began, ended in deadline.pauses]


def _end_pause(deadline: Deadline, at: datetime) -> None:
    if deadline.paused_at:
        deadline.pauses = [*deadline.pauses, [deadline.paused_at.isoformat(), at.isoformat()]]
        deadline.paused_at = None


def _was_late(deadline: Deadline, at: datetime) -> bool:
    return (deadline.paused_at or at) > deadline.due_at


def _end(deadline: Deadline, state: State, *, at: datetime, met_at: datetime | None) -> Change:
    _end_pause(deadline, at)
    deadline.state, deadline.ended_at, deadline.met_at, deadline.remind_at = state, at, met_at, None
    deadline.save()
    return _record(deadline, state.value)


def _put(
    deadline: Deadline,
    change: str,
    promise: Promised | None = None,
    was: datetime | None = None,
    told_until: datetime | None = None,
) -> Change:
    deadline.due_at = due_at(deadline)
    deadline.told_until = told_until
    deadline.remind_at = ladder.next_rung(deadline, after=told_until)
    deadline.save()
    return _record(deadline, change, promise, was)


def _record(deadline: Deadline, change: str, promise: Promised | None = None, was: datetime | None = None) -> Change:
    record = {"kind": deadline.kind, "change": change, "due_at": deadline.due_at.isoformat()}
    moved = {"was": was.isoformat()} if was and was != deadline.due_at else {}
    return record | ({"promise": promise} if promise else {}) | moved


def _unpromised(appeal: Appeal, live: dict[str, Deadline]) -> list[Kind]:
    """What the marketplace owes us without a clock, because no target applied so far."""
    owed = [] if {Kind.ANSWER, Kind.ESCALATION} & set(live) else [Kind.ANSWER]
    if not appeal.deadlines.filter(kind=Kind.FIRST_REPLY).exists() and not _replied(appeal):
        owed.insert(0, Kind.FIRST_REPLY)
    return owed


def _replied(appeal: Appeal) -> bool:
    replies = appeal.events.standing().filter(kind=Event.Kind.REPLY)
    return replies.exclude(reply_kind=Event.ReplyKind.ACKNOWLEDGEMENT).exists()


def _asked_at(appeal: Appeal) -> datetime:
    """Since when the marketplace owes us something: our last move."""
    moves = appeal.events.standing().filter(kind__in=Event.MOVES).exclude(kind=Event.Kind.REPLY)
    return moves.order_by("at", "id").values_list("at", flat=True).last() or appeal.created_at
