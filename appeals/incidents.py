"""One fault that hits many orders or shops: many appeals made from one text, in one go and once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from appeals import deadlines, ladder, orders, state, timeline
from appeals.models import Appeal, Deadline, Event, Incident, IncidentBatch, Shop
from appeals.orders import Order
from appeals.promises import Targets
from appeals.recipients import Roster
from marketplaces.models import Channel, Topic

if TYPE_CHECKING:
    from hub.models import User

LIMIT: Final = 1000
"""So many appeals are made in one go."""
_RUSSIAN: Final = {"numbers": "номера", "shop": "магазин", "amount": "сумма", "count": "количество"}
_NAMES: Final = {**{name: name for name in _RUSSIAN}, **{word: name for name, word in _RUSSIAN.items()}}
_PLACE = re.compile(r"\{\s*([^\W\d]\w*)\s*\}")


@dataclass(frozen=True)
class Part:
    """What is written for one shop."""

    shop: Shop
    orders: Sequence[Order]
    channel: Channel | None = None


@dataclass(frozen=True)
class Text:
    """The one text: `{numbers}`, `{shop}`, `{amount}` and `{count}` in it stand for those of each appeal."""

    subject: str
    body: str
    desired_outcome: str = ""

    def check(self) -> None:
        """ValidationError at the field: a placeholder that nobody knows, or a text without the numbers."""
        for name in ("subject", "body", "desired_outcome"):
            for found in _PLACE.findall(getattr(self, name)):
                if found.casefold() not in _NAMES:
                    text = _("“%(name)s” is not known. Known: %(numbers)s, %(shop)s, %(amount)s, %(count)s.")
                    raise ValidationError({name: text % {"name": f"{{{found}}}", **places()}})
        if "numbers" not in {_NAMES[name.casefold()] for name in _PLACE.findall(self.body)}:
            text = _("Put %(numbers)s where the order numbers of each appeal are to stand.")
            raise ValidationError({"body": text % places()})


@dataclass(frozen=True)
class Facts:
    """What all appeals of a go share."""

    topic: Topic | None = None
    priority: str = "normal"
    is_complex: bool = False
    assignee: User | None = None
    per_appeal: int | None = 1
    """Orders in one appeal; None: all of a shop in one."""


def make(
    *,
    actor: User,
    now: datetime,
    token: UUID,
    parts: Sequence[Part],
    text: Text,
    facts: Facts,
    sent_at: datetime | None = None,
    incident: Incident | None = None,
    **about: Any,
) -> IncidentBatch:
    """Makes the appeals, as drafts, or as sent at `sent_at`; all or none. `about` describes a new incident.

    The same `token` again gives the batch that was made with it. ValidationError with the field's name.
    """
    made = IncidentBatch.objects.filter(token=token).first()
    if made is not None:
        return made
    text.check()
    timeline.check_past(sent_at, now, "sent_at")
    try:
        with transaction.atomic():
            incident = _described(incident, actor, now, text, about)
            return _Go(incident, actor, text, facts, now=now, sent_at=sent_at).make(parts, token)
    except IntegrityError:
        made = IncidentBatch.objects.filter(token=token).first()
        if made is None:
            raise
        return made


@transaction.atomic
def edit(*, incident: Incident, **changes: Any) -> Incident:
    """Changes what is said of an incident, not its appeals."""
    incident = Incident.objects.select_for_update().get(pk=incident.pk)
    for name, value in changes.items():
        setattr(incident, name, value)
    incident.full_clean()
    incident.save()
    return incident


def places() -> dict[str, str]:
    """The placeholders as they are written in the active language; both languages are read."""
    russian = (get_language() or "").startswith("ru")
    return {name: f"{{{word if russian else name}}}" for name, word in _RUSSIAN.items()}


def filled(template: str, shop: Shop, group: Sequence[Order]) -> str:
    """The template for one appeal."""
    values = {
        "numbers": ", ".join(order.number for order in group),
        "shop": shop.name,
        "amount": number_format(stake(group) or 0, 2, force_grouping=True),
        "count": str(len(group)),
    }
    return _PLACE.sub(lambda found: values[_NAMES[found[1].casefold()]], template)


def stake(group: Iterable[Order]) -> Decimal | None:
    """The money of these orders; None where none says any."""
    amounts = [order.amount for order in group if order.amount is not None]
    return sum(amounts, Decimal(0)) if amounts else None


def _described(incident: Incident | None, actor: User, now: datetime, text: Text, about: dict[str, Any]) -> Incident:
    incident = incident or Incident(created_by=actor, created_at=now, **about)
    incident.subject, incident.body = text.subject, text.body
    incident.full_clean()
    incident.save()
    return incident


class _Go:
    """One go: the rows that creating and sending each appeal one by one would leave, written together."""

    def __init__(
        self, incident: Incident, actor: User, text: Text, facts: Facts, *, now: datetime, sent_at: datetime | None
    ) -> None:
        self.incident, self.actor, self.now = incident, actor, now
        self.text, self.facts, self.sent_at = text, facts, sent_at
        self._appeals: list[Appeal] = []
        self._deadlines: list[Deadline] = []
        self._events: list[Event] = []

    def make(self, parts: Sequence[Part], token: UUID) -> IncidentBatch:
        groups = [(part, group) for part in parts for group in orders.grouped(part.orders, self.facts.per_appeal)]
        if not 0 < len(groups) <= LIMIT:
            raise ValidationError(_("Between 1 and %(limit)d appeals can be made in one go.") % {"limit": LIMIT})
        batch = IncidentBatch.objects.create(
            incident=self.incident, token=token, count=len(groups), created_by=self.actor, created_at=self.now
        )
        self._rules, self._targets = ladder.active_rules(), Targets()
        self._roster = Roster(part.shop.pk for part in parts)
        for part in parts:
            self._write(part, [group for owner, group in groups if owner is part])
        Appeal.objects.bulk_create(self._appeals)
        Deadline.objects.bulk_create(self._deadlines)
        Event.objects.bulk_create(self._events)
        return batch

    def _write(self, part: Part, groups: Sequence[list[Order]]) -> None:
        """Whether the assignee fits is the same for all appeals of a shop: of the first it is asked."""
        for place, group in enumerate(groups):
            appeal = self._appeal(part, group)
            _check(appeal, is_first=place == 0)
            appeal.search_text = appeal.searchable()
            self._appeals.append(appeal)
            self._tell(appeal, Event.Kind.CREATED, self.now)
            if self.sent_at is not None:
                self._send(appeal, self.sent_at)

    def _appeal(self, part: Part, group: list[Order]) -> Appeal:
        return Appeal(
            incident=self.incident,
            shop=part.shop,
            channel=part.channel,
            topic=self.facts.topic,
            priority=self.facts.priority,
            is_complex=self.facts.is_complex,
            assignee=self.facts.assignee,
            subject=filled(self.text.subject, part.shop, group),
            body=filled(self.text.body, part.shop, group),
            desired_outcome=filled(self.text.desired_outcome, part.shop, group),
            order_numbers=[order.number for order in group],
            amount_at_stake=stake(group),
            created_by=self.actor,
            created_at=self.now,
        )

    def _send(self, appeal: Appeal, at: datetime) -> None:
        """The appeal went out: the first reply and the answer are awaited from `at`."""
        appeal.status, appeal.submitted_at = Appeal.Status.WAITING, at
        read = {"targets": self._targets, "rules": self._rules, "roster": self._roster}
        kinds = (Deadline.Kind.FIRST_REPLY, Deadline.Kind.ANSWER)
        begun = [one for kind in kinds if (one := deadlines.begin(appeal, kind, at=at, **read))]  # type: ignore[arg-type]
        appeal.next_due_at = min((clock.due_at for clock, _change in begun), default=None)
        self._deadlines += [clock for clock, _change in begun]
        moved = [change for _clock, change in begun]
        self._tell(appeal, Event.Kind.SUBMITTED, at, **({"deadlines": moved} if moved else {}))

    def _tell(self, appeal: Appeal, kind: Event.Kind, at: datetime, **data: Any) -> None:
        event = Event(appeal=appeal, kind=kind, at=at, recorded_at=self.now, actor=self.actor, data=data)
        self._events.append(event)


def _check(appeal: Appeal, *, is_first: bool) -> None:
    """ValidationError that says for which shop."""
    try:
        state.validate(appeal)
        if is_first:
            appeal.check_assignee()
    except ValidationError as error:
        named = {name: [f"{appeal.shop}: {one}" for one in texts] for name, texts in error.message_dict.items()}
        raise ValidationError(named) from error
