"""What every verb stands on: the states, the lock, the picture of what was before, and the writing down.

A verb takes the appeal with `locked`, changes it, and ends with `done`, which keeps with the event what the appeal and
its clocks were: the way back that `appeals.undo` takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from appeals import deadlines, timeline
from appeals.models import Appeal, Event, Reminder, Snapshot

Status = Appeal.Status
Picture = dict[str, dict[str, Any]]

EDITABLE = (
    "topic",
    "channel",
    "priority",
    "subject",
    "body",
    "desired_outcome",
    "order_numbers",
    "product_codes",
    "amount_at_stake",
    "external_number",
    "previous",
    "assignee",
    "is_complex",
    "client_reference",
)
_GIVEN = ("shop", "topic", "channel", "previous", "matter", "incident", "assignee", "created_by")

STATES = {
    "submit": (Status.DRAFT,),
    "delete_draft": (Status.DRAFT,),
    "record_reply": (Status.WAITING, Status.OUR_TURN),
    "message": (Status.WAITING, Status.OUR_TURN),
    "escalate": (Status.WAITING, Status.OUR_TURN),
    "resolve": (Status.WAITING, Status.OUR_TURN),
    "snooze": (Status.WAITING, Status.OUR_TURN),
    "reopen": (Status.RESOLVED,),
}
# What an undo puts back. `version` goes on, and `next_due_at` follows from the clocks
_OF_APPEAL = (*EDITABLE, "status", "outcome", "amount_recovered", "snoozed_until", "submitted_at", "resolved_at")
_OF_DEADLINE = (
    *("state", "due_at", "paused_at", "pauses", "met_at", "ended_at", "remind_at", "told_until"),
    *("target", "step", "amount", "unit", "opening_hours", "time_zone", "country", "source"),
)
# Whose place in a matter changes moves other appeals with it: there is no way back but to change it again
_NO_WAY_BACK = {"previous"}


class StateError(Exception):
    """The verb does not fit the state. `allowed` holds the states in which it would."""

    def __init__(self, status: str, allowed: Iterable[str]) -> None:
        self.status, self.allowed = status, [str(state) for state in allowed]
        places = [_("“%(text)s”") % {"text": _name(state)} for state in self.allowed]
        super().__init__(
            _("This cannot be done while the state is “%(status)s”; it could be in: %(allowed)s.")
            % {"status": _name(status), "allowed": _(" or ").join(places)}
        )


def _name(status: str) -> str:
    return capfirst(str(Status(status).label)) or ""


def verbs(appeal: Appeal) -> list[str]:
    """The verbs that fit the state now."""
    return [verb for verb, states in STATES.items() if appeal.status in states]


def known(fields: dict[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(fields) - set(EDITABLE)):
        raise ValidationError({unknown[0]: _("This field cannot be written.")})
    return fields


def validate(appeal: Appeal) -> None:
    """The fields, and how they fit together. The rows that a verb is given exist, and the database holds the rest."""
    appeal.full_clean(exclude=_GIVEN, validate_constraints=False)


def locked(appeal: Appeal, verb: str = "") -> Appeal:
    """The appeal as the database has it now, its row locked until the transaction ends.

    The lock lets events be added meanwhile, as the sender of reminders does while it holds their rows.
    """
    row = Appeal.objects.select_for_update(of=("self",), no_key=True).select_related("shop__marketplace")
    fresh = row.get(pk=appeal.pk)
    if verb and fresh.status not in STATES[verb]:
        raise StateError(fresh.status, STATES[verb])
    fresh.before = _picture(fresh)  # type: ignore[attr-defined]
    return fresh


def save(appeal: Appeal) -> None:
    appeal.version += 1
    appeal.save()


def done(appeal: Appeal, kind: Event.Kind, **details: Any) -> Appeal:
    """Writes the appeal with its next due time, and the event that tells what happened and which clocks it moved."""
    deadlines.refresh(appeal)
    save(appeal)
    event = timeline.tell(appeal, kind, **details)
    before: Picture = appeal.before  # type: ignore[attr-defined]
    now = _values(appeal, _OF_APPEAL)
    changed = {name: value for name, value in before["appeal"].items() if value != now[name]}
    if not changed.keys() & _NO_WAY_BACK:
        Snapshot.objects.create(event=event, before=before | {"appeal": changed})
    return appeal


def put_back(row: Model, values: dict[str, Any]) -> None:
    """Gives the row the values of a picture. The caller saves it."""
    for name, value in values.items():
        field = row._meta.get_field(name)
        setattr(row, field.attname, field.to_python(value))  # type: ignore[union-attr]


def _picture(appeal: Appeal) -> Picture:
    """The appeal, its live clocks by number, and what waits to be told of them: reason and details by number."""
    waiting = Reminder.objects.filter(deadline__appeal=appeal, state=Reminder.State.PENDING)
    told_of = waiting.values_list("pk", "reason", "detail")
    return {
        "appeal": _values(appeal, _OF_APPEAL),
        "deadlines": {str(row.pk): _values(row, _OF_DEADLINE) for row in appeal.deadlines.live()},
        "reminders": {str(pk): [reason, detail] for pk, reason, detail in told_of},
    }


def _values(row: Model, names: Iterable[str]) -> dict[str, Any]:
    return {name: timeline.plain(getattr(row, row._meta.get_field(name).attname)) for name in names}  # type: ignore[union-attr]
