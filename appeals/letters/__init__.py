"""Letters of an appeal: each kind a template, filled with what is known, and saying what is not.

A letter is text to paste and a .docx to sign. Templates are in `templates/letters/`, named `<kind>.<language>.txt`; a
marketplace's own, in the folder `letters` of its platform app, come before them. Facts and terms are the directory's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Max
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from appeals import documents
from appeals.documents import Block, Paragraph
from appeals.letters import chronology, markup
from appeals.letters.facts import Facts, owed
from appeals.letters.gaps import Gap
from appeals.letters.sources import Used, is_published
from appeals.models import Appeal, Deadline, Event
from marketplaces.models import EscalationStep, Source

Kind = EscalationStep.Letter
LANGUAGES = ("ru", "en")
RULE = Paragraph("----", "rule")


class NoSuchLanguageError(ValueError):
    """Nobody wrote this kind of letter in this language."""


@dataclass(frozen=True)
class Letter:
    """One letter. `at` is the last change of the appeal: the time that its file says of itself.

    `step` is the one of the path that it is for, which the appeal may have taken already.
    """

    kind: str
    language: str
    title: str
    author: str
    at: datetime
    body: list[Block]
    notes: list[Block]
    missing: list[Gap]
    used: list[Used]
    step: EscalationStep | None
    is_taken: bool

    @property
    def doubts(self) -> list[Used]:
        """Facts of the directory in it that nobody has confirmed."""
        return [one for one in self.used if not one.confirmed]

    @property
    def doubtful_sources(self) -> list[Source]:
        """Where those are from."""
        return list(dict.fromkeys(row for one in self.doubts for row in one.sources))

    @property
    def plain(self) -> str:
        """The letter alone."""
        return documents.plain(self.body)

    @property
    def text(self) -> str:
        """The letter, and under a line what a person must check before it goes out."""
        return documents.plain([*self.body, RULE, *self.notes])

    @property
    def file_name(self) -> str:
        return f"{self.title}.docx".replace("/", "-")

    def docx(self) -> bytes:
        """The same as a Word file; the same bytes for the same appeal on the same day."""
        return documents.docx([*self.body, RULE, *self.notes], title=self.title, at=self.at, author=self.author)


@dataclass(frozen=True)
class Offer:
    """A kind of letter, and whether the state of the appeal asks for it."""

    kind: Kind
    fits: bool

    @property
    def label(self) -> str:
        return capfirst(str(self.kind.label)) or ""


def languages(appeal: Appeal, kind: str) -> list[str]:
    """In which languages there is such a letter: those to state bodies and to the court are in Russian only."""
    slug = appeal.shop.marketplace.slug
    return [language for language in LANGUAGES if markup.exists(slug, f"{kind}.{language}.txt")]


def compose(appeal: Appeal, kind: str, *, now: datetime, language: str = "ru") -> Letter:
    """The letter as it would be written at `now`. NoSuchLanguageError when there is none in that language."""
    if language not in languages(appeal, kind):
        raise NoSuchLanguageError(kind, language)
    with _spoken(appeal, language):
        facts = Facts(appeal, kind, now)
        values = {"it": facts, "need": facts.need}
        slug = appeal.shop.marketplace.slug
        return Letter(
            kind=kind,
            language=language,
            title=_title(appeal, kind),
            author=facts.sender,
            at=appeal.events.aggregate(last=Max("recorded_at"))["last"] or appeal.created_at,
            body=markup.render(slug, f"{kind}.{language}.txt", values),
            notes=markup.render(slug, f"_notes.{language}.txt", values),
            missing=list(facts.need.gaps.values()),
            used=list(facts.sources.used.values()),
            step=facts.step,
            is_taken=bool(facts.step and facts.step.is_taken),  # type: ignore[attr-defined]
        )


def follow_up(
    appeal: Appeal,
    clocks: Iterable[Deadline],
    now: datetime,
    is_listed: Callable[[str], bool] = is_published,
    *,
    others: Sequence[Appeal] = (),
) -> str:
    """The follow-up alone, of the clocks that a mail tells of; empty when none of them is late on the marketplace.

    `is_listed` says whether the directory lists a source, for whoever writes many. `others` wait for an answer on the
    same incident, and are named.
    """
    clock = owed([one for one in clocks if one.is_late(now)], now)
    if clock is None:
        return ""
    with _spoken(appeal, "ru"):
        facts = Facts(appeal, Kind.FOLLOW_UP, now, clock, is_listed, others=others)
        slug = appeal.shop.marketplace.slug
        return documents.plain(markup.render(slug, "follow_up.ru.txt", {"it": facts, "need": facts.need}))


def offers(appeal: Appeal, step: EscalationStep | None, lines: Iterable[Event] | None = None) -> list[Offer]:
    """Every kind, those that fit the state first. `step` is the one that lies before the appeal.

    `lines` is its timeline, where it is at hand with `undone_by`: then it is not read again.
    """
    fit = _fitting(appeal, step, lines)
    return [Offer(kind, True) for kind in fit] + [Offer(kind, False) for kind in Kind if kind not in fit]


def _fitting(appeal: Appeal, step: EscalationStep | None, lines: Iterable[Event] | None) -> list[Kind]:
    if appeal.status == Appeal.Status.DRAFT:
        return []
    if appeal.status == Appeal.Status.RESOLVED:
        unsatisfied = (Appeal.Outcome.REFUSED, Appeal.Outcome.PARTLY_GRANTED, Appeal.Outcome.IGNORED)
        return [Kind.CLAIM] if appeal.outcome in unsatisfied else []
    moves = chronology.events([appeal]) if lines is None else chronology.moves(lines)
    fit = [Kind.STOCK_REPLY] if chronology.brush_off(moves) else []
    fit += [Kind(step.letter)] if step and step.letter else []
    fit += [Kind.FOLLOW_UP] if appeal.status == Appeal.Status.WAITING else []
    return list(dict.fromkeys(fit))


def _title(appeal: Appeal, kind: str) -> str:
    words = {"kind": capfirst(str(Kind(kind).label)), "number": appeal.external_number or appeal.pk}
    return _("%(kind)s, No. %(number)s") % words


@contextmanager
def _spoken(appeal: Appeal, language: str) -> Iterator[None]:
    """In the language of the letter and in the time zone of the marketplace, whoever reads it here."""
    with translation.override(language), timezone.override(ZoneInfo(appeal.shop.marketplace.time_zone)):
        yield
