"""Who is at the screen, and whom they may choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.utils.translation import gettext as _

from appeals import reminders
from appeals.models import Appeal, Shop
from marketplaces import offers

if TYPE_CHECKING:
    from hub.models import User


def reader(request: HttpRequest) -> User:
    """The person who is logged in: no page of the workplace opens for anybody else."""
    return cast("User", request.user)


def own_shops(request: HttpRequest) -> list[Shop]:
    """The shops that they see, read once for a page: its menu, its filters and its lists ask for them.

    In the same query comes what the frame of the page says: the last sweep, and to editors the offers of a release.
    """
    if not hasattr(request, "hub_shops"):
        shops = Shop.objects.of_reader(reader(request)).annotate(last_sweep=reminders.last_sweep_in_a_query())
        if request.user.has_perm("marketplaces.change_channel"):
            shops = shops.annotate(offers=offers.count_in_a_query())
        request.hub_shops = found = list(shops)  # type: ignore[attr-defined]
        if found:
            request.hub_last_sweep = found[0].last_sweep  # type: ignore[attr-defined]
    shown: list[Shop] = request.hub_shops  # type: ignore[attr-defined]
    return shown


def open_offers(request: HttpRequest) -> int:
    """How many differences from the release wait for a decision, for those who decide."""
    shops = own_shops(request)
    return shops[0].offers if shops else offers.count()  # type: ignore[attr-defined]


def leads(request: HttpRequest) -> bool:
    """Whether they lead a shop."""
    return any(shop.is_led for shop in own_shops(request))  # type: ignore[attr-defined]


class AssigneeField(ModelChoiceField):  # type: ignore[type-arg]
    """Whom somebody may assign; who is assigned to `appeal` stays on offer, even when their account is closed."""

    def offer(self, user: User, appeal: Appeal) -> None:
        self.queryset = colleagues(user, appeal.assignee_id)

    def label_from_instance(self, obj: Any) -> str:
        return str(obj) if obj.is_active else f"{obj} ({_('the account is closed')})"


def colleagues(user: User, besides: int | None = None) -> QuerySet[User]:
    """Whom `user` may assign: the members of the shops that they see, and administrators; and one more, if named."""
    shops = Shop.objects.visible_to(user)
    known = Q(memberships__shop__in=shops) | Q(is_superuser=True) | Q(pk=user.pk)
    return get_user_model().objects.filter(Q(known, is_active=True) | Q(pk=besides or 0)).distinct()
