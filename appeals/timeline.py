"""The timeline of an appeal: when something may have happened, and how it is written down."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from appeals.models import Appeal, Event
from marketplaces.calendars import covers
from marketplaces.models import EscalationStep
from marketplaces.models.directory_row import Bilingual
from marketplaces.naming import named

if TYPE_CHECKING:
    from appeals.deadlines import Change
    from hub.models import User


def check_year(at: datetime | None, field: str) -> None:
    """ValidationError on `field` for a year that no calendar covers."""
    if at is not None and not covers(at):
        raise ValidationError({field: _("No calendar covers this year.")})


def check_past(at: datetime | None, now: datetime, field: str = "at") -> None:
    check_year(at, field)
    if at is not None and at > now:
        raise ValidationError({field: _("The time lies in the future.")})


def moment(appeal: Appeal, at: datetime | None, now: datetime) -> datetime:
    """`at`, or `now`; refused in the future and before the last move, since clocks cannot run backwards."""
    check_past(at, now)
    last = appeal.events.standing().filter(kind__in=Event.MOVES).order_by("-at").values_list("at", flat=True).first()
    if at is not None and last and at < last:
        shown = date_format(localtime(last), "DATETIME_FORMAT")
        raise ValidationError(
            {"at": _("The last move of this appeal was on %(last)s; give a later time.") % {"last": shown}}
        )
    return at or max(now, last or now)


def tell(
    appeal: Appeal,
    kind: Event.Kind,
    *,
    actor: User | None,
    now: datetime,
    at: datetime | None = None,
    text: str = "",
    reply_kind: str = "",
    step: EscalationStep | None = None,
    moved: list[Change] | None = None,
    undoes: Event | None = None,
    **data: Any,
) -> Event:
    """Adds a line. `moved` are the clocks that it started, stopped or moved."""
    return Event.objects.create(
        appeal=appeal,
        kind=kind,
        reply_kind=reply_kind,
        at=at or now,
        recorded_at=now,
        actor=actor,
        text=text,
        step=step,
        undoes=undoes,
        data=data | ({"deadlines": moved} if moved else {}),
    )


def steps_taken(appeal: Appeal) -> list[Event]:
    """The escalation steps taken, oldest first."""
    taken = appeal.events.standing().filter(kind=Event.Kind.ESCALATED)
    return list(taken.select_related("step__channel__marketplace"))


def plain(value: object) -> Any:
    """A value as the timeline keeps it: nothing in it is in the language of whoever did it."""
    if isinstance(value, Bilingual):
        return named(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | bool | list | None) else str(value)
