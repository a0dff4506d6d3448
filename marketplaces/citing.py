"""Sources as people read them: a key says nothing to whoever cannot look up what is behind it."""

import re
from collections.abc import Iterable
from functools import cache, cached_property
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from marketplaces.models import Source

if TYPE_CHECKING:
    from hub.models import User


class Citations:
    """The sources by title and grade, all read when the first is asked for; in the language active at each asking."""

    @cached_property
    def _known(self) -> dict[str, Source]:
        return {row.key: row for row in Source.objects.only("key", "title", "title_en", "grade")}

    def of(self, sources: Iterable[str]) -> list[str]:
        """Each of `sources` holds one or more keys; what is no key of a source stands as it was written."""
        keys = {key.strip() for one in sources for key in one.split(",") if key.strip()}
        return [self._title(key) for key in sorted(keys)]

    def __call__(self, source: str) -> str:
        return "; ".join(self.of([source]))

    def _title(self, key: str) -> str:
        row = self._known.get(key)
        if row is None:
            return own_words(key)
        words = {"key": key, "title": row.text("title"), "grade": row.grade}
        return _("%(key)s: %(title)s (grade %(grade)s)") % words


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
