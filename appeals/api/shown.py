"""What an answer shows of appeals, read for a whole page in a fixed number of queries.

Of other rows only what is shown is read, and beside it no rows are made of it: a page has some two hundred clocks and
names, and as many objects would cost more than all the rest of the answer.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import F, QuerySet

from appeals.models import Appeal, Deadline, Event

NAMES = {
    "shop_marketplace_slug": F("shop__marketplace__slug"),
    "topic_slug": F("topic__slug"),
    "assignee_email": F("assignee__email"),
    "created_by_email": F("created_by__email"),
}
# The text that is searched is as long as the body
UNREAD = {"search_text", "topic", "assignee", "created_by"}
STEP = ("step__marketplace", "step__position", "step__name", "step__name_en")
COLUMNS = (*(one.name for one in Appeal._meta.concrete_fields if one.name not in UNREAD), "shop__marketplace")


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


def shown(appeals: QuerySet[Appeal]) -> QuerySet[Appeal]:
    return appeals.select_related("shop").annotate(**NAMES).only(*COLUMNS)


def complete(appeals: Sequence[Any]) -> list[Any]:
    """Gives each its clocks and the steps of the escalation path that it took."""
    ids = [appeal.pk for appeal in appeals]
    clocks, taken = defaultdict[int, list[Clock]](list), defaultdict[int, list[Event]](list)
    rows = Deadline.objects.filter(appeal__in=ids).order_by().values_list("appeal_id", *Clock._fields)
    for pk, *values in rows:
        clocks[pk].append(Clock(*values))
    steps = Event.objects.standing().filter(kind=Event.Kind.ESCALATED, appeal__in=ids).order_by()
    for event in steps.select_related("step").only("appeal", "at", "data", *STEP):
        taken[event.appeal_id].append(event)
    for appeal in appeals:
        appeal.clocks = sorted(clocks[appeal.pk], key=attrgetter("started_at", "pk"))
        appeal.escalations = sorted(taken[appeal.pk], key=attrgetter("at", "pk"))
    return list(appeals)
