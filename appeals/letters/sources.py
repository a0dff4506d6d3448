"""Which facts of the directory a letter has used, how far each is to be trusted, and where it is known from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from appeals.models import Deadline
from marketplaces.citing import Citations, Said
from marketplaces.models import EscalationStep, Grade, Marketplace, Source, State

TRUSTED = (Grade.A, Grade.B)


@dataclass(frozen=True)
class Used:
    """One fact that a letter used. `note` is what the directory says of its ground or of its doubts.

    Texts are said in the language that is active when they are asked for: the letter's, or the reader's.
    """

    say_name: Callable[[], str]
    say_note: Callable[[], str]
    source: str
    confirmed: bool
    cite: Citations

    @property
    def said(self) -> list[Said]:
        return self.cite.said(self.source)

    @property
    def sources(self) -> list[Source]:
        return self.cite.rows([self.source])

    @property
    def name(self) -> str:
        return capfirst(self.say_name()) or ""

    @property
    def note(self) -> str:
        return self.say_note()


class Sources:
    def __init__(self) -> None:
        self.used: dict[str, Used] = {}
        self.cite = Citations()

    def use_fact(self, place: Marketplace, field: str) -> bool:
        """Notes a fact of a marketplace; returns whether it is confirmed: by a good source, or by a person."""
        fact = place.provenance.get(field, {})
        confirmed = fact.get("source_grade") in TRUSTED or bool(fact.get("verified_by"))
        name: Any = Marketplace._meta.get_field(field).verbose_name  # type: ignore[union-attr]
        self.used[field] = Used(lambda: str(name), lambda: _note(fact), fact.get("source", ""), confirmed, self.cite)
        return confirmed

    def use_step(self, step: EscalationStep) -> bool:
        """Notes a step and the ground of its term, and what is doubtful of it; returns whether it is confirmed."""
        confirmed = step.source_grade in TRUSTED or step.verified_by_id is not None
        self.used["step"] = Used(lambda: step.text("name"), lambda: _grounds(step), step.source, confirmed, self.cite)
        return confirmed

    def use_promise(self, clock: Deadline) -> None:
        known = grade(clock) in TRUSTED
        key = f"promise {clock.kind} {clock.step_id} {clock.source}"
        self.used[key] = Used(lambda: _term_of(clock), lambda: "", clock.source, known, self.cite)

    @property
    def cited(self) -> list[str]:
        return self.cite.of(one.source for one in self.used.values())


def _term_of(clock: Deadline) -> str:
    if clock.step:
        return _("term of the step “%(step)s”") % {"step": clock.step.text("name")}
    return _("term of the first reply") if clock.kind == Deadline.Kind.FIRST_REPLY else _("term of the answer")


def grade(clock: Deadline) -> str:
    """How far the promise of a clock is to be trusted; empty where the directory has it no more."""
    row = clock.step or clock.target
    return row.source_grade if row else ""


def published(sources: Iterable[str]) -> set[str]:
    """Those of `sources`, each of one or more keys, that the directory lists: the others are a team's own rules."""
    given = set(sources)
    keys = {one: {key.strip() for key in one.split(",")} for one in given}
    known = set(Source.objects.filter(key__in=set().union(*keys.values())).values_list("key", flat=True))
    return {one for one in given if keys[one] & known}


def is_published(source: str) -> bool:
    return bool(published([source]))


def _grounds(step: EscalationStep) -> str:
    doubt = "" if step.state == State.WORKING else step.text("state_reason")
    return " ".join(one for one in (step.text("term_basis"), doubt) if one)


def _note(fact: Mapping[str, Any]) -> str:
    english = fact.get("note_en", "") if (get_language() or "").startswith("en") else ""
    return str(english or fact.get("note", ""))
