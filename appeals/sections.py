"""One appeal of a mail: how its clocks stand, what was promised, what comes next, and a text to press on with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache, cached_property

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appeals import letters, wording
from appeals.models import Appeal, Deadline, Reminder
from appeals.next_steps import NextSteps
from marketplaces.amounts import amount_text
from marketplaces.models import EscalationStep, Marketplace

Kind = Deadline.Kind
_MORNING = time(9)


@dataclass(frozen=True)
class Late:
    """One clock of an appeal: how it stands, and what was promised."""

    headline: str
    promised: str
    is_late: bool


@dataclass(frozen=True)
class Step:
    """The escalation step that comes next, with where to take it and whether somebody is there now."""

    heading: str
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
    why: tuple[str, str]
    first_promise: str = ""
    listed: str = ""
    """The numbers, where it is more than one."""

    @property
    def marketplace(self) -> Marketplace:
        return self.appeal.shop.marketplace

    @property
    def title(self) -> str:
        return one_line(self.appeal.subject)

    @property
    def about(self) -> str:
        """What stands over it."""
        return f"№ {self.appeal.pk}. {self.title}"

    @cached_property
    def turn(self) -> str:
        """Whose it is, as a line of the mail says it."""
        return _("turn: %(turn)s") % {"turn": self._whose}

    @property
    def _whose(self) -> str:
        return str(self.appeal.turn.label)


@dataclass(frozen=True)
class IncidentSection(Section):
    """Several appeals of one incident to one marketplace: told once, with their numbers."""

    count: int = 0
    turns: Sequence[str] = ()

    @property
    def about(self) -> str:
        return _of_many(self.appeal, self.count)

    @property
    def _whose(self) -> str:
        """Of each of them, where they have come to differ."""
        return ", ".join(self.turns)


def section(rows: Sequence[Reminder], steps: NextSteps, now: datetime) -> Section:
    deadlines = {row.deadline_id: row.deadline for row in rows}
    appeal = rows[0].deadline.appeal
    is_ours = all(deadline.kind == Kind.OUR_REPLY for deadline in deadlines.values())
    if len(numbers := {deadline.appeal_id for deadline in deadlines.values()}) > 1:
        return _of_incident(rows, list(deadlines.values()), sorted(numbers), steps, now)
    return Section(
        appeal=appeal,
        clocks=[_clock(deadline, steps, now) for deadline in deadlines.values()],
        step=None if is_ours else _step(steps.of(appeal), now),
        follow_up=letters.follow_up(appeal, deadlines.values(), now, steps.directory.is_listed),
        links=_links(appeal, is_ours, now),
        is_ours=is_ours,
        why=_why(rows[0]),
        first_promise=steps.first_promise(appeal, now),
    )


def _of_incident(
    rows: Sequence[Reminder],
    deadlines: Sequence[Deadline],
    numbers: Sequence[int],
    steps: NextSteps,
    now: datetime,
) -> Section:
    """Of each kind the clock that stands worst; what to do next is that of the first appeal.

    The text to paste is of the first appeal that is late, and names the others of its shop.
    """
    appeal = deadlines[0].appeal
    worst = [
        min((one for one in deadlines if one.kind == kind), key=lambda one: one.due_at)
        for kind in dict.fromkeys(one.kind for one in deadlines)
    ]
    is_ours = all(one.kind == Kind.OUR_REPLY for one in worst)
    return IncidentSection(
        appeal=appeal,
        clocks=[_clock(one, steps, now) for one in worst],
        step=None if is_ours else _step(steps.of(appeal), now),
        follow_up=_follow_up(deadlines, steps, now),
        links=_links_of_incident(appeal, is_ours, now),
        is_ours=is_ours,
        why=_why(rows[0]),
        listed=_runs(numbers),
        count=len(numbers),
        turns=sorted({str(one.appeal.turn.label) for one in deadlines}),
    )


def _follow_up(deadlines: Sequence[Deadline], steps: NextSteps, now: datetime) -> str:
    late = [one for one in deadlines if one.kind != Kind.OUR_REPLY and one.is_late(now)]
    if not late:
        return ""
    appeal = late[0].appeal
    clocks = [one for one in late if one.appeal_id == appeal.pk]
    theirs = {one.appeal_id: one.appeal for one in late if one.appeal.shop_id == appeal.shop_id}
    others = [theirs[pk] for pk in sorted(theirs) if pk != appeal.pk]
    return letters.follow_up(appeal, clocks, now, steps.directory.is_listed, others=others)


def _runs(numbers: Iterable[int]) -> str:
    """Numbers in their order, runs of them as "12-40"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)


def _why(row: Reminder) -> tuple[str, str]:
    """What makes the reader one to be told, and the page that explains it."""
    words = _("You are told as: %(role)s.") % {"role": row.get_role_display()}
    if row.rule:
        words += " " + _("Rule: %(rule)s.") % {"rule": row.rule.when}
    return words, _url("admin:appeals_reminder_change", row.pk)


