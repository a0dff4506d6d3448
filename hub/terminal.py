"""What a start says at the terminal: in Russian where the terminal is Russian, otherwise in English."""

import os

from django.utils import translation


def language() -> str:
    """Of the first of these that says anything."""
    spoken = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "ru" if next(filter(None, spoken), "").lower().startswith("ru") else "en"


def gettext(text: str) -> str:
    """Only what is printed: what the start writes into the database keeps the language of the hub."""
    with translation.override(language()):
        return translation.gettext(text)
