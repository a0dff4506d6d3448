"""How a line of the timeline is said, on the page of an appeal and in an evidence pack: active language and zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appeals import promises, timeline, wording
from appeals.models import Appeal, Deadline, Event
from marketplaces.amounts import roubles
from marketplaces.naming import in_language, is_named

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
    if event.kind == Event.Kind.SNOOZED and not event.data.get("until"):
        return _("Reminders again")
    if event.kind == Event.Kind.UNDONE:
        return _("Undone: %(what)s") % {"what": Event.Kind(event.data["what"]).label}
    return capfirst(str(event.get_kind_display())) or ""


def name(field: str) -> str:
    """A field of an appeal as people know it."""
    return capfirst(str(Appeal._meta.get_field(field).verbose_name)) or ""  # type: ignore[union-attr]


def value(appeal: Appeal, field: str) -> str:
    """What an appeal has in a field."""
    return _value(Appeal._meta.get_field(field), timeline.plain(getattr(appeal, field)))


def edits(event: Event) -> Iterator[str]:
    """The fields that were edited, each from which value to which."""
    for changed, (was, now) in event.data.get("changed", {}).items():
        field: Any = Appeal._meta.get_field(changed)
        yield f"{name(changed)}: {_value(field, was)} → {_value(field, now)}"


def told(event: Event) -> Iterator[str]:
    """What may be said outside of its appeal, too: which fields were edited, who was reminded of which clock."""
    yield from edits(event)
    if event.kind == Event.Kind.REMINDED:
        yield f"{event.data['recipient']} · {CLOCKS[Deadline.Kind(event.data['deadline'])]}"


def details(event: Event, cite: Callable[[str], str]) -> Iterator[str]:
    """What changed by it: fields, numbers, money, clocks. `cite` says what the sources of promises are."""
    data = event.data
    yield from told(event)
    if number := data.get("external_number"):
        yield _("Number at the marketplace: %(number)s") % {"number": number}
    if amount := data.get("amount_recovered"):
        yield _("Recovered: %(money)s") % {"money": roubles(Decimal(amount))}
    if event.kind == Event.Kind.SNOOZED and (until := parse_datetime(data.get("until") or "")):
        yield _("No reminders until %(moment)s") % {"moment": wording.moment(until)}
    if event.kind == Event.Kind.ATTACHED:
        yield data["name"]
    for change in data.get("deadlines", []):
        yield _change(change, cite)


def in_reader_language(value: Any, cite: Callable[[str], str]) -> Any:
    """The data of an event for a program: names in the active language, and each promise in words as well."""
    if is_named(value):
        return in_language(value)
    if isinstance(value, dict):
        told = {name: in_reader_language(one, cite) for name, one in value.items()}
        return told | {"why": promises.said(value["promise"], cite)} if "promise" in value else told
    return [in_reader_language(one, cite) for one in value] if isinstance(value, list) else value


def _change(change: dict[str, Any], cite: Callable[[str], str]) -> str:
    due = parse_datetime(change["due_at"])
    words = {"clock": CLOCKS[Deadline.Kind(change["kind"])], "until": wording.until(due) if due else ""}
    text = str(CHANGES[change["change"]] % words)
    # what was noted before promises were kept as data has its sentence, in the language of whoever did it
    why = promises.said(change["promise"], cite) if "promise" in change else change.get("why")
    return f"{text} ({why})" if why else text


def _value(field: Any, value: Any) -> str:
    """What was chosen is said as it was on offer."""
    if is_named(value):
        return _short(in_language(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, DecimalField) and value is not None:
        return roubles(Decimal(value))
    return _short(dict(field.flatchoices).get(value, value) if field.choices else value)


def _short(value: object) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = "" if value is None else str(value)
    return f"{text[:80]}…" if len(text) > 80 else text or "—"
