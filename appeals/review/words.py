"""Obscene and abusive words in a text, in every inflected form, spelt out or hidden.

A word of the language is brought to its dictionary form by pymorphy and compared with the kept list (`words.toml`): it
is found only if all its readings are on the list. What the dictionary does not know is compared by guarded stems.
Latin look-alikes, digits for letters, stretched, masked and separated letters are seen through.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

Kind = Literal["obscene", "insult"]

_LOOK_ALIKE = str.maketrans("abcehkmoptxyiu", "авсенкмортхуии")
_DIGITS = str.maketrans("013469", "оизчбя")
_WORD = re.compile(r"[^\W_]+")
# "х*й", "бл@дь", "п***ц", "п.здец": letters with signs in the place of some
_MASKED = re.compile(r"(?<![^\W_])[^\W\d_]+(?:[*@#$%.]+[^\W\d_]+)+(?![^\W_])")
# "п.и.з.д.е.ц", "п и з д е ц": single letters
_APART = re.compile(r"(?<![^\W_])(?:[^\W\d_][.\-_* ]){2,}[^\W\d_](?![^\W_])")
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_STRETCHED = re.compile(r"(.)\1{2,}")
_SENTENCE = re.compile(r"[^.!?\n;]+[.!?]*")
_AFTER = re.compile(r"[\s»\")]*(?:$|[,.!?:;—–])")
_BEFORE = re.compile(r"(?:^|[,.!?:;—–])[\s«\"(]*$")
_REACH = 3


@dataclass(frozen=True)
class Hit:
    """A word at `start` to `end` of the text, in characters."""

    kind: Kind
    start: int
    end: int


def find(text: str) -> list[Hit]:
    """The words of both lists in the order of the text, each place once."""
    clean, places = _plain(text)
    found: dict[int, Hit] = {}
    for kind, start, end in (*_obscene(clean), *_insults(clean)):
        hit = Hit(kind, places[start], places[end - 1] + 1)
        if hit.start not in found or hit.end > found[hit.start].end:
            found[hit.start] = hit
    return [found[start] for start in sorted(found)]


def _obscene(text: str) -> Iterator[tuple[Kind, int, int]]:
    for word in _WORD.finditer(text):
        if is_obscene(word.group()) and not _is_harmless(word.group(), text):
            yield "obscene", *word.span()
    for word in _MASKED.finditer(text):
        if _CYRILLIC.search(word.group()) and _is_masked(word.group()):
            yield "obscene", *word.span()
    for word in _APART.finditer(text):
        joined = re.sub(r"[.\-_* ]", "", word.group())
        if len(joined) > 2 and is_obscene(joined):
            yield "obscene", *word.span()


def is_obscene(word: str) -> bool:
    """Whether this one word is, in any form."""
    return any(_is_on_list(spelt) for spelt in _spellings(word))


def is_ordinary(word: str) -> bool:
    """A word of the language that is neither a name nor an abbreviation."""
    plain = _fold(word)
    return _is_known(plain) and not any(
        mark in _morph().parse(plain)[0].tag for mark in ("Name", "Surn", "Patr", "Geox", "Orgn", "Trad", "Abbr")
    )


def _spellings(word: str) -> Iterator[str]:
    """The word as it may be meant: in Cyrillic letters, and without stretched ones."""
    plain = _fold(word)
    letters = sum(map(str.isalpha, plain))
    if not plain.isalpha():
        if letters < 2 or not _CYRILLIC.search(plain):
            return
        plain = plain.translate(_DIGITS)
    mapped = plain.translate(_LOOK_ALIKE)
    if not re.fullmatch("[а-я]+", mapped):
        return
    if not _CYRILLIC.search(plain) and not (len(mapped) > 3 and _is_known(mapped)):
        return  # a word in Latin letters that only looks like one: a code of a product, say
    yield mapped
    if _STRETCHED.search(mapped):
        yield _STRETCHED.sub(r"\1", mapped)
        yield _STRETCHED.sub(r"\1\1", mapped)


@lru_cache(maxsize=50_000)
def _is_on_list(word: str) -> bool:
    if _is_known(word):
        return word in _words().forms or _lemmas(word) <= _words().obscene
    return bool(_words().stems.match(word))


def _is_harmless(word: str, text: str) -> bool:
    contexts = _words().harmless
    return any(lemma in contexts and contexts[lemma].search(_fold(text)) for lemma in _lemmas(_fold(word)))


def _is_masked(word: str) -> bool:
    """A sign stands for a letter, several signs for about as many. A name that is hidden ("П***в") is none of ours."""
    parts = re.split(r"([*@#$%.]+)", word)
    letters = "".join(parts[::2])
    if len(letters) < 2 or (len(word) > 3 and letters[0].isupper() and letters[1:].islower() and len(letters) < 3):
        return False
    pattern = "".join(_fold(part).translate(_LOOK_ALIKE) if i % 2 == 0 else _any(part) for i, part in enumerate(parts))
    return any(re.fullmatch(pattern, form) for form in _words().masked)


def _any(signs: str) -> str:
    return "[а-я]" if len(signs) == 1 else f"[а-я]{{{max(1, len(signs) - 1)},{len(signs) + 2}}}"


def _insults(text: str) -> Iterator[tuple[Kind, int, int]]:
    for sentence in _SENTENCE.finditer(text):
        words = list(_WORD.finditer(text, *sentence.span()))
        for number, word in enumerate(words):
            if _is_insult(word.group()) or _is_deed(word.group()) or _is_called(words, number, text, sentence.span()):
                yield "insult", *word.span()


@lru_cache(maxsize=50_000)
def _is_insult(word: str) -> bool:
    plain = _fold(word)
    if not _CYRILLIC.match(plain):
        return False
    lemmas, insults = _lemmas(plain), _words().insults
    return lemmas <= insults if _is_known(plain) else not lemmas.isdisjoint(insults)


@lru_cache(maxsize=50_000)
def _is_deed(word: str) -> bool:
    plain = _fold(word)
    return plain.endswith(("те", "шь")) and any(
        _fold(one.normal_form) in _words().deeds and "2per" in one.tag for one in _morph().parse(plain)
    )


def _is_called(words: Sequence[re.Match[str]], number: int, text: str, sentence: tuple[int, int]) -> bool:
    """Whether the addressee is called so: "вы мошенники", or "Мошенники!" between two stops."""
    word = words[number]
    if not _is_name(word.group()):
        return False
    before, after = text[sentence[0] : word.start()], text[word.end() : sentence[1]]
    if _AFTER.match(after) and _BEFORE.search(before):
        return True
    near = [one for one in words[max(0, number - _REACH) : number] if "," not in text[one.end() : word.start()]]
    return any(_fold(one.group()) in _words().addressees for one in near) or bool(
        re.search(r"\bу вас(?:\s+\w+){0,2}\s+$", _fold(before))
    )


@lru_cache(maxsize=50_000)
def _is_name(word: str) -> bool:
    """One of the words that are abuse only of the addressee, in the nominative."""
    plain = _fold(word)
    return bool(_CYRILLIC.match(plain)) and any(
        _fold(one.normal_form) in _words().addressed and "nomn" in one.tag for one in _morph().parse(plain)
    )


def _fold(word: str) -> str:
    return word.casefold().replace("ё", "е")


def _plain(text: str) -> tuple[str, list[int]]:
    """The text without accents and invisible signs, and for each character its place in the text as it was."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        category = unicodedata.category(letter)
        if category == "Mn" and letters:
            joined = unicodedata.normalize("NFC", letters[-1] + letter)
            letters[-1] = joined if len(joined) == 1 else letters[-1]
        elif category != "Cf":
            letters.append(letter)
            places.append(place)
    return "".join(letters), places


