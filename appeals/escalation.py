"""What comes next on the escalation path, and what must come before it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from time import monotonic
from typing import NamedTuple

from appeals import chain
from appeals.models import Appeal, Deadline, Event
from marketplaces.models import EscalationStep

Steps = dict[int, list[EscalationStep]]
KEPT_FOR = 60  # seconds: two changes at once may be numbered in another order than they are done


class Kept(NamedTuple):
    until: float
    steps: Steps


kept_steps: dict[tuple[date, tuple[str, ...], int], Kept] = {}  # the latest reading of this process


class Paths:
    """The sellers' paths on a day, read once: for a page of appeals, or that of one marketplace.

    `fields` are those of the steps that are read at once; without them, all, and the channel. `directory` is the
    number of the last line of its history: as long as that stays, one reading serves all answers of this process.
    """

    def __init__(self, on: date, fields: tuple[str, ...] = (), *, directory: int | None = None) -> None:
        self.on, self.fields, self.directory = on, fields, directory

    @cached_property
    def _steps(self) -> Steps:
        if self.directory is None:
            return self._read()
        place = self.on, self.fields, self.directory
        kept = kept_steps.get(place)
        if kept is None or kept.until < monotonic():
            kept_steps.clear()
            kept = kept_steps[place] = Kept(monotonic() + KEPT_FOR, self._read())
        return kept.steps

    def _read(self) -> Steps:
        steps: Steps = defaultdict(list)
        proposed = EscalationStep.objects.for_sellers(on=self.on).filter(is_proposed=True)
        rows = proposed.only(*self.fields) if self.fields else proposed.select_related("channel__marketplace")
        for step in rows:
            steps[step.marketplace_id].append(step)
        return dict(steps)

    def next(self, appeal: Appeal, taken: Iterable[Event]) -> EscalationStep | None:
        """The first proposed step after the last one taken; None at the end of the path, and of the matter."""
        if appeal.status == Appeal.Status.RESOLVED:
            return None
        last = max((event.step.position for event in taken if event.step), default=0)
        steps = self._steps.get(appeal.marketplace_id, [])
        return next((step for step in steps if step.position > last), None)


class Unmet(NamedTuple):
    """A step that must come first: not taken in the matter, or taken while its term runs until `due_at`."""

    step: EscalationStep
    due_at: datetime | None


def unmet(appeal: Appeal, steps: Iterable[EscalationStep], now: datetime) -> dict[int, list[Unmet]]:
    """By step: what the directory says must come first and has not, a claim before the court for example.

    `steps` are read with `requires`. It forbids nothing: the step may have been taken where the hub does not know of
    it.
    """
    matter = chain.members(appeal).values("pk")
    taken = Event.objects.standing().filter(appeal__in=matter, kind=Event.Kind.ESCALATED).exclude(step=None)
    done = set(taken.values_list("step", flat=True))
    running = Deadline.objects.running().filter(appeal__in=matter, due_at__gt=now).exclude(step=None)
    terms = dict(running.values_list("step", "due_at"))
    found = {step.pk: [Unmet(one, terms.get(one.pk)) for one in step.requires.all()] for step in steps}
    return {pk: [one for one in first if one.due_at or one.step.pk not in done] for pk, first in found.items()}
