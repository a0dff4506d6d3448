"""One appeal of a mail: how its clocks stand, what was promised, what comes next, and a text to press on with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from appeals import wording
from appeals.escalation import Paths
from appeals.models import Appeal, Deadline, Event, Reminder
from marketplaces.amounts import amount_text
from marketplaces.models import EscalationStep, Marketplace

Kind = Deadline.Kind
_MORNING = time(9)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Late:
    """One clock of an appeal: how it stands, and what was promised."""

    headline: str
    promised: str
    is_late: bool


@dataclass(frozen=True)
class Step:
    """The escalation step that comes next, with where to take it and whether somebody is there now."""

    name: str
    when: str
    instructions: str
    place: str
    opens: str


@dataclass(frozen=True)
class Section:
    """One appeal of the mail."""

    appeal: Appeal
    clocks: list[Late]
    step: Step | None
    follow_up: str
    links: list[tuple[str, str]]
    is_ours: bool

    @property
    def marketplace(self) -> Marketplace:
        return self.appeal.shop.marketplace

    @property
    def title(self) -> str:
        return one_line(self.appeal.subject)


class NextSteps:
    """The escalation step that each of some appeals has before it, read for all of them at once."""

    def __init__(self, appeals: Iterable[Appeal], now: datetime) -> None:
        self._paths = Paths(timezone.localdate(now))
        self._taken: dict[int, list[Event]] = defaultdict(list)
        ids = {appeal.pk for appeal in appeals}
        for event in Event.objects.filter(appeal__in=ids, kind=Event.Kind.ESCALATED).select_related("step"):
            self._taken[event.appeal_id].append(event)

    def of(self, appeal: Appeal) -> EscalationStep | None:
        return self._paths.next(appeal, self._taken[appeal.pk])


def section(rows: Sequence[Reminder], steps: NextSteps, now: datetime) -> Section:
    deadlines = {row.deadline_id: row.deadline for row in rows}
    appeal = rows[0].deadline.appeal
    is_ours = all(deadline.kind == Kind.OUR_REPLY for deadline in deadlines.values())
    return Section(
        appeal=appeal,
        clocks=[_clock(deadline, now) for deadline in deadlines.values()],
        step=None if is_ours else _step(steps.of(appeal), now),
        follow_up=_follow_up(appeal, list(deadlines.values()), now),
        links=_links(appeal, is_ours, now),
        is_ours=is_ours,
    )


def _links(appeal: Appeal, is_ours: bool, now: datetime) -> list[tuple[str, str]]:
    """What the reader may want to do next; each address leads through the log-in. The first is the appeal itself."""
    did = (
        (_("We wrote"), _verb_url(appeal, "message"))
        if is_ours
        else (_("They replied"), _verb_url(appeal, "record_reply"))
    )
    snooze = f"{_verb_url(appeal, 'snooze')}?until={_tomorrow(now):%Y-%m-%dT%H:%M}"
    return [
        (_("Open the appeal"), settings.BASE_URL + appeal.get_absolute_url()),
        did,
        (_("Snooze until tomorrow morning"), snooze),
    ]


def brief(rows: Sequence[Reminder], now: datetime) -> dict[str, str]:
    appeal = rows[0].deadline.appeal
    return {
        "title": f"{appeal.shop.marketplace}, № {appeal.pk}: {one_line(appeal.subject)}",
        "headline": _clock(rows[0].deadline, now).headline,
        "url": settings.BASE_URL + appeal.get_absolute_url(),
    }


def _clock(deadline: Deadline, now: datetime) -> Late:
    what = {
        Kind.FIRST_REPLY: _("No first reply"),
        Kind.ANSWER: _("No answer"),
        Kind.OUR_REPLY: _("They wait for our reply"),
        Kind.ESCALATION: _("No answer to the step “%(step)s”") % {"step": deadline.step},
    }[Kind(deadline.kind)]
    term = {"amount": amount_text(deadline.amount, deadline.unit), "until": wording.until(deadline.due_at, now)}
    ours = deadline.kind == Kind.OUR_REPLY
    promised = (_("Our term: %(amount)s, %(until)s.") if ours else _("Promised: %(amount)s, %(until)s.")) % term
    if deadline.source:
        promised += " " + _("Source: %(source)s.") % {"source": deadline.source}
    return Late(
        headline=_("%(what)s: %(standing)s") % {"what": what, "standing": _standing(deadline, now)},
        promised=promised,
        is_late=deadline.is_late(now),
    )


def _standing(deadline: Deadline, now: datetime) -> str:
    if timedelta(0) <= now - deadline.due_at < timedelta(minutes=1):
        return _("the term has just run out")
    if now < deadline.due_at:
        return _("%(length)s left") % {"length": wording.span(deadline.due_at - now)}
    return wording.standing(deadline, now)


def _step(step: EscalationStep | None, now: datetime) -> Step | None:
    if step is None:
        return None
    channel = step.channel
    return Step(
        name=step.text("name"),
        when=step.text("when_to_take"),
        instructions=Truncator(step.text("instructions")).chars(400),
        place=", ".join(part for part in (channel.text("name"), channel.address) if part) if channel else "",
        opens=wording.open_now(channel, now) if channel else "",
    )


def _follow_up(appeal: Appeal, deadlines: Sequence[Deadline], now: datetime) -> str:
    """A text to paste into the marketplace's form: in Russian, whatever the reader's language, in its own time."""
    late = {one.kind: one for one in deadlines if one.is_late(now)}
    missed = late.get(Kind.ESCALATION) or late.get(Kind.ANSWER) or late.get(Kind.FIRST_REPLY)
    if missed is None:
        return ""
    with translation.override("ru"), timezone.override(ZoneInfo(missed.time_zone)):
        context = {
            "appeal": appeal,
            "sent": wording.day(missed.started_at),
            "promise": amount_text(missed.amount, missed.unit),
            "ended": wording.day(missed.due_at - _INSTANT),
            "is_first": missed.kind == Kind.FIRST_REPLY,
            "step": missed.step,
        }
        return render_to_string("emails/follow_up.txt", context).strip()


def _verb_url(appeal: Appeal, verb: str) -> str:
    return settings.BASE_URL + reverse("admin:appeals_appeal_verb", args=[appeal.pk, verb])


def _tomorrow(now: datetime) -> datetime:
    """Nine o'clock tomorrow by the reader's wall clock."""
    return datetime.combine(timezone.localtime(now).date() + timedelta(days=1), _MORNING)


def one_line(text: str) -> str:
    return " ".join(text.split())
