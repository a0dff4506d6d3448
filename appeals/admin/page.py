"""What the page of an appeal shows: its clocks, its timeline and the next step, each as rows ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from appeals import deadlines, lifecycle, story, wording
from appeals.models import Appeal, Deadline, Event
from marketplaces import addresses
from marketplaces.amounts import amount_text
from marketplaces.citing import Keys, Said
from marketplaces.models import Channel, EscalationStep, State
from marketplaces.pages.parts import TONES as STATES

ICONS = {
    Event.Kind.CREATED: "note_add",
    Event.Kind.EDITED: "edit",
    Event.Kind.SUBMITTED: "send",
    Event.Kind.REPLY: "call_received",
    Event.Kind.MESSAGE: "call_made",
    Event.Kind.ESCALATED: "trending_up",
    Event.Kind.RESOLVED: "task_alt",
    Event.Kind.REOPENED: "restart_alt",
    Event.Kind.SNOOZED: "notifications_paused",
    Event.Kind.DEADLINE: "timer",
    Event.Kind.ATTACHED: "attach_file",
    Event.Kind.REMINDED: "mail",
    Event.Kind.UNDONE: "undo",
    Event.Kind.EXPORTED: "folder_zip",
}


class ClockRow(NamedTuple):
    name: str
    standing: str
    due: str
    promise: str
    sources: list[Said]
    percent: int
    tone: str
    live: bool


class Line(NamedTuple):
    """One line of the timeline."""

    icon: str
    title: str
    who: str
    at: datetime
    recorded_at: datetime | None
    text: str
    details: list[str]
    ours: bool
    other: Appeal | None
    """The appeal of the matter that it belongs to, where that is not the one of the page."""
    event: Event
    undone: bool


def clocks(appeal: Appeal, now: datetime, cite: Keys) -> list[ClockRow]:
    """Live clocks by due time, then those that ended, the latest first. `cite` says what their sources are."""
    rows = list(appeal.deadlines.select_related("step"))
    live = sorted((row for row in rows if row.is_live), key=lambda row: row.due_at)
    ended = sorted((row for row in rows if not row.is_live), key=lambda row: row.ended_at or now, reverse=True)
    taken_over = {row.started_at for row in rows}
    return [_clock(row, now, cite, row.ended_at in taken_over) for row in [*live, *ended]]


def timeline(appeal: Appeal, matter: Sequence[Appeal], cite: Keys) -> list[Line]:
    """What happened in the whole matter, the latest first: what happened last decides what to do now."""
    others = {one.pk: one for one in matter if one.pk != appeal.pk}
    events = Event.objects.filter(appeal__in=[appeal.pk, *others]).defer("snapshot__before")
    events = events.select_related("actor", "step", "undone_by", "snapshot")
    return [_line(event, others.get(event.appeal_id), cite) for event in events.order_by("-at", "-id")]


def next_step(appeal: Appeal, step: EscalationStep | None, now: datetime) -> dict[str, Any] | None:
    """The step that comes next, with where it is taken and whether somebody is there. It is for now only where an
    answer is late."""
    if step is None:
        return None
    title = _("Next step")
    if not appeal.overdue_by(now):
        later = appeal.status == Appeal.Status.OUR_TURN
        title = _("If they do not answer after that") if later else _("If they do not answer in time")
    return {
        "title": title,
        "name": step.text("name"),
        "state": step.get_state_display() if step.state != State.WORKING else "",
        "tone": STATES[State(step.state)],
        "when": step.text("when_to_take"),
        "how": step.text("instructions"),
        "attach": step.text("attach"),
        "term": amount_text(step.term_amount, step.term_unit) if step.term_amount else "",
        **place(step.channel, now),
    }


def place(channel: Channel | None, now: datetime) -> dict[str, str]:
    """Where something is sent, and whether somebody is there; nothing where the directory knows no place."""
    if channel is None:
        return {}
    return {
        "place": channel.text("name"),
        "address": channel.address,
        "link": addresses.link(channel),
        "open": wording.open_now(channel, now),
    }


def unfit(appeal: Appeal, verb: str) -> str:
    """Why the state does not allow the verb; nothing if it does."""
    states = lifecycle.STATES.get(verb, (appeal.status,))
    return "" if appeal.status in states else str(lifecycle.StateError(appeal.status, states))


def likely(appeal: Appeal, now: datetime) -> str:
    """The verb that the page draws as its main button."""
    if appeal.status == Appeal.Status.WAITING:
        return "escalate" if appeal.overdue_by(now) else "record_reply"
    mains = {Appeal.Status.DRAFT: "submit", Appeal.Status.OUR_TURN: "message", Appeal.Status.RESOLVED: "reopen"}
    return mains[Appeal.Status(appeal.status)]


def _clock(deadline: Deadline, now: datetime, cite: Keys, taken_over: bool) -> ClockRow:
    standing = wording.standing(deadline, now)
    if taken_over and deadline.state == Deadline.State.MISSED and deadline.met_at is None:
        standing = _("overdue by %(amount)s at the escalation") % {"amount": wording.lateness(deadline, now)}
    return ClockRow(
        name=_name(deadline),
        standing=capfirst(standing) or "",
        due=_due(deadline, now),
        promise=amount_text(deadline.amount, deadline.unit),
        sources=cite.said(deadline.source),
        percent=max(0, min(100, round(100 * deadlines.share(deadline, now)))),
        tone=_tone(deadline, now),
        live=deadline.is_live,
    )


def _name(deadline: Deadline) -> str:
    name = str(story.CLOCKS[Deadline.Kind(deadline.kind)])
    return _("%(clock)s “%(step)s”") % {"clock": name, "step": deadline.step.text("name")} if deadline.step else name


def _due(deadline: Deadline, now: datetime) -> str:
    """A clock that stands is due at no moment yet."""
    if deadline.state == Deadline.State.PAUSED and deadline.paused_at:
        return capfirst(_("stopped at %(moment)s") % {"moment": wording.moment(deadline.paused_at, now)})
    return capfirst(wording.until(deadline.due_at, now))


def _tone(deadline: Deadline, now: datetime) -> str:
    if deadline.state in (Deadline.State.MISSED,) or deadline.is_late(now):
        return "late"
    if deadline.state == Deadline.State.RUNNING:
        return "soon" if deadlines.share(deadline, now) >= 0.75 else "running"
    return "met" if deadline.state == Deadline.State.MET else "still"


def _line(event: Event, other: Appeal | None, cite: Keys) -> Line:
    logged_later = event.at != event.recorded_at
    return Line(
        icon=ICONS[Event.Kind(event.kind)],
        title=story.title(event),
        who=str(event.actor) if event.actor else pgettext("who did it", "the hub"),
        at=event.at,
        recorded_at=event.recorded_at if logged_later else None,
        text=event.text,
        details=list(story.details(event, cite)),
        ours=event.kind not in (Event.Kind.REPLY, Event.Kind.REMINDED, Event.Kind.DEADLINE),
        other=other,
        event=event,
        undone=hasattr(event, "undone_by"),
    )
