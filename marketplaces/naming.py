"""Names of rows of the directory as they are kept beside what happened: in both languages, since readers differ, and
as they were then, since the row may change or go."""

from typing import TypeGuard

from django.conf import settings
from django.utils.translation import get_language

from marketplaces.models.directory_row import Bilingual

Names = dict[str, str]
_LANGUAGES = ("ru", "en")


def named(row: Bilingual) -> Names:
    return {language: row.text("name", language) for language in _LANGUAGES}


def is_named(value: object) -> TypeGuard[Names]:
    return isinstance(value, dict) and value.keys() == set(_LANGUAGES)


def in_language(names: Names) -> str:
    """The name in the active language."""
    language = (get_language() or settings.LANGUAGE_CODE)[:2]
    return names.get(language) or names["ru"]
