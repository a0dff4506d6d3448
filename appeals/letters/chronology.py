"""What happened in a matter, as a stranger may read it: moves and broken terms, without our notes to ourselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.text import Truncator

from appeals import wording
from appeals.letters import speech
from appeals.letters.sources import TRUSTED, grade, published
from appeals.models import Appeal, Deadline, Event
from marketplaces.amounts import amount_text

LONGEST_QUOTE = 500
_INSTANT = timedelta(microseconds=1)
_OURS = (Event.Kind.SUBMITTED, Event.Kind.MESSAGE, Event.Kind.ESCALATED, Event.Kind.REOPENED)


class Line(NamedTuple):
    """One line; `what` is the kind of a reply or of an event, or `missed` for a term that ran out."""

    at: datetime
    what: str
    day: str
    appeal: str
    text: str = ""
    number: str = ""
    channel: str = ""
    step: str = ""
    amount: str = ""
    money: str = ""
    confirmed: bool = True


def events(matter: Sequence[Appeal]) -> list[Event]:
    """The moves of all appeals of a matter, oldest first."""
    moves = Event.objects.standing().filter(appeal__in=[one.pk for one in matter], kind__in=Event.MOVES)
    return list(moves.select_related("step").order_by("at", "id"))


def moves(lines: Iterable[Event]) -> list[Event]:
    """The moves among lines that are at hand with `undone_by`, oldest first."""
    found = (line for line in lines if line.kind in Event.MOVES and line.is_standing)
    return sorted(found, key=lambda line: (line.at, line.pk))


def broken(matter: Sequence[Appeal], now: datetime) -> list[Deadline]:
    """The terms of the marketplace that ran out, as far as a listed source promises them."""
    clocks = Deadline.objects.filter(appeal__in=[one.pk for one in matter]).exclude(kind=Deadline.Kind.OUR_REPLY)
    missed = [clock for clock in clocks.select_related("step", "target") if clock.overdue_by(now)]
    promised = published(clock.source for clock in missed)
    return [clock for clock in missed if clock.source in promised]


def lines(matter: Sequence[Appeal], moves: Iterable[Event], missed: Iterable[Deadline]) -> list[Line]:
    appeals = {one.pk: one for one in matter}
    found = [_line(event, appeals[event.appeal_id]) for event in moves]
    found += [_missed(clock, appeals[clock.appeal_id]) for clock in missed]
    return sorted(found, key=lambda line: line.at)


def last_reply(moves: Sequence[Event]) -> Event | None:
    """The last stock phrase since we wrote last, else the last reply that is no automatic receipt."""
    replies = [one for one in moves if one.reply_kind and one.reply_kind != Event.ReplyKind.ACKNOWLEDGEMENT]
    return brush_off(moves) or next(reversed(replies), None)


def brush_off(moves: Sequence[Event]) -> Event | None:
    """The last stock phrase, if we have not written since."""
    for event in reversed(moves):
        if event.reply_kind == Event.ReplyKind.BRUSH_OFF:
            return event
        if event.kind in _OURS or event.reply_kind == Event.ReplyKind.ANSWER:
            return None
    return None


def quote(text: str, longest: int = LONGEST_QUOTE) -> str:
    """A text on one line, cut where it is long, and seen to be cut."""
    return Truncator(" ".join(text.split())).chars(longest, truncate=" …")


def _line(event: Event, appeal: Appeal) -> Line:
    told = event.kind in (Event.Kind.REPLY, Event.Kind.MESSAGE)
    sent = event.kind == Event.Kind.SUBMITTED
    return Line(
        at=event.at,
        what=event.data["outcome"] if event.kind == Event.Kind.RESOLVED else event.reply_kind or event.kind,
        day=wording.day(event.at),
        appeal=" ".join(appeal.subject.split()),
        text=quote(event.text) if told else "",
        number=event.data.get("external_number", "") or (appeal.external_number if sent else ""),
        channel=appeal.channel.text("name") if sent and appeal.channel else "",
        step=str(event.step or ""),
        money=speech.digits(Decimal(recovered)) if (recovered := event.data.get("amount_recovered")) else "",
    )


def _missed(clock: Deadline, appeal: Appeal) -> Line:
    end = clock.due_at - _INSTANT
    with timezone.override(ZoneInfo(clock.time_zone)):
        day = wording.day(end)
    return Line(
        at=end,
        what="missed_first" if clock.kind == Deadline.Kind.FIRST_REPLY else "missed",
        day=day,
        appeal=" ".join(appeal.subject.split()),
        step=str(clock.step or ""),
        amount=amount_text(clock.amount, clock.unit),
        confirmed=grade(clock) in TRUSTED,
    )
