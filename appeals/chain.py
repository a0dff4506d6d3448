"""A matter: an appeal and all that continue it, closed without an answer and written again or sent by another channel.

`Appeal.previous` links them, `Appeal.matter` names the first. A matter stays in one shop: whoever may see one of its
appeals may see them all, and its letters have one sender. A fault that hits several shops is an incident.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import FilteredRelation, Q
from django.utils.translation import gettext as _

from appeals import wording
from appeals.models import Appeal, Deadline, Event, Shop
from appeals.models.appeal import AppealQuerySet

Outcome = Appeal.Outcome
_ANSWERS = Q(kind=Deadline.Kind.ANSWER)
_ANSWERS_OF_APPEAL = Q(deadlines__kind=Deadline.Kind.ANSWER)
DECIDED = (Outcome.GRANTED, Outcome.PARTLY_GRANTED, Outcome.REFUSED)
"""Outcomes that are a decision of the marketplace."""


@dataclass(frozen=True)
class FirstPromise:
    """The answer that was promised first in a matter, and was not given in time.

    `answered_at` is when an answer came after all, `closed_at` when the matter was given up; it is owed without both.
    """

    deadline: Deadline
    answered_at: datetime | None
    closed_at: datetime | None

    @property
    def is_owed(self) -> bool:
        return self.answered_at is None and self.closed_at is None

    def text(self, appeal: Appeal, now: datetime) -> str:
        """For the reader of an appeal: "Promised first by the end of 12 October (No. 7), overdue by 14 working days".

        The number of the appeal itself is not said.
        """
        due, end = self.deadline.due_at, self.answered_at or self.closed_at or now
        until, number = wording.until(due, now), self.deadline.appeal_id
        if number != appeal.pk:
            until = _("%(until)s (No. %(number)s)") % {"until": until, "number": number}
        if end <= due:
            return _("Promised first %(until)s") % {"until": until}
        words = {"until": until, "amount": wording.late_by(self.deadline, end)}
        if self.answered_at:
            return _("Promised first %(until)s, answered late by %(amount)s") % words
        return _("Promised first %(until)s, overdue by %(amount)s") % words


def root(appeal: Appeal) -> int:
    """The number of the first appeal of its matter."""
    return appeal.matter_id or appeal.pk


def members(appeal: Appeal) -> AppealQuerySet:
    """All appeals of its matter, itself too."""
    return _of({root(appeal)}).filter(shop=appeal.shop_id)


def lock(shop: Shop) -> None:
    """Matters of a shop are joined and parted by one at a time: two must not close a circle together."""
    Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)


def place(appeal: Appeal) -> None:
    """Puts an appeal, and all that continue it, into the matter of its `previous`. The caller locks, and saves it.

    ValidationError on `previous` when that would be a circle.
    """
    followers = _followers(appeal)
    if appeal.previous_id in followers:
        text = _("No. %(number)s continues this appeal: it cannot be the earlier one as well.")
        raise ValidationError({"previous": text % {"number": appeal.previous_id}})
    previous = Appeal.objects.only("matter").get(pk=appeal.previous_id) if appeal.previous_id else None
    appeal.matter_id = root(previous) if previous else None
    if later := followers - {appeal.pk}:
        Appeal.objects.filter(pk__in=later).update(matter=root(appeal))


def first_promises(appeals: Iterable[Appeal]) -> dict[int, FirstPromise]:
    """By appeal: the broken or superseded first promise of its matter, where its own running clock does not say it.

    Two queries, however many appeals. What was kept in time is no longer spoken of, nor what we took back ourselves.
    """
    roots = {appeal.pk: root(appeal) for appeal in appeals}
    found = _promises(*_with_clocks(set(roots.values())), _answers)
    return {pk: found[one] for pk, one in roots.items() if one in found and not _runs_for(found[one], pk)}


def first_promise(appeal: Appeal, matter: Iterable[Appeal], lines: Iterable[Event]) -> FirstPromise | None:
    """The same of one appeal in one query: `matter` are its members, `lines` their timelines with `undone_by`."""
    answers = [(line.appeal_id, line.at) for line in sorted(lines, key=lambda line: line.at) if _is_answer(line)]
    rows = list(matter)
    clocks = Deadline.objects.filter(_ANSWERS, appeal__in=rows)
    found = _promises(rows, clocks, lambda kept: [(pk, at) for pk, at in answers if pk in kept]).get(root(appeal))
    return None if found is None or _runs_for(found, appeal.pk) else found


def _promises(
    rows: Collection[Appeal],
    clocks: Iterable[Deadline],
    answers: Callable[[Collection[int]], Iterable[tuple[int, datetime]]],
) -> dict[int, FirstPromise]:
    """By matter, of its appeals and the clocks of their answers.

    `answers` gives the decisions on appeals, as pairs of number and moment, the earliest first.
    """
    kept = {one.pk: root(one) for one in rows if one.outcome != Outcome.WITHDRAWN}
    first = _first_clocks(kept, clocks)
    answered, closed = defaultdict[int, list[datetime]](list), defaultdict[int, list[datetime | None]](list)
    for pk, at in answers([pk for pk, one in kept.items() if one in first]):
        answered[kept[pk]].append(at)
    for row in rows:
        closed[root(row)].append(row.resolved_at)
    return {one: _promise(clock, answered[one], closed[one]) for one, clock in first.items()}


def _runs_for(promise: FirstPromise, appeal: int) -> bool:
    """Whether the appeal's own clock says it already."""
    return promise.deadline.appeal_id == appeal and promise.deadline.is_live


