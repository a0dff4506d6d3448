"""What an evidence pack says in words: chronology, texts, the list of its files. Active language and time zone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.text import Truncator, capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from appeals import documents, story, wording
from appeals.documents import Paragraph, Table
from appeals.models import Appeal, Deadline, Event, Reminder
from marketplaces.amounts import amount_text
from marketplaces.citing import Citations

_QUOTE = 1500
_TEXTS = ("subject", "body", "desired_outcome")


def events(appeals: Sequence[Appeal]) -> list[Event]:
    """All that happened, the oldest first; that somebody took a pack is no part of a pack."""
    found = Event.objects.filter(appeal__in=[one.pk for one in appeals]).exclude(kind=Event.Kind.EXPORTED)
    return list(found.select_related("actor", "step", "undone_by").order_by("at", "id"))


def as_of(appeals: Sequence[Appeal], told: Sequence[Event]) -> datetime:
    """The moment up to which a pack tells: the last one at which something was noted."""
    return max([one.recorded_at for one in told] + [one.created_at for one in appeals])


def mails(appeal: Appeal) -> list[Reminder]:
    """The reminders that were sent about the appeal, or that could not be."""
    states = (Reminder.State.SENT, Reminder.State.FAILED)
    found = Reminder.objects.filter(deadline__appeal=appeal, state__in=states).select_related("deadline")
    return list(found.order_by("created_at", "id"))


def of(appeal: Appeal) -> bytes:
    """What we asked, as it reads now; what it read before stands with the edits."""
    parts = [
        _("Appeal No. %(number)s") % {"number": appeal.pk},
        *_facts(appeal),
        "",
        appeal.body,
    ]
    if appeal.desired_outcome:
        parts += ["", _("Desired outcome"), appeal.desired_outcome]
    return _text(parts)


def of_event(event: Event) -> bytes | None:
    """The whole text of what was said, or what a text read before and after an edit; None where there is none."""
    edits = {name: pair for name, pair in event.data.get("changed", {}).items() if name in _TEXTS}
    if not event.text and not edits:
        return None
    parts = [_title(event), f"{_moment(event.at)}, {_who(event)}", *_later(event), "", event.text]
    for name, (was, now) in edits.items():
        label = capfirst(str(Appeal._meta.get_field(name).verbose_name))  # type: ignore[union-attr]
        parts += [f"{label} — {_('before')}:", str(was or ""), "", f"{label} — {_('after')}:", str(now or ""), ""]
    return _text(parts)


def of_mails(sent: Iterable[Reminder]) -> bytes:
    """One paragraph for each mail: when, to whom, of which term, under which Message-ID."""
    parts = [_("Reminders that the hub sent to the team, each a mail."), ""]
    for row in sent:
        parts += [
            f"{_moment(row.sent_at or row.created_at)} — {row.address or '—'}, {row.get_state_display()}",
            f"{capfirst(row.deadline.get_kind_display())}, {wording.until(row.due_at)}",
            *([f"Message-ID: {row.message_id}"] if row.message_id else []),
            "",
        ]
    return _text(parts)


def chronology(appeals: Sequence[Appeal], told: Sequence[Event], at: datetime) -> bytes:
    """The chronology as a Word document."""
    shop = appeals[0].shop
    numbers = ", ".join(f"№ {one.pk}" for one in appeals)
    title = _("Chronology: %(marketplace)s, %(numbers)s") % {"marketplace": shop.marketplace, "numbers": numbers}
    sender = ", ".join(part for part in (shop.legal_name or shop.name, _legal(shop)) if part)
    blocks: list[documents.Block] = [
        Paragraph(title, "title"),
        Paragraph(_("Seller: %(seller)s. Marketplace: %(marketplace)s.") % _parties(appeals[0], sender)),
        Paragraph(_("Times: %(zone)s. As of %(moment)s.") % {"zone": _zone(at), "moment": _moment(at)}, "note"),
    ]
    for appeal in appeals:
        blocks += [Paragraph(f"№ {appeal.pk}. {appeal.subject}", "heading"), *map(Paragraph, _facts(appeal))]
    cite = Citations()
    blocks += [Paragraph(_("What happened"), "heading"), _happened(told, cite)]
    if clocks := list(Deadline.objects.filter(appeal__in=appeals).select_related("step").order_by("started_at", "id")):
        blocks += [Paragraph(_("Terms"), "heading"), _terms(clocks, cite)]
    return documents.docx(blocks, title=title, at=at, author=shop.legal_name or shop.name)


def manifest(appeals: Sequence[Appeal], written: Sequence[Any], missing: Sequence[Any], at: datetime) -> bytes:
    """The list of files for people; `sha256sum -c` reads its last part."""
    parts = [
        _("Evidence pack: appeals %(numbers)s") % {"numbers": ", ".join(f"№ {one.pk}" for one in appeals)},
        _("As of %(moment)s (%(zone)s). Each line below: SHA-256, then the file.")
        % {"moment": _moment(at), "zone": _zone(at)},
        "",
    ]
    parts += [_("MISSING in the storage: %(path)s") % {"path": one["path"]} for one in missing]
    changed = [one for one in written if one.get("sha256_when_added") not in (None, one["sha256"])]
    parts += [_("NOT the file that was added: %(path)s") % {"path": one["path"]} for one in changed]
    return _text([*parts, *(f"{one['sha256']}  {one['path']}" for one in written)])


def _facts(appeal: Appeal) -> list[str]:
    """One line each; only what is known."""
    named: list[tuple[str, object]] = [
        (_("Subject"), appeal.subject),
        (_("Topic"), appeal.topic),
        (_("Channel"), appeal.channel),
        (_("Number at the marketplace"), appeal.external_number),
        (_("Order numbers"), ", ".join(appeal.order_numbers)),
        (_("Product codes"), ", ".join(appeal.product_codes)),
        (_("At stake"), _money(appeal.amount_at_stake)),
        (_("Sent"), appeal.submitted_at and _moment(appeal.submitted_at)),
        (_("Resolved"), appeal.resolved_at and _moment(appeal.resolved_at)),
        (_("Outcome"), appeal.get_outcome_display()),
        (_("Recovered"), _money(appeal.amount_recovered)),
        (_("Earlier appeal"), appeal.previous_id and f"№ {appeal.previous_id}"),
    ]
    return [f"{label}: {value}" for label, value in named if value]


def _happened(told: Iterable[Event], cite: Citations) -> Table:
    rows = []
    for event in told:
        text = Truncator(event.text).chars(_QUOTE, truncate=" …")
        what = [_title(event), *_later(event), *([text] if text else []), *story.details(event, cite)]
        rows.append((_moment(event.at), str(event.appeal_id), "\n".join(what), _who(event)))
    return Table((_("When"), "№", _("What happened"), _("Who")), rows, (3, 1.5, 9, 3))


def _terms(clocks: Iterable[Deadline], cite: Citations) -> Table:
    rows = []
    for clock in clocks:
        name = str(story.CLOCKS[Deadline.Kind(clock.kind)]) + (f": {clock.step}" if clock.step else "")
        promise = amount_text(clock.amount, clock.unit) + (f" ({cite(clock.source)})" if clock.source else "")
        state = str(clock.get_state_display())
        if clock.ended_at and clock.state != Deadline.State.RUNNING:
            state += f", {_moment(clock.ended_at)}"
        if late := clock.ended_at and clock.overdue_by(clock.ended_at):
            state += f" ({_('late by %(amount)s') % {'amount': wording.lateness(clock, clock.due_at + late)}})"
        rows.append(
            (str(clock.appeal_id), name, promise, _moment(clock.started_at), wording.until(clock.due_at), state)
        )
    header = ("№", _("Term"), _("Promised"), _("Since"), _("Due"), _("How it ended"))
    return Table(header, rows, (1.5, 2.9, 3.2, 2.7, 2.7, 3.5))


def _legal(shop: Any) -> str:
    named = (("ИНН", shop.inn), ("ОГРН", shop.ogrn))
    return ", ".join(f"{label} {value}" for label, value in named if value)


def _parties(appeal: Appeal, sender: str) -> dict[str, str]:
    place = appeal.shop.marketplace
    return {"seller": sender, "marketplace": f"{place} ({place.legal_entity})" if place.legal_entity else str(place)}


def _title(event: Event) -> str:
    """What was noted by mistake stays, and says so."""
    title = story.title(event)
    return f"{title} ({_('undone')})" if hasattr(event, "undone_by") else title


def _who(event: Event) -> str:
    if event.kind == Event.Kind.REPLY:
        return str(_("the marketplace"))
    return str(event.actor) if event.actor else str(_("the hub"))


def _later(event: Event) -> list[str]:
    noted = _("noted %(moment)s") % {"moment": _moment(event.recorded_at)}
    return [noted] if event.at != event.recorded_at else []


def _moment(at: datetime) -> str:
    """ "05.10.2026 14:30"."""
    return date_format(localtime(at), "d.m.Y H:i")


def _zone(at: datetime) -> str:
    return f"{localtime(at).tzinfo}, {wording.zone(at)}"


def _money(amount: Any) -> str:
    return f"{number_format(amount, 2, force_grouping=True)} ₽" if amount is not None else ""


def _text(parts: Iterable[str]) -> bytes:
    """UTF-8 with a mark, so that every editor reads it, and the line ends of the trade."""
    text = "\n".join(parts).replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    return ("\ufeff" + text + "\n").encode("utf-8", "replace")
