"""Sources as people read them: a key says nothing to whoever cannot look up what is behind it."""

import re
from collections.abc import Iterable
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from marketplaces.models import Source

if TYPE_CHECKING:
    from hub.models import User


class Said(NamedTuple):
    """A source in short, and in full where it is a key of the directory."""

    short: str
    full: str


class Citations:
    """The sources by title and grade, all read when the first is asked for; in the language active at each asking."""

    @cached_property
    def _known(self) -> dict[str, Source]:
        return {row.key: row for row in Source.objects.only("key", "title", "title_en", "grade", "url")}

    def of(self, sources: Iterable[str]) -> list[str]:
        """Each of `sources` holds one or more keys; what is no key of a source stands as it was written."""
        return [self._title(key) for key in _keys(sources)]

    def __call__(self, source: str) -> str:
        return "; ".join(self.of([source]))

    def said(self, source: str) -> list[Said]:
        return [Said(own_words(key), self._title(key) if key in self._known else "") for key in _keys([source])]

    def rows(self, sources: Iterable[str]) -> list[Source]:
        """Those that the directory lists."""
        return [self._known[key] for key in _keys(sources) if key in self._known]

    def _title(self, key: str) -> str:
        row = self._known.get(key)
        if row is None:
            return own_words(key)
        words = {"key": key, "title": row.text("title"), "grade": row.grade}
        return _("%(key)s: %(title)s (grade %(grade)s)") % words


class Keys(Citations):
    """Cites by key alone, for a page that explains all of them in one place."""

    def __init__(self) -> None:
        self._cited: list[str] = []

    def __call__(self, source: str) -> str:
        return ", ".join(one.short for one in self.said(source))

    def said(self, source: str) -> list[Said]:
        self._cited.append(source)
        return super().said(source)

    @property
    def cited(self) -> list[Source]:
        """What was cited so far."""
        return self.rows(self._cited)


def _keys(sources: Iterable[str]) -> list[str]:
    return sorted({key.strip() for one in sources for key in one.split(",") if key.strip()})


def entered_by(person: "User") -> str:
    """The source of what somebody of the team knows. Whoever enters the row may write another, so it is offered in
    their language; `own_words` says it in the reader's."""
    return _("entered by %(person)s") % {"person": person}


def own_words(source: str) -> str:
    """What is no key of a source, in the active language where the hub wrote it."""
    for form in _forms():
        if found := form.fullmatch(source):
            return _("entered by %(person)s") % {"person": found["person"]}
    return source


@cache
def _forms() -> list[re.Pattern[str]]:
    """`entered_by` in every language."""
    forms = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            before, after = _("entered by %(person)s").split("%(person)s")
        forms.append(re.compile(f"{re.escape(before)}(?P<person>.+){re.escape(after)}"))
    return forms
