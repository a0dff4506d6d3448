"""Somebody leaves: what ends at once, and who takes over what they left open."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from appeals import lifecycle
from appeals.models import Appeal, Event, Shop
from hub import locks
from hub.models import ApiToken, User
from marketplaces.models import DirectoryChange

OPEN = Q(status__in=[status for status in Appeal.Status.values if status != Appeal.Status.RESOLVED])


@transaction.atomic
def deactivate(user: User) -> None:
    """Closes the account: its tokens are gone, its sessions over. What it did stays where it is, under its name."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    for token in ApiToken.objects.filter(user=user):  # one by one, so that the trail has each
        token.delete()
    user.end_sessions()
    locks.release(user)


def is_unused(user: User) -> bool:
    """Nothing was ever done under this name, by a person or, which logs in nowhere, by a program."""
    traces = (Event.objects.filter(actor=user), DirectoryChange.objects.filter(actor=user))
    return user.last_login is None and not any(rows.exists() for rows in traces)


def left_open(user: User, *, reader: User) -> QuerySet[Appeal]:
    """The open appeals of a person, as far as `reader` leads their shops."""
    mine: QuerySet[Appeal] = Appeal.objects.filter(OPEN, assignee=user, shop__in=Shop.objects.led_by(reader))
    return mine.select_related("shop__marketplace").order_by("next_due_at", "pk")


def with_open_appeals(reader: User) -> QuerySet[User]:
    """People who have open appeals in the shops that `reader` leads, with their number; those who left first."""
    seen = Q(assigned_appeals__shop__in=Shop.objects.led_by(reader)) & ~Q(
        assigned_appeals__status=Appeal.Status.RESOLVED
    )
    return (
        User.objects.annotate(open=Count("assigned_appeals", filter=seen))
        .filter(open__gt=0)
        .order_by("is_active", "email")
    )


def hand_over(
    *, appeals: Iterable[Appeal], to: User, actor: User, now: datetime
) -> tuple[list[Appeal], list[tuple[Appeal, str]]]:
    """Assigns each appeal to `to`: those that are theirs now, and those that cannot be, each with the reason."""
    done: list[Appeal] = []
    refused: list[tuple[Appeal, str]] = []
    for appeal in appeals:
        try:
            with transaction.atomic():
                done.append(lifecycle.edit(appeal=appeal, actor=actor, now=now, assignee=to))
        except ValidationError as error:
            refused.append((appeal, " ".join(error.messages)))
        except lifecycle.StateError as error:
            refused.append((appeal, str(error)))
    return done, refused
