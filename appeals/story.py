"""How a line of the timeline is said, on the page of an appeal and in an evidence pack: active language and zone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appeals import wording
from appeals.models import Appeal, Deadline, Event
from marketplaces.amounts import roubles

CLOCKS = {
    Deadline.Kind.FIRST_REPLY: gettext_lazy("First reply"),
    Deadline.Kind.ANSWER: gettext_lazy("Answer"),
    Deadline.Kind.OUR_REPLY: gettext_lazy("Our reply"),
    Deadline.Kind.ESCALATION: gettext_lazy("Term of the step"),
}
CHANGES = {
    "started": gettext_lazy("“%(clock)s” runs %(until)s"),
    "resumed": gettext_lazy("“%(clock)s” runs again, %(until)s"),
    "moved": gettext_lazy("“%(clock)s” moved: %(until)s"),
    "paused": gettext_lazy("“%(clock)s” stands still"),
    "met": gettext_lazy("“%(clock)s” met in time"),
    "missed": gettext_lazy("“%(clock)s” missed"),
    "cancelled": gettext_lazy("“%(clock)s” no longer counts"),
}


def title(event: Event) -> str:
    """What happened."""
    if event.kind == Event.Kind.REPLY:
        kind = Event.ReplyKind(event.reply_kind).label
        return _("The marketplace replied: %(kind)s") % {"kind": kind}
    if event.kind == Event.Kind.ESCALATED and event.step:
        return _("Escalated: %(step)s") % {"step": event.step}
    if event.kind == Event.Kind.RESOLVED:
        return _("Resolved: %(outcome)s") % {"outcome": Appeal.Outcome(event.data["outcome"]).label}
    if event.kind == Event.Kind.UNDONE:
        return _("Undone: %(what)s") % {"what": Event.Kind(event.data["what"]).label}
    return capfirst(str(event.get_kind_display())) or ""


def details(event: Event) -> Iterator[str]:
    """What changed by it: fields, numbers, money, clocks."""
    data = event.data
    for name, (was, now) in data.get("changed", {}).items():
        label = capfirst(str(Appeal._meta.get_field(name).verbose_name))  # type: ignore[union-attr]
        yield f"{label}: {_short(was)} → {_short(now)}"
    if number := data.get("external_number"):
        yield _("Number at the marketplace: %(number)s") % {"number": number}
    if amount := data.get("amount_recovered"):
        yield _("Recovered: %(money)s") % {"money": roubles(Decimal(amount))}
    if event.kind == Event.Kind.SNOOZED:
        until = parse_datetime(data.get("until") or "")
        yield _("No reminders until %(moment)s") % {"moment": wording.moment(until)} if until else _("Reminders again")
    if event.kind == Event.Kind.ATTACHED:
        yield data["name"]
    if event.kind == Event.Kind.REMINDED:
        yield f"{data['recipient']} · {CLOCKS[Deadline.Kind(data['deadline'])]}"
    for change in data.get("deadlines", []):
        yield _change(change)


def _change(change: dict[str, Any]) -> str:
    due = parse_datetime(change["due_at"])
    words = {"clock": CLOCKS[Deadline.Kind(change["kind"])], "until": wording.until(due) if due else ""}
    text = str(CHANGES[change["change"]] % words)
    return f"{text} ({change['why']})" if change.get("why") else text


def _short(value: object) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = "" if value is None else str(value)
    return f"{text[:80]}…" if len(text) > 80 else text or "—"
