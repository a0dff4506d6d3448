"""Where each fact of a page is known from, and the list of sources at its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.timezone import localdate
from django.utils.translation import get_language

from marketplaces.citing import own_words
from marketplaces.models import Grade, Source
from marketplaces.models.directory_row import DirectoryRow
from marketplaces.published import published_text
from marketplaces.staleness import limit


@dataclass(frozen=True)
class Part:
    """One source of a fact; `listed` says that the list at the end of the page explains it."""

    text: str
    listed: bool


@dataclass(frozen=True)
class Citation:
    parts: list[Part]
    grade: str
    grade_text: str
    verified_on: date | None
    verified_by: str
    is_stale: bool
    note: str


@dataclass(frozen=True)
class Cited:
    key: str
    grade: str
    title: str
    url: str
    published: str


class References:
    """Reads all sources once, and remembers which of them a page cites."""

    def __init__(self) -> None:
        self._known = {source.key: source for source in Source.objects.all()}
        self._cited: set[str] = set()
        self._limit = limit(localdate())

    @property
    def cited(self) -> list[Cited]:
        found = [source for key, source in self._known.items() if key in self._cited]
        return [Cited(row.key, row.grade, row.text("title"), row.url, published_text(row.published)) for row in found]

    @property
    def grades(self) -> list[str]:
        """What each letter means."""
        return [str(label) for label in Grade.labels]

    def cite(self, row: DirectoryRow, *, by: str = "") -> Citation:
        """`by` is who checked the row, where the caller knows."""
        return self._citation(row.source, row.source_grade, row.verified_on, by)

    def cite_fact(self, provenance: Mapping[str, Any]) -> Citation | None:
        """The same for one fact of a marketplace; None where nobody noted where it is from."""
        if not provenance.get("source"):
            return None
        english = (get_language() or "").startswith("en")
        note = (provenance.get("note_en") if english else "") or provenance.get("note", "")
        checked = parse_date(str(provenance.get("verified_on", "")))
        return self._citation(provenance["source"], provenance.get("source_grade", ""), checked, "", note)

    def _citation(self, source: str, grade: str, checked: date | None, by: str, note: str = "") -> Citation:
        keys = [key.strip() for key in source.split(",")]
        self._cited |= set(keys) & self._known.keys()
        parts = [Part(own_words(key), key in self._known) for key in keys if key]
        grade_text = str(Grade(grade).label) if grade in Grade.values else ""
        stale = checked is not None and checked < self._limit
        return Citation(parts, grade, grade_text, checked, by, stale, note)
