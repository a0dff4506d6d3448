"""What comes next on the escalation path, and what must come before it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

from appeals import chain
from appeals.models import Appeal, Deadline, Event
from marketplaces.models import EscalationStep


class Paths:
    """The sellers' paths on a day, read once: for a page of appeals, or that of one marketplace.

    `fields` are those of the steps that are read at once; without them, all, and the channel.
    """

    def __init__(self, on: date, fields: Collection[str] = (), *, marketplace_id: int | None = None) -> None:
        self.on, self.fields, self.marketplace_id = on, fields, marketplace_id

    @cached_property
    def _steps(self) -> dict[int, list[EscalationStep]]:
        steps: dict[int, list[EscalationStep]] = defaultdict(list)
        proposed = EscalationStep.objects.for_sellers(on=self.on).filter(is_proposed=True)
        if self.marketplace_id:
            proposed = proposed.filter(marketplace=self.marketplace_id)
        rows = proposed.only(*self.fields) if self.fields else proposed.select_related("channel__marketplace")
        for step in rows:
            steps[step.marketplace_id].append(step)
        return steps

    def next(self, appeal: Appeal, taken: Iterable[Event]) -> EscalationStep | None:
        """The first proposed step after the last one taken; None at the end of the path, and of the matter."""
        if appeal.status == Appeal.Status.RESOLVED:
            return None
        last = max((event.step.position for event in taken if event.step), default=0)
        steps = self._steps[appeal.shop.marketplace_id]
        return next((step for step in steps if step.position > last), None)


class Unmet(NamedTuple):
    """A step that must come first: not taken in the matter, or taken while its term runs until `due_at`."""

    step: EscalationStep
    due_at: datetime | None


def unmet(appeal: Appeal, steps: Iterable[EscalationStep], now: datetime) -> dict[int, list[Unmet]]:
    """By step: what the directory says must come first and has not, a claim before the court for example.

    It forbids nothing: the step may have been taken where the hub does not know of it.
    """
    matter = chain.members(appeal).values("pk")
    taken = Event.objects.standing().filter(appeal__in=matter, kind=Event.Kind.ESCALATED).exclude(step=None)
    done = set(taken.values_list("step", flat=True))
    running = Deadline.objects.running().filter(appeal__in=matter, due_at__gt=now).exclude(step=None)
    terms = dict(running.values_list("step", "due_at"))
    known = EscalationStep.objects.filter(pk__in=[step.pk for step in steps]).prefetch_related("requires")
    found = {step.pk: [Unmet(one, terms.get(one.pk)) for one in step.requires.all()] for step in known}
    return {pk: [one for one in first if one.due_at or one.step.pk not in done] for pk, first in found.items()}
