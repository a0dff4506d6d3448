"""What an answer shows of appeals, read for a whole page in a fixed number of queries.

Only what is shown is read, and no rows are made of it: a page has fifty appeals with some two hundred clocks and
names, and as many objects would cost more than all the rest of the answer.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import F, QuerySet

from appeals.models import Appeal, Deadline, Event
from marketplaces.prepared import Among, Given, Prepared

# Of other rows, read beside its own columns
NAMES = {
    "marketplace_id": F("shop__marketplace"),
    "shop_marketplace_slug": F("shop__marketplace__slug"),
    "topic_slug": F("topic__slug"),
    "assignee_email": F("assignee__email"),
    "created_by_email": F("created_by__email"),
}
# The text that is searched is as long as the body
UNREAD = {"search_text", "topic", "assignee", "created_by"}
COLUMNS = ("pk", *(one.attname for one in Appeal._meta.concrete_fields if one.name not in UNREAD), *NAMES)
STEP = ("step__marketplace", "step__position", "step__name", "step__name_en")


class Line:
    """What is shown of an appeal."""

    _meta = Appeal._meta
    Status, TURNS = Appeal.Status, Appeal.TURNS
    turn = Appeal.turn
    overdue_by = Appeal.overdue_by

    def __init__(self, row: Any, clocks: list["Clock"], escalations: list[Event]) -> None:
        self.__dict__ = dict(zip(COLUMNS, row, strict=True))
        self.clocks, self.escalations = clocks, escalations


class _Columns(NamedTuple):
    pk: int
    kind: str
    state: str
    started_at: datetime
    due_at: datetime
    paused_at: datetime | None
    met_at: datetime | None
    ended_at: datetime | None
    amount: int
    unit: str


class Clock(_Columns):
    """What is shown of a deadline."""

    State = Deadline.State
    overdue_by = Deadline.overdue_by


_OF_APPEALS = Among("appeal_id", Given("appeals"))
_clocks = Prepared(lambda: Deadline.objects.filter(_OF_APPEALS).order_by().values_list("appeal_id", *Clock._fields))


@Prepared
def _steps() -> QuerySet[Event]:
    taken = Event.objects.standing().filter(_OF_APPEALS, kind=Event.Kind.ESCALATED).order_by()
    return taken.select_related("step").only("appeal", "at", "data", *STEP)


# The rows that `complete` makes the lines of
SHOWN: QuerySet[Appeal, Any] = Appeal.objects.annotate(**NAMES).values_list(*COLUMNS, named=True)
one = Prepared(lambda: SHOWN.filter(pk=Given("pk")).order_by())


def complete(rows: Sequence[Any]) -> list[Line]:
    """Gives each its clocks and the steps of the escalation path that it took."""
    ids = [row.pk for row in rows]
    clocks, taken = defaultdict[int, list[Clock]](list), defaultdict[int, list[Event]](list)
    for pk, *values in _clocks(appeals=ids):
        clocks[pk].append(Clock(*values))
    for event in _steps(appeals=ids):
        taken[event.appeal_id].append(event)
    begun, happened = attrgetter("started_at", "pk"), attrgetter("at", "pk")
    return [Line(row, sorted(clocks[row.pk], key=begun), sorted(taken[row.pk], key=happened)) for row in rows]