@dataclass(frozen=True)
class _Words:
    obscene: frozenset[str]
    stems: re.Pattern[str]
    forms: frozenset[str]
    masked: frozenset[str]
    harmless: dict[str, re.Pattern[str]]
    insults: frozenset[str]
    addressed: frozenset[str]
    deeds: frozenset[str]
    addressees: frozenset[str]


@cache
def _words() -> _Words:
    kept = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
    obscene, insults = kept["obscene"], kept["insults"]
    before = "|".join(sorted(obscene["prefixes"], key=len, reverse=True))
    return _Words(
        obscene=frozenset(obscene["lemmas"]),
        stems=re.compile(rf"(?:{before})?(?:{'|'.join(obscene['stems'])})"),
        forms=frozenset(obscene["forms"]),
        masked=frozenset(obscene["masked"]),
        harmless={lemma: re.compile(words) for lemma, words in obscene["harmless"].items()},
        insults=frozenset(insults["always"]),
        addressed=frozenset(insults["addressed"]),
        deeds=frozenset(insults["deeds"]),
        addressees=frozenset(insults["addressees"]),
    )


@cache
def _morph() -> Any:
    """The dictionary of the Russian language: a quarter of a second and some memory, so not before it is needed."""
    import pymorphy3  # noqa: PLC0415

    return pymorphy3.MorphAnalyzer(lang="ru")


def _is_known(word: str) -> bool:
    return bool(_morph().word_is_known(word))


@lru_cache(maxsize=50_000)
def _lemmas(word: str) -> frozenset[str]:
    return frozenset(_fold(one.normal_form) for one in _morph().parse(word))
