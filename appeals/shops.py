"""Shops and who works for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from appeals.models import Membership, Shop

if TYPE_CHECKING:
    from hub.models import User


@transaction.atomic
def create(*, actor: User, members: Iterable[User] = (), **fields: Any) -> Shop:
    """A shop; whoever makes it leads it. ValidationError when it cannot be as described."""
    shop = Shop(**fields)
    shop.full_clean()
    shop.save()
    Membership.objects.create(shop=shop, user=actor, is_lead=True)
    for user in {*members} - {actor}:  # one by one: signals tell the trail of each
        Membership.objects.create(shop=shop, user=user)
    return shop


@transaction.atomic
def edit(*, shop: Shop, actor: User, members: Iterable[User] | None = None, **changes: Any) -> Shop:
    """Changes what is known of a shop. PermissionDenied when somebody who does not lead it changes its members."""
    shop = Shop.objects.select_for_update().get(pk=shop.pk)
    for name, value in changes.items():
        setattr(shop, name, value)
    shop.version += 1
    shop.full_clean()
    shop.save()
    if members is not None:
        _set_members(shop, actor, {*members})
    return shop


def _set_members(shop: Shop, actor: User, wanted: set[User]) -> None:
    """Those who stay keep their part; one of them must lead."""
    present = {membership.user: membership for membership in shop.memberships.select_related("user")}
    if wanted == set(present):
        return
    if not Shop.objects.led_by(actor).filter(pk=shop.pk).exists():
        raise PermissionDenied
    if any(one.is_lead for one in present.values()) and not any(
        present[user].is_lead for user in wanted & set(present)
    ):
        raise ValidationError({"members": _("Somebody who leads the shop must stay.")})
    shop.memberships.exclude(user__in=wanted).delete()
    for user in wanted - set(present):
        Membership.objects.create(shop=shop, user=user)
