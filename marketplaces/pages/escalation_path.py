"""The escalation path of a marketplace as a ladder, sellers' steps apart from buyers'."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from marketplaces.amounts import amount_text
from marketplaces.models import Audience, EscalationStep, Marketplace, State
from marketplaces.pages.parts import TONES, Place, place
from marketplaces.pages.references import Citation, References


@dataclass(frozen=True)
class Earlier:
    """A step that must come first."""

    anchor: str
    name: str


@dataclass(frozen=True)
class Step:
    anchor: str
    name: str
    where: str
    when: str
    place: Place | None
    how: str
    attach: str
    letter: str
    term: str
    ground: str
    after: list[Earlier]
    available_from: str
    is_special: bool
    state: str
    tone: str
    reason: str
    citation: Citation


def ladders(marketplace: Marketplace, at: datetime, references: References) -> list[dict[str, Any]]:
    """The steps in order, for sellers first. Reads them at once, however many there are."""
    rows = EscalationStep.objects.filter(marketplace=marketplace, retired_at=None).order_by("position", "id")
    related = ["channel__marketplace", "channel__verified_by", "verified_by"]
    steps = list(rows.select_related(*related).prefetch_related("requires"))
    parts = [
        (_("Steps for sellers"), "", (Audience.SELLERS, Audience.BOTH)),
        (
            _("Steps for buyers"),
            _("Sellers cannot take these; they are here so that nobody takes one for the other."),
            (Audience.BUYERS,),
        ),
        (_("Steps for others"), "", (Audience.OTHER,)),
    ]
    return [
        {"title": title, "note": note, "steps": [_step(step, at, references) for step in found]}
        for title, note, audiences in parts
        if (found := [step for step in steps if step.audience in audiences])
    ]


def _step(step: EscalationStep, at: datetime, references: References) -> Step:
    future = step.available_from and step.available_from > localdate(at)
    working = step.state == State.WORKING
    return Step(
        anchor=_anchor(step),
        name=step.text("name"),
        where=_where(step),
        when=step.text("when_to_take"),
        place=place(step.channel, at, references) if step.channel else None,
        how=step.text("instructions"),
        attach=step.text("attach"),
        letter=str(step.get_letter_display()) if step.letter else "",
        term=amount_text(step.term_amount, step.term_unit) if step.term_amount else "",
        ground=step.text("term_basis"),
        after=[Earlier(_anchor(earlier), earlier.text("name")) for earlier in step.requires.all()],
        available_from=date_format(step.available_from, "DATE_FORMAT") if future and step.available_from else "",
        is_special=not step.is_proposed,
        state="" if working else str(step.get_state_display()),
        tone=TONES[State(step.state)],
        reason=step.text("state_reason"),
        citation=references.cite(step, by=str(step.verified_by or "")),
    )


def _where(step: EscalationStep) -> str:
    """Nothing where the name says it already, or where it would say nothing."""
    where = str(step.get_takes_place_display())
    told = step.takes_place == EscalationStep.Place.OTHER or where.casefold() in step.text("name").casefold()
    return "" if told else where


def _anchor(step: EscalationStep) -> str:
    return f"step-{step.pk}"
