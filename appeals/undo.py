"""Taking back what was noted by mistake: for ten minutes, by whoever did it or a lead of the shop.

The timeline keeps both lines. The appeal and its clocks become what they were, bit for bit, from the picture that the
verb kept with its event; what was waiting to be told waits again, and what was sent stays sent. It is done only while
nothing has happened since that the way back would wipe out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from appeals import deadlines, ladder, state, timeline, wording
from appeals.models import Appeal, Deadline, Event, Reminder, Snapshot

if TYPE_CHECKING:
    from hub.models import User

LIMIT = timedelta(minutes=10)
# What changes an appeal or its clocks. A mail that went out, or a file, stands in nobody's way
_CHANGES = (*Event.MOVES, Event.Kind.EDITED, Event.Kind.SNOOZED, Event.Kind.DEADLINE)


class UndoError(Exception):
    """It cannot be undone. The text says why, for people."""


def undoable(appeal: Appeal, *, actor: User, now: datetime, lines: Iterable[Event] | None = None) -> Event | None:
    """The last change of the appeal, if this person can take it back now.

    `lines` is its timeline, where it is at hand with `undone_by` and `snapshot`: then it is not read again.
    """
    if lines is None:
        last = _changes(appeal).select_related("snapshot").last()
    else:
        standing = (line for line in lines if line.kind in _CHANGES and line.is_standing)
        last = max(standing, key=lambda line: line.pk, default=None)
    if last is None or not hasattr(last, "snapshot") or now >= until(last) or not _may(appeal, last, actor):
        return None
    return last


def until(event: Event) -> datetime:
    """When the time to take it back is over."""
    return event.recorded_at + LIMIT


@transaction.atomic
def undo(*, appeal: Appeal, actor: User, now: datetime, event: int | None = None) -> Appeal:
    """Takes back the line with this number, or the last change.

    UndoError when it is too late, or something came after it; PermissionDenied when it is neither theirs nor their
    shop's. ValidationError when what was before is not possible any more, an assignee who has left for example.
    """
    appeal = state.locked(appeal)
    line = _line(appeal, event)
    if not _may(appeal, line, actor):
        raise PermissionDenied(_("Only the person who did it, or a lead of the shop, can undo it."))
    _check(appeal, line, now)
    before: state.Picture = line.snapshot.before
    state.put_back(appeal, before["appeal"])
    appeal.full_clean(validate_constraints=False)
    if "assignee" in before["appeal"]:
        appeal.check_assignee()
    _put_back_clocks(appeal, before["deadlines"], now)
    _wait_again(before["reminders"])
    deadlines.refresh(appeal)
    state.save(appeal)
    timeline.tell(appeal, Event.Kind.UNDONE, actor=actor, now=now, undoes=line, what=line.kind)
    return appeal


def forget(now: datetime) -> int:
    """Drops the pictures that nobody can go back to any more; returns how many."""
    return Snapshot.objects.filter(event__recorded_at__lte=now - LIMIT).delete()[0]


def _changes(appeal: Appeal) -> QuerySet[Event]:
    return appeal.events.standing().filter(kind__in=_CHANGES).order_by("id")


def _line(appeal: Appeal, number: int | None) -> Event:
    lines = appeal.events.select_related("undone_by__actor")
    line = _changes(appeal).last() if number is None else lines.filter(pk=number).first()
    if line is None:
        raise UndoError(_("There is nothing to undo."))
    return line


def _may(appeal: Appeal, line: Event, actor: User) -> bool:
    if actor.is_superuser or line.actor_id == actor.pk:
        return True
    return appeal.shop.memberships.filter(user=actor, is_lead=True).exists()


def _check(appeal: Appeal, line: Event, now: datetime) -> None:
    if undone := getattr(line, "undone_by", None):
        words = {"who": undone.actor or "—", "at": wording.near(undone.recorded_at, now)}
        raise UndoError(_("It was undone already: %(who)s, %(at)s.") % words)
    if now >= until(line):
        minutes = int(LIMIT.total_seconds() // 60)
        text = ngettext(
            "It can be undone for %(minutes)d minute; that time is over. Note what is right as a new line.",
            "It can be undone for %(minutes)d minutes; that time is over. Note what is right as a new line.",
            minutes,
        )
        raise UndoError(text % {"minutes": minutes})
    if later := _changes(appeal).filter(pk__gt=line.pk).select_related("actor").first():
        at = wording.near(later.recorded_at, now)
        words = {"what": later.get_kind_display(), "who": later.actor or pgettext("who did it", "the hub"), "at": at}
        raise UndoError(_("Something came after it: %(what)s, %(who)s, %(at)s. Undo that first.") % words)
    if not hasattr(line, "snapshot"):
        raise UndoError(_("This cannot be undone."))


def _put_back_clocks(appeal: Appeal, before: dict[str, Any], now: datetime) -> None:
    """Clocks that ran before are as they were; those that were started since are gone."""
    rules = ladder.active_rules()
    clocks = list(appeal.deadlines.select_for_update(no_key=True).order_by("pk"))
    for clock in clocks:
        if clock.is_live and str(clock.pk) not in before:
            _take_away(clock, now)
    for clock in clocks:
        if values := before.get(str(clock.pk)):
            clock.appeal = appeal
            state.put_back(clock, values)
            clock.remind_at = _next_look(clock, rules)
            clock.save()


def _take_away(clock: Deadline, now: datetime) -> None:
    """A clock of which somebody was told, or is to be, stays as one that no longer counts; others are gone."""
    if clock.reminders.exists():
        clock.state, clock.ended_at, clock.paused_at, clock.remind_at = Deadline.State.CANCELLED, now, None, None
        clock.save()
    else:
        clock.delete()


def _next_look(clock: Deadline, rules: list[Any]) -> datetime | None:
    """When its ladder is looked at next: as before, or earlier where a rule was added meanwhile."""
    if clock.state != Deadline.State.RUNNING:
        return None
    looks = [clock.remind_at, ladder.next_rung(clock, rules=rules, after=clock.told_until)]
    return min((at for at in looks if at), default=None)


def _wait_again(before: dict[str, list[str]]) -> None:
    """Reminders that were dropped because of what is undone wait again."""
    dropped = Reminder.objects.filter(pk__in=before, state=Reminder.State.CANCELLED)
    for row in dropped.select_for_update().order_by("pk"):
        row.state, (row.reason, row.detail) = Reminder.State.PENDING, before[str(row.pk)]
        row.save(update_fields=["state", "reason", "detail"])