def _of(roots: Collection[int]) -> AppealQuerySet:
    return Appeal.objects.filter(Q(pk__in=roots) | Q(matter__in=roots))


def _followers(appeal: Appeal) -> set[int]:
    """The appeals that continue this one, and those that continue them; itself included, once it is saved."""
    if appeal._state.adding:
        return set()
    later: dict[int, list[int]] = defaultdict(list)
    was = Appeal.objects.only("pk", "matter").get(pk=appeal.pk)
    for pk, previous in _of({root(was)}).exclude(previous=None).values_list("pk", "previous"):
        later[previous or 0].append(pk)
    found, ahead = {appeal.pk}, [appeal.pk]
    while ahead:
        fresh = [pk for pk in later[ahead.pop()] if pk not in found]
        found.update(fresh)
        ahead += fresh
    return found


def _with_clocks(roots: Collection[int]) -> tuple[list[Appeal], list[Deadline]]:
    """The appeals of these matters and the clocks of their answers, in one query."""
    unread = {field.name for field in Appeal._meta.concrete_fields} - {"id", "matter", "outcome", "resolved_at"}
    joined = _of(roots).annotate(clock=FilteredRelation("deadlines", condition=_ANSWERS_OF_APPEAL))
    rows = list(joined.select_related("clock").defer(*unread))  # type: ignore[misc]  # it knows no filtered relation
    clocks = [row.clock for row in rows if hasattr(row, "clock")]  # without one, the join sets none
    return list({row.pk: row for row in rows}.values()), clocks


def _first_clocks(kept: dict[int, int], clocks: Iterable[Deadline]) -> dict[int, Deadline]:
    """By matter: the answer's clock that started first, unless it was met in time."""
    found: dict[int, Deadline] = {}
    for clock in sorted(clocks, key=lambda clock: (clock.started_at, clock.pk)):
        if clock.appeal_id in kept:
            found.setdefault(kept[clock.appeal_id], clock)
    return {one: clock for one, clock in found.items() if clock.state != Deadline.State.MET}


def _answers(kept: Collection[int]) -> Iterable[tuple[int, datetime]]:
    """When the marketplace answered or decided; the same rule as in `_is_answer`."""
    decided = Q(kind=Event.Kind.RESOLVED, data__outcome__in=[one.value for one in DECIDED])
    replied = Q(kind=Event.Kind.REPLY, reply_kind=Event.ReplyKind.ANSWER)
    events = Event.objects.standing().filter(decided | replied, appeal__in=kept).order_by("at")
    return events.values_list("appeal", "at")


def _is_answer(line: Event) -> bool:
    if not line.is_standing:
        return False
    decided = line.kind == Event.Kind.RESOLVED and line.data.get("outcome") in DECIDED
    return decided or (line.kind == Event.Kind.REPLY and line.reply_kind == Event.ReplyKind.ANSWER)


def _promise(clock: Deadline, answers: list[datetime], closed: list[datetime | None]) -> FirstPromise:
    answered = clock.met_at or next((at for at in answers if at >= clock.started_at), None)
    ends = [at for at in closed if at]
    return FirstPromise(clock, answered, max(ends) if len(ends) == len(closed) else None)
