"""How it is said: businesslike, short, one matter, without shouting and without abuse."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from appeals.review import words
from appeals.review.facts import Facts, Finding, Severity

LONG = 3000
"""Characters of a text above which it is read with half an eye; the trade advises to be short."""

_SIGNS = re.compile(r"[!?]*!{2,}[!?]*|\?{3,}|(?:\?!|!\?)[!?]+")
# Two or more words in capitals, of which the ones that are no abbreviations are counted by `_capitals`
_CAPITALS = re.compile(r"\b[А-ЯЁ]{2,}(?:[ ,\-–—!]+[А-ЯЁ]+)*[ ,\-–—!]+[А-ЯЁ]{2,}\b")
_QUOTED = re.compile(r"«[^»\n]*»|\"[^\"\n]*\"|“[^”\n]*”")
_ANOTHER = re.compile(
    r"\b(?:(?:и\s+)?ещ[её]\s+(?:один|одна|такой)\s+(?:вопрос|проблем\w+)|(?:второй|другой|отдельный)\s+вопрос"
    r"|друг(?:ая|ую)\s+проблем\w+|втор(?:ая|ую)\s+проблем\w+|по\s+другому\s+(?:поводу|вопросу)|заодно"
    r"|(?:кроме\s+того|также|помимо\s+этого)[,:]?\s+(?:прошу|просим|хочу|хотим|хотел\w*|у\s+нас\s+(?:не|ещ[её]))"
    r"|и\s+ещ[её]\s*[:,—–-]|another\s+(?:question|problem|issue|matter)|also,?\s+(?:please|we\s+ask|i\s+ask))",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^[ \t]*(?:\d{1,2}[.)]|[-–—•*])\s+(?P<text>.+)$", re.MULTILINE)
_ASKS = re.compile(
    r"\?\s*$|^(?:прошу|просим|почему|когда|верните|разблокируйте|исправьте|please|why|when)\b", re.IGNORECASE
)


def lapses(facts: Facts) -> Iterator[Finding]:
    """One finding a field and kind of lapse, at its first place; each abusive word by itself, once."""
    for field, text in facts.texts:
        if text:
            yield from _shouting(field, text)
            yield from _abuse(field, text)
    yield from _matters(facts.body)
    yield from _length(facts.body)


def _shouting(field: str, text: str) -> Iterator[Finding]:
    mend = _("Write as usual: a calm text is read to its end.")
    if found := _SIGNS.search(text):
        message = _("Several exclamation marks read as shouting.")
        yield Finding("shouting", Severity.WARNING, message, field, mend, found.span())
    elif place := _capitals(text):
        yield Finding("shouting", Severity.WARNING, _("Words in capitals read as shouting."), field, mend, place)


def _capitals(text: str) -> tuple[int, int] | None:
    """The first row of capitals in which two words of four letters or more are no names and no abbreviations."""
    blank = _QUOTED.sub(lambda quoted: " " * len(quoted.group()), text)
    for row in _CAPITALS.finditer(blank):
        loud = [word for word in re.findall(r"[А-ЯЁ]{4,}", row.group()) if words.is_ordinary(word)]
        if len(loud) >= 2 or (loud and len(row.group().split()) >= 3):
            return row.span()
    return None


def _abuse(field: str, text: str) -> Iterator[Finding]:
    named = set[str]()
    for hit in words.find(text):
        place, word = (hit.start, hit.end), text[hit.start : hit.end]
        if word.casefold() in named:
            continue
        named.add(word.casefold())
        if hit.kind == "obscene":
            message = _("“%(word)s” is obscene: appeals with such words are closed unanswered.") % {"word": word}
            yield Finding("obscene", Severity.ERROR, message, field, _("Take it out."), place)
        else:
            said = _("“%(word)s”: an accusation or insult proves nothing and helps nobody to answer.")
            message = said % {"word": word}
            mend = _("Say what was done, when, and which rule it breaks.")
            yield Finding("insult", Severity.WARNING, message, field, mend, place)


def _matters(text: str) -> Iterator[Finding]:
    """A second question announced in words, or a list of which two items ask for something."""
    asking = [item for item in _ITEM.finditer(text) if _ASKS.search(item["text"].strip())]
    place = asking[1].span("text") if len(asking) > 1 else None
    if place is None and (another := _ANOTHER.search(text)):
        place = another.span()
    if place:
        message = _("It seems to be about several matters. Each team answers its own part, and the rest is lost.")
        mend = _("Send a separate appeal for each matter.")
        yield Finding("several_matters", Severity.WARNING, message, "body", mend, place)


def _length(text: str) -> Iterator[Finding]:
    if len(text) > LONG:
        message = _("The text is long: %(length)d characters.") % {"length": len(text)}
        mend = _("Keep to what happened, the numbers and what you ask for; put the rest into a file.")
        yield Finding("too_long", Severity.HINT, message, "body", mend, (LONG, len(text)))
