"""Keeping the rows of the directory true: what a person does to one of them, with its line in the history."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.timezone import localdate

from marketplaces import history
from marketplaces.citing import entered_by
from marketplaces.directory_merge import Values
from marketplaces.directory_schema import MarketplaceFact
from marketplaces.history import Action, Row
from marketplaces.models import Marketplace

if TYPE_CHECKING:
    from hub.models import User


@transaction.atomic
def check(*, row: Row, actor: "User", now: datetime) -> None:
    """The person has compared the row with the world today, and it is as it says."""
    before = history.values_of(row)
    mark_checked(row=row, actor=actor, now=now)
    history.record(row=row, before=before, action=Action.CHECKED, now=now, actor=actor)


def mark_checked(*, row: Row, actor: "User", now: datetime) -> None:
    """For a row that is being saved anyway; `check` without the line in the history."""
    if isinstance(row, Marketplace):
        for field in row.provenance:
            row.provenance[field] = row.provenance[field] | _checked(actor, now)
        row.save(update_fields=["provenance"])
    else:
        row.verified_on, row.verified_by = localdate(now), actor
        row.save(update_fields=["verified_on", "verified_by"])


@transaction.atomic
def set_retired(*, row: Row, retired: bool, actor: "User", now: datetime) -> None:
    """Out of sight, but kept for the appeals that refer to it; or back into use."""
    before = history.values_of(row)
    row.retired_at = now if retired else None
    row.save(update_fields=["retired_at"])
    history.record(row=row, before=before, action=Action.RETIRED if retired else Action.RESTORED, now=now, actor=actor)


@transaction.atomic
def delete(*, row: Row, actor: "User", now: datetime) -> None:
    """Raises ProtectedError where an appeal or another row refers to it."""
    values = history.values_of(row)
    gone = {name: [value, None] for name, value in values.items()}
    place = values["marketplace"]
    last = history.line(row=row, marketplace=place, action=Action.DELETED, now=now, actor=actor, changes=gone)
    row.delete()
    history.write([last])


def restate(*, marketplace: Marketplace, before: Values, actor: "User", now: datetime) -> None:
    """The facts of a marketplace that a person has changed are theirs: they no longer come from the old source."""
    for field in MarketplaceFact.FACTS:
        if getattr(marketplace, field) == before.get(field, ""):
            continue
        if getattr(marketplace, field):
            marketplace.provenance[field] = {"source": entered_by(actor), "source_grade": "C", **_checked(actor, now)}
        else:
            marketplace.provenance.pop(field, None)


def _checked(actor: "User", now: datetime) -> Values:
    return {"verified_on": localdate(now).isoformat(), "verified_by": str(actor)}
