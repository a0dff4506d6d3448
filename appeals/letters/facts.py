"""What a letter may say of the appeal, its matter, its shop and the directory, each fact read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, prefetch_related_objects
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from appeals import chain, wording
from appeals.documents import clean
from appeals.letters import chronology, speech
from appeals.letters.gaps import Needed
from appeals.letters.sources import Sources, is_published
from appeals.models import Appeal, Deadline, Event
from marketplaces.amounts import amount_text
from marketplaces.models import EscalationStep
from marketplaces.working_time import Unit

Kind = Deadline.Kind
Letter = EscalationStep.Letter
_INSTANT = timedelta(microseconds=1)
_URGENT_FIRST = (Kind.ESCALATION, Kind.ANSWER, Kind.FIRST_REPLY)


class Promise(NamedTuple):
    """A clock as a letter quotes it. `is_theirs`: a listed source says that the marketplace or the law promises it."""

    since: str
    amount: str
    ended: str
    lateness: str
    is_late: bool
    is_first: bool
    is_theirs: bool
    step: str


class Reply(NamedTuple):
    on: str
    text: str


def owed(deadlines: Iterable[Deadline], now: datetime) -> Deadline | None:
    """The live clock of the marketplace to remind of: that of a step, else a late one before one that is not."""
    live = [one for one in deadlines if one.is_live and one.kind in _URGENT_FIRST]
    return min(live, key=lambda one: _urgency(one, now), default=None)


def _urgency(clock: Deadline, now: datetime) -> tuple[bool, bool, int]:
    kind = Kind(clock.kind)
    return kind != Kind.ESCALATION, not clock.is_late(now), _URGENT_FIRST.index(kind)


class Facts:
    """Texts in the active language, times in the active zone. What people entered is given as it is."""

    def __init__(
        self,
        appeal: Appeal,
        kind: str,
        now: datetime,
        clock: Deadline | None = None,
        is_listed: Callable[[str], bool] = is_published,
        *,
        others: Iterable[Appeal] = (),
    ) -> None:
        self.appeal, self.kind, self.now, self._clock, self._others = appeal, kind, now, clock, others
        self.sources, self._is_listed = Sources(), is_listed
        self.need = Needed(appeal, self._needed)

    def _needed(self, field: str) -> str:
        shop, appeal = self.appeal.shop, self.appeal
        match field:
            case "legal_name" | "inn" | "ogrn" | "postal_address" | "seller_id":
                value: str = getattr(shop, field)
            case "external_number" | "body":
                value = getattr(appeal, field)
            case "wish":
                value = appeal.desired_outcome
            case "sent_on":
                value = wording.day(appeal.submitted_at) if appeal.submitted_at else ""
            case "addressee":
                value = self._fact_of_marketplace("legal_entity")
            case "addressee_address":
                value = self._fact_of_marketplace("postal_address")
            case "reply":
                value = self.reply.text if self.reply else ""
            case "sum":
                value = speech.money(self.owed_money) if self.owed_money else ""
            case "term":
                value = self._term()
            case _:
                value = ""
        return clean(value).strip()

    # Who and what

    @cached_property
    def marketplace(self) -> str:
        return str(self.appeal.shop.marketplace)

    @cached_property
    def shop(self) -> str:
        return self.appeal.shop.name

    @cached_property
    def sender(self) -> str:
        return self.appeal.shop.legal_name or self.appeal.shop.name

    @cached_property
    def seller_id(self) -> str:
        return self.appeal.shop.seller_id

    @cached_property
    def is_sole_trader(self) -> bool:
        """Whose number of 15 digits is an OGRNIP."""
        return len(self.appeal.shop.ogrn) == 15

    @cached_property
    def is_legal(self) -> bool:
        """Letters that a lawyer should see."""
        return self.kind in (Letter.COMPLAINT, Letter.CLAIM, Letter.FAS)

    @cached_property
    def subject(self) -> str:
        return " ".join(self.appeal.subject.split())

    @cached_property
    def number(self) -> str:
        """For marketplaces that give none to some requests; the others need it."""
        return self.appeal.external_number.strip()

    @cached_property
    def topic(self) -> str:
        return str(self.appeal.topic or "")

    @cached_property
    def wish(self) -> str:
        return self.appeal.desired_outcome.strip()

    @cached_property
    def orders(self) -> str:
        return ", ".join(self.appeal.order_numbers)

    @cached_property
    def products(self) -> str:
        return ", ".join(self.appeal.product_codes)

    @cached_property
    def others(self) -> str:
        """The other appeals of the incident by the number that the marketplace gave them, else by their orders."""
        numbers = (one.external_number.strip() or ", ".join(one.order_numbers) for one in self._others)
        return "; ".join(number for number in numbers if number)

    @cached_property
    def channel(self) -> str:
        return self.appeal.channel.key if self.appeal.channel else ""

    @cached_property
    def today(self) -> str:
        return wording.day(self.now)

    @cached_property
    def is_deduction(self) -> bool:
        """Where money was taken, the papers on which that rests are to be asked for."""
        return self.appeal.topic is not None and self.appeal.topic.slug == "penalties"

    @cached_property
    def files(self) -> list[str]:
        """Names of the files of the matter, oldest first."""
        prefetch_related_objects(self._matter, "attachments")
        return [file.name for one in self._matter for file in one.attachments.all()]

    # What happened

    @cached_property
    def _matter(self) -> Sequence[Appeal]:
        return list(chain.members(self.appeal).select_related("channel").order_by("created_at", "id"))

    @cached_property
    def _events(self) -> list[Event]:
        return chronology.events(self._matter)

    @cached_property
    def chronology(self) -> list[chronology.Line]:
        missed = chronology.broken(self._matter, self.now)
        for clock in missed:
            self.sources.use_promise(clock)
        return chronology.lines(self._matter, self._events, missed)

    @cached_property
    def earlier(self) -> list[Appeal]:
        """The other appeals of the matter that were sent."""
        return [one for one in self._matter if one.pk != self.appeal.pk and one.submitted_at]

    @cached_property
    def reply(self) -> Reply | None:
        """What the marketplace wrote last: a stock phrase, if there was one after our own last word."""
        last = chronology.last_reply(self._events)
        return Reply(wording.day(last.at), chronology.quote(last.text, 3000)) if last else None

    @cached_property
    def promise(self) -> Promise | None:
        """The clock that the letter reminds of, if some clock of the marketplace runs."""
        clock = self._clock or owed(self.appeal.deadlines.select_related("step", "target"), self.now)
        return self._promise(clock) if clock else None

    def _promise(self, clock: Deadline) -> Promise:
        theirs = self._is_listed(clock.source)
        if theirs:
            self.sources.use_promise(clock)
        return Promise(
            since=wording.day(clock.started_at),
            amount=amount_text(clock.amount, clock.unit),
            ended=_end(clock),
            lateness=wording.lateness(clock, self.now),
            is_late=clock.overdue_by(self.now) is not None,
            is_first=clock.kind == Kind.FIRST_REPLY,
            is_theirs=theirs,
            step=str(clock.step or ""),
        )

    @cached_property
    def first_promise(self) -> Promise | None:
        """The answer that was promised first in the matter, while it is still owed and another clock runs."""
        first = chain.first_promises([self.appeal]).get(self.appeal.pk)
        if first is None or not first.is_owed or not self._is_listed(first.deadline.source):
            return None
        return self._promise(first.deadline)

    # Money

    @cached_property
    def recovered(self) -> Decimal:
        return sum((one.amount_recovered or Decimal(0) for one in self._matter), Decimal(0))

    @cached_property
    def owed_money(self) -> Decimal:
        return max((self.appeal.amount_at_stake or Decimal(0)) - self.recovered, Decimal(0))

    @cached_property
    def calculation(self) -> list[tuple[str, str]]:
        """The lines of the sum and its total, or nothing where no money is claimed."""
        if not self.owed_money or self.appeal.amount_at_stake is None:
            return []
        lines = [(_("Claimed in the appeal"), speech.digits(self.appeal.amount_at_stake))]
        if self.recovered:
            lines.append((_("Recovered from the marketplace"), f"−{speech.digits(self.recovered)}"))
        return [*lines, (_("Total to be paid"), speech.digits(self.owed_money))]

    @cached_property
    def claims_money(self) -> bool:
        return self.kind in (Letter.COMPLAINT, Letter.CLAIM) and bool(self.calculation)

    # What the directory knows

    @cached_property
    def step(self) -> EscalationStep | None:
        """The step of the marketplace's path that this letter is for, with whether the appeal has taken it."""
        path = EscalationStep.objects.sellers_path(self.appeal.shop.marketplace).filter(letter=self.kind)
        taken = Event.objects.standing().filter(appeal=self.appeal, kind=Event.Kind.ESCALATED, step=OuterRef("pk"))
        return path.annotate(is_taken=Exists(taken)).select_related("verified_by", "channel__marketplace").first()

    @cached_property
    def available_from(self) -> str:
        """From which day the step can be taken, while that day is ahead."""
        first: date | None = self.step.available_from if self.step else None
        return date_format(first, "DATE_FORMAT") if first and first > localdate(self.now) else ""

    @cached_property
    def grounds(self) -> EscalationStep | None:
        """The same, noted among what the letter rests on."""
        if self.step:
            self.sources.use_step(self.step)
        return self.step

    def _term(self) -> str:
        if self.step is None or self.step.term_amount is None:
            return ""
        text = speech.within(self.step.term_amount, self.step.term_unit)
        if self.sources.use_step(self.step):
            return text
        return f"{text} [{_('not confirmed: compare with the law')}]"

    def _fact_of_marketplace(self, field: str) -> str:
        place = self.appeal.shop.marketplace
        value = clean(str(getattr(place, field))).strip()
        if value and not self.sources.use_fact(place, field):
            return f"{value} [{_('not confirmed: compare with the contract')}]"
        return value


def _end(clock: Deadline) -> str:
    """When the term is over: a day of the clock's own zone, or a moment."""
    if not Unit(clock.unit).in_days:
        return speech.instant(clock.due_at)
    with timezone.override(ZoneInfo(clock.time_zone)):
        return wording.day(clock.due_at - _INSTANT)
