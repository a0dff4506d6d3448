"""Who is told: the people and addresses that a rung of a ladder names, as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models

from appeals.models import Appeal, Membership, RefusedAddress, Reminder, ReminderRule
from marketplaces.opening_hours import OpeningHours, opening_hours
from marketplaces.personal_hours import PersonalHours

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from hub.models import User

Role = Reminder.Role
ROUND_THE_CLOCK = "24/7"
# What is asked of a person: where, when and in which language to tell them
_READ = ("email", "language", "time_zone", "working_hours", "days_off", "is_active", "is_superuser")


@dataclass(frozen=True)
class Recipient:
    """A person, or an address without a person, and what makes them one to be told."""

    address: str
    role: Role
    user: User | None = None

    @property
    def language(self) -> str:
        return self.user.language if self.user else settings.LANGUAGE_CODE

    @property
    def time_zone(self) -> str:
        return self.user.zone_name if self.user else settings.TIME_ZONE

    def hours(self, country: str) -> OpeningHours | PersonalHours:
        """When they want to be told; round the clock for whoever entered no hours."""
        return self.user.hours(country) if self.user else opening_hours(ROUND_THE_CLOCK, self.time_zone, country)

    def opens_at(self, at: datetime, country: str) -> datetime:
        """The first moment from `at` on that lies in their hours; `at` where their hours never open again."""
        return self.hours(country).opens_at(at) or at


class Roster:
    """The people of the shops, the administrators, and the addresses that refuse mail, each read once.

    Only active people are on it, and of a shop only its members: whoever has left is not told.
    """

    def __init__(self, shop_ids: Iterable[int] = ()) -> None:
        self._members: dict[int, dict[int, User]] = {}
        self._leads: dict[int, list[User]] = {}
        self._told: dict[tuple[int, int, int | None], list[Recipient]] = {}
        self._admins = {user.pk: user for user in _people().filter(is_superuser=True)}
        self.refused = set(RefusedAddress.objects.values_list("address", flat=True))
        self.read(shop_ids)

    def read(self, shop_ids: Iterable[int]) -> None:
        """Reads the members of the shops that are not known yet."""
        fresh = set(shop_ids) - set(self._members)
        if not fresh:
            return
        for shop_id in fresh:
            self._members[shop_id], self._leads[shop_id] = {}, []
        members = Membership.objects.filter(shop__in=fresh)
        people = {user.pk: user for user in _people().filter(pk__in=members.values("user"))}
        for shop_id, user_id, is_lead in members.order_by("id").values_list("shop", "user", "is_lead"):
            if user := people.get(user_id):
                self._members[shop_id][user_id] = user
                if is_lead:
                    self._leads[shop_id].append(user)

    def told(self, rule: ReminderRule, appeal: Appeal) -> list[Recipient]:
        """Whom the rule names for this appeal, each address once, the refused ones too.

        Nobody assigned: the leads of the shop; no lead: the administrators. A named person who may not see the shop
        is left out.
        """
        key = (rule.pk, appeal.shop_id, appeal.assignee_id)
        if key not in self._told:
            self.read([appeal.shop_id])
            self._told[key] = _each_once(self._named(rule, appeal.shop_id, appeal.assignee_id))
        return self._told[key]

    def instead_of(self, recipients: Sequence[Recipient], appeal: Appeal) -> list[Recipient]:
        """Whom to tell that these people are not reached: the leads whom mail reaches, else the administrators."""
        self.read([appeal.shop_id])
        unreached = {recipient.address for recipient in recipients} | self.refused
        for users, role in ((self._leads[appeal.shop_id], Role.LEAD), (self._admins.values(), Role.ADMINISTRATOR)):
            if reached := [one for one in self._by_role(users, role) if one.address not in unreached]:
                return _each_once(reached)
        return []

    def may_lead(self, address: str, appeal: Appeal) -> bool:
        """Whether this is still the address of a lead of the shop or of an administrator."""
        self.read([appeal.shop_id])
        return any(user.email.lower() == address for user in (*self._leads[appeal.shop_id], *self._admins.values()))

    def _named(self, rule: ReminderRule, shop_id: int, assignee_id: int | None) -> list[Recipient]:
        found: list[Recipient] = []
        if rule.tell_assignee:
            assignee = self._member(shop_id, assignee_id)
            found = self._by_role([assignee], Role.ASSIGNEE) if assignee else self._leaders(shop_id)
        if rule.tell_lead:
            found += self._by_role(self._leads[shop_id], Role.LEAD)
        if not found and rule.tell_lead:
            found = self._leaders(shop_id)
        for user in rule.people.all():
            if seen := self._member(shop_id, user.pk):
                found += self._by_role([seen], Role.NAMED)
        return found + [Recipient(address=address, role=Role.ADDRESS) for address in rule.extra_addresses]

    def _leaders(self, shop_id: int) -> list[Recipient]:
        leads = self._by_role(self._leads[shop_id], Role.LEAD)
        return leads or self._by_role(self._admins.values(), Role.ADMINISTRATOR)

    def _member(self, shop_id: int, user_id: int | None) -> User | None:
        return self._members[shop_id].get(user_id or 0) or self._admins.get(user_id or 0)

    @staticmethod
    def _by_role(users: Iterable[User], role: Role) -> list[Recipient]:
        return [Recipient(address=user.email, role=role, user=user) for user in users if user.email]


def unreached(user: User) -> list[RefusedAddress]:
    """The marked addresses of the people whom `user` leads, and of the rules; all of them for an administrator."""
    refused = RefusedAddress.objects.all()
    if user.is_administrator:
        return list(refused)
    led = Membership.objects.filter(user=user, is_lead=True).values("shop")
    team = Membership.objects.filter(shop__in=led, user__is_active=True).values("user__email")
    marked = list(refused.annotate(of_team=models.Q(address__in=team)).filter(models.Exists(led)))
    rules = [] if all(one.of_team for one in marked) else ReminderRule.objects.all()
    named = {address for rule in rules for address in rule.extra_addresses}
    return [one for one in marked if one.of_team or one.address in named]


def _people() -> QuerySet[User]:
    return get_user_model().objects.filter(is_active=True).only(*_READ).order_by("id")


def _each_once(recipients: Iterable[Recipient]) -> list[Recipient]:
    """In the first role that names an address."""
    found: dict[str, Recipient] = {}
    for one in recipients:
        found.setdefault(one.address.lower(), replace(one, address=one.address.lower()))
    return list(found.values())
