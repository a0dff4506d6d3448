"""Live deadlines after the directory, or the production calendar, has changed.

A deadline counts by its own copy of the promise. This brings the copies of live deadlines up to what the directory
says now. It works in batches: a batch is one transaction with a fixed number of queries, however many deadlines it
holds, and it locks only its own appeals. Ended deadlines never change.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, prefetch_related_objects

from appeals import deadlines, ladder
from appeals.deadlines import Change
from appeals.models import Appeal, Deadline, Event, ReminderRule, Shop
from appeals.promises import Targets
from marketplaces.models import Channel
from marketplaces.working_time import UNCOUNTABLE

if TYPE_CHECKING:
    from hub.models import User

logger = logging.getLogger(__name__)

BATCH = 500
_COPIED = (
    "target",
    "step",
    "amount",
    "unit",
    "source",
    "opening_hours",
    "time_zone",
    "country",
    "due_at",
    "remind_at",
    "told_until",
)


@dataclass
class Effect:
    """What a recomputation did, or would do."""

    examined: int = 0
    moved: int = 0
    become_late: int = 0
    no_longer_late: int = 0

    def count(self, was: datetime, deadline: Deadline, now: datetime) -> None:
        self.examined += 1
        self.moved += deadline.due_at != was
        if deadline.state == Deadline.State.RUNNING:
            self.become_late += deadline.due_at < now <= was
            self.no_longer_late += was < now <= deadline.due_at


def preview(*, now: datetime, marketplace_id: int | None = None, size: int = BATCH) -> Effect:
    """How many live deadlines would move, and how many would become late by it. Locks and writes nothing.

    The rules are not read: when somebody is reminded moves no deadline.
    """
    effect, last, targets = Effect(), 0, Targets()
    while batch := _batch(last, marketplace_id, size, lock=False):
        _move(batch, targets, (), now, effect)
        if len(batch) < size:
            break
        last = batch[-1].pk
    return effect


def apply(*, now: datetime, marketplace_id: int | None = None, actor: User | None = None) -> Effect:
    """Moves the live deadlines to what the directory says, each with an event. Safe to run twice, and to interrupt."""
    effect, last, targets = Effect(), 0, Targets()
    while True:
        with transaction.atomic():
            batch = _batch(last, marketplace_id, BATCH, lock=True)
            if not batch:
                return effect
            if moved := _move(batch, targets, ladder.active_rules(), now, effect):
                _write(moved, actor, now)
        last = batch[-1].pk


def _batch(after: int, marketplace_id: int | None, size: int, *, lock: bool) -> list[Appeal]:
    """The next appeals that have a live deadline, with what their promises depend on."""
    live = Deadline.objects.live().filter(appeal=OuterRef("pk"))
    appeals = Appeal.objects.open().filter(Exists(live), pk__gt=after).order_by("pk")
    appeals = appeals.only("status", "shop", "topic", "channel", "priority", "is_complex")
    if marketplace_id is not None:
        appeals = appeals.filter(shop__marketplace=marketplace_id)
    if lock:
        appeals = appeals.select_for_update(of=("self",))
    batch = list(appeals[:size])
    prefetch_related_objects(
        batch,
        Prefetch("shop", Shop.objects.select_related("marketplace")),
        Prefetch("channel", Channel.objects.select_related("marketplace")),
    )
    return batch


def _move(
    batch: list[Appeal], targets: Targets, rules: Sequence[ReminderRule], now: datetime, effect: Effect
) -> list[tuple[Deadline, Change]]:
    appeals = {appeal.pk: appeal for appeal in batch}
    moved = []
    live = (
        Deadline.objects.live()
        .filter(appeal__in=batch)
        .select_related("step__marketplace", "step__channel__marketplace")
    )
    for deadline in live.order_by("pk"):
        deadline.appeal = appeal = appeals[deadline.appeal_id]
        promised = deadline.step if deadline.kind == Deadline.Kind.ESCALATION else targets.of(appeal, deadline.kind)
        was = deadline.due_at
        try:
            change = deadlines.move(deadline, promised, now=now, rules=rules)
        except UNCOUNTABLE:
            logger.exception("Deadline %s stays: what is promised now cannot be counted", deadline.pk)
            continue
        if change:
            moved.append((deadline, change))
        effect.count(was, deadline, now)
    return moved


def _write(moved: list[tuple[Deadline, Change]], actor: User | None, now: datetime) -> None:
    # an upsert of rows that all exist: many times faster than an UPDATE with a CASE for each column
    Deadline.objects.bulk_create(
        [deadline for deadline, _change in moved], update_conflicts=True, unique_fields=["id"], update_fields=_COPIED
    )
    changes: dict[Appeal, list[Change]] = {}
    for deadline, change in moved:
        if "was" in change:  # a copy may follow the directory without a due time that moves: nothing to tell
            changes.setdefault(deadline.appeal, []).append(change)
    kind = Event.Kind.DEADLINE
    Event.objects.bulk_create(
        Event(appeal=appeal, kind=kind, at=now, recorded_at=now, actor=actor, data={"deadlines": made})
        for appeal, made in changes.items()
    )
    deadlines.refresh_many(changes)