def _links(appeal: Appeal, is_ours: bool, now: datetime) -> list[tuple[str, str]]:
    """What the reader may want to do next; each address leads through the log-in. The first is the appeal itself."""
    page = _("Open the appeal"), _page_of(appeal, is_many=False)
    return [page, *_deeds(lambda verb: _url("admin:appeals_appeal_verb", appeal.pk, verb) + "?", is_ours, now)]


def _links_of_incident(appeal: Appeal, is_ours: bool, now: datetime) -> list[tuple[str, str]]:
    """The same is done to all appeals of the incident to this marketplace, after a look at them."""
    page = _("Open the incident"), _page_of(appeal, is_many=True)
    which = f"incident={appeal.incident_id}&marketplace={appeal.shop.marketplace.slug}&"
    return [page, *_deeds(lambda verb: f"{_many(verb)}?{which}", is_ours, now)]


def _deeds(page: Callable[[str], str], is_ours: bool, now: datetime) -> list[tuple[str, str]]:
    """`page` gives the address of a verb, so far that a query can follow."""
    words, verb = (_("We wrote"), "message") if is_ours else (_("They replied"), "record_reply")
    snooze = f"{page('snooze')}until={tomorrow_morning(now):%Y-%m-%dT%H:%M}"
    return [(words, page(verb).rstrip("?&")), (_("Snooze until tomorrow morning"), snooze)]


def brief(rows: Sequence[Reminder], now: datetime) -> dict[str, str]:
    """One line on an appeal, or on an incident with the clock that is the most urgent."""
    appeal = rows[0].deadline.appeal
    count = len({row.deadline.appeal_id for row in rows})
    about = _of_many(appeal, count) if count > 1 else f"№ {appeal.pk}: {one_line(appeal.subject)}"
    return {
        "title": f"{appeal.shop.marketplace}, {about}",
        "headline": _headline(rows[0].deadline, now),
        "url": _page_of(appeal, is_many=count > 1),
    }


def _of_many(appeal: Appeal, count: int) -> str:
    """What an incident is called over its appeals."""
    text = ngettext("Incident “%(title)s”: %(count)d appeal", "Incident “%(title)s”: %(count)d appeals", count)
    return text % {"title": one_line(str(appeal.incident)), "count": count}


def _clock(deadline: Deadline, steps: NextSteps, now: datetime) -> Late:
    term = {"amount": amount_text(deadline.amount, deadline.unit), "until": wording.until(deadline.due_at, now)}
    ours = deadline.kind == Kind.OUR_REPLY
    promised = (_("Our term: %(amount)s, %(until)s.") if ours else _("Promised: %(amount)s, %(until)s.")) % term
    if deadline.source:
        promised += " " + _("Source: %(source)s.") % {"source": steps.directory.cite(deadline.source)}
    return Late(headline=_headline(deadline, now), promised=promised, is_late=deadline.is_late(now))


def _headline(deadline: Deadline, now: datetime) -> str:
    return _("%(what)s: %(standing)s") % {"what": _awaited(deadline), "standing": _standing(deadline, now)}


def _awaited(deadline: Deadline) -> str:
    match deadline.kind:
        case Kind.FIRST_REPLY:
            return _("No first reply")
        case Kind.ANSWER:
            return _("No answer")
        case Kind.OUR_REPLY:
            return _("They wait for our reply")
    return _("No answer to the step “%(step)s”") % {"step": deadline.step}


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
        heading=_("Next step: %(name)s") % {"name": step.text("name")},
        when=step.text("when_to_take"),
        instructions=short(step.text("instructions"), 400),
        place=", ".join(part for part in (channel.text("name"), channel.address) if part) if channel else "",
        opens=wording.open_now(channel, now) if channel else "",
    )


def _page_of(appeal: Appeal, *, is_many: bool) -> str:
    """Its own, or that of the incident which stands for many."""
    if is_many:
        return _url("admin:appeals_incident_change", appeal.incident_id)
    return _url("admin:appeals_appeal_change", appeal.pk)


def _many(verb: str) -> str:
    return settings.BASE_URL + reverse("admin:appeals_appeal_many", args=[verb])


def _url(page: str, pk: int | None, *more: str) -> str:
    return settings.BASE_URL + _path(page, *more).format(pk)


@cache
def _path(page: str, *more: str) -> str:
    """With a place for the number: to look up an address costs more than to render a line."""
    return reverse(page, args=[0, *more]).replace("/0/", "/{}/")


def tomorrow_morning(now: datetime) -> datetime:
    """Nine o'clock tomorrow by the reader's wall clock."""
    return datetime.combine(timezone.localtime(now).date() + timedelta(days=1), _MORNING)


def short(text: str, length: int) -> str:
    """Cut to so many characters. Django counts one by one what fits anyway, too."""
    return text if len(text) <= length else Truncator(text).chars(length)


def one_line(text: str) -> str:
    return " ".join(text.split())
