"""What comes next on the escalation path."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from functools import cached_property

from appeals.models import Appeal, Event
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
