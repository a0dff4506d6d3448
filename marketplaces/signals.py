"""What the directory tells those above it, whom it does not know."""

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.dispatch import Signal
from django.http import HttpRequest

from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget

if TYPE_CHECKING:
    from hub.models import User

COUNTED = (Marketplace, Channel, ResponseTarget, EscalationStep)  # what deadlines are counted by

promises_changed = Signal()
"""Somebody changed what deadlines are counted by: opening hours, response targets, terms of escalation steps.

Sent after the transaction with `marketplace_ids` (a set), `actor` (User) and `request`: that of a person who can be
asked what to do about running deadlines, None when nobody can.
"""


def tell_of_promises(
    model: type[Any], marketplace_ids: set[int], *, actor: "User", request: HttpRequest | None = None
) -> None:
    """For the doors: sends `promises_changed` once the transaction is over, if such rows are counted by."""
    if model in COUNTED and marketplace_ids:
        transaction.on_commit(
            lambda: promises_changed.send_robust(
                sender=model, marketplace_ids=marketplace_ids, actor=actor, request=request
            )
        )


def place_of(row: Any) -> set[int]:
    """The marketplace whose deadlines a row concerns; none for a topic that serves all."""
    place = row.pk if isinstance(row, Marketplace) else row.marketplace_id
    return set() if place is None else {place}
