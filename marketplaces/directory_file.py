"""Read `directory.toml` files, check them, and name the line of everything that is wrong with them.

A file is one platform's, or the shared one: sources, topics and legal steps for all platforms. Nothing here knows the
database.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from marketplaces.directory_checks import Finding, check_not_taken, check_platform, check_shared, claims
from marketplaces.directory_schema import (
    ChannelFact,
    File,
    MarketplaceFact,
    PlatformFile,
    Provenance,
    RuleFact,
    SharedFile,
    SourceFact,
    StepFact,
    StepUse,
    Table,
    TargetFact,
    TopicFact,
)
from marketplaces.toml_lines import Place, line_of, lines_of

F = TypeVar("F", bound=File)

TABLES: dict[str, type[Table]] = {
    "sources": SourceFact,
    "marketplace": MarketplaceFact,
    "provenance": Provenance,
    "channels": ChannelFact,
    "topics": TopicFact,
    "response_targets": TargetFact,
    "rules": RuleFact,
    "escalation_steps": StepFact,
    "legal_steps": StepFact,
    "use": StepUse,
}


class Problem(BaseModel):
    """One thing wrong with a file; as text "file:line: key: what is wrong and how to mend it"."""

    path: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.key}: {self.message}"


class DirectoryFileError(ValueError):
    """Files that cannot be loaded, with everything that is wrong with them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.path, problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DirectoryFile:
    """A checked platform file. `steps` is its escalation path with the shared steps in their places."""

    def __init__(self, content: PlatformFile, shared: SharedFile) -> None:
        legal = {step.key: step for step in shared.legal_steps}
        self.marketplace = content.marketplace
        self.sources = content.sources
        self.topics = content.topics
        self.channels = content.channels
        self.response_targets = content.response_targets
        self.rules = content.rules
        self.steps = [
            step.applied_to(legal[step.use]) if isinstance(step, StepUse) else step
            for step in content.escalation_steps
        ]


def read_shared(path: Path) -> SharedFile:
    """Raises DirectoryFileError."""
    return _read(path, SharedFile, check_shared)


def read_directory(path: Path, shared: SharedFile) -> DirectoryFile:
    """Raises DirectoryFileError."""
    return DirectoryFile(_read_platform(path, shared, {}), shared)


def read_all(shared_path: Path, paths: Iterable[Path]) -> tuple[SharedFile, list[DirectoryFile]]:
    """The shared file and the platforms', which may not claim the same names. Raises DirectoryFileError for all."""
    shared = read_shared(shared_path)
    taken: dict[tuple[str, str], str] = {}
    files: list[DirectoryFile] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            content = _read_platform(path, shared, taken)
        except DirectoryFileError as error:
            problems += error.problems
            continue
        taken |= dict.fromkeys(claims(content), str(path))
        files.append(DirectoryFile(content, shared))
    if problems:
        raise DirectoryFileError(problems)
    return shared, files


def _read_platform(path: Path, shared: SharedFile, taken: dict[tuple[str, str], str]) -> PlatformFile:
    return _read(
        path, PlatformFile, lambda content: [*check_platform(content, shared), *check_not_taken(content, taken)]
    )


def _read(path: Path, table: type[F], check: Callable[[F], Iterable[Finding]]) -> F:
    text = _text(path)
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DirectoryFileError([_syntax_problem(path, text, error)]) from error
    if unkept := list(_nuls(raw, ())):
        raise _errors(path, text, raw, unkept)
    try:
        content = table.model_validate(raw)
        findings = list(check(content))
    except ValidationError as error:
        raise _errors(path, text, raw, [_finding(details, table) for details in error.errors()]) from error
    if findings:
        raise _errors(path, text, raw, findings)
    return content


def _errors(path: Path, text: str, raw: dict[str, Any], findings: list[Finding]) -> DirectoryFileError:
    lines = lines_of(text)
    return DirectoryFileError(
        Problem(path=str(path), line=line_of(place, lines), key=_key(place, raw), message=message)
        for place, message in findings
    )


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = _("The file cannot be read: %(reason)s.") % {"reason": error.strerror}
        raise DirectoryFileError([Problem(path=str(path), line=1, key="-", message=problem)]) from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = _("The text is not UTF-8. Save the file in UTF-8.")
        raise DirectoryFileError([Problem(path=str(path), line=line, key="-", message=problem)]) from error


def _syntax_problem(path: Path, text: str, error: tomllib.TOMLDecodeError | RecursionError) -> Problem:
    """tomllib gives the line only in its words: "... (at line 3, column 5)" or "(at end of document)"."""
    place = re.search(r"\(at line (\d+), column \d+\)$", str(error))
    line = int(place[1]) if place else max(len(text.splitlines()), 1)
    message = _("This is not TOML, or a key stands twice. Mend the line or the one before it.")
    return Problem(path=str(path), line=line, key="-", message=message)


def _nuls(value: Any, place: Place) -> Iterator[Finding]:
    """TOML may write the one character that PostgreSQL keeps in no text."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _nuls(key, place)
            yield from _nuls(inner, (*place, key))
    elif isinstance(value, str) and "\0" in value:
        yield place, _("The text has a NUL character (\\u0000). Take it out.")


def _finding(details: ErrorDetails, file: type[File]) -> Finding:
    place = details["loc"]
    tables = [file, *(TABLES[part] for part in place[:-1] if isinstance(part, str) and part in TABLES)]
    if place[0] == "escalation_steps" and len(place) > 2:
        place = (*place[:2], *place[3:])  # the third part only says which of two tables was meant
    if place[-1] == "[key]":
        place = place[:-1]
    return place, _message(details, tables[-1])


LIMITS = {
    "string_too_long": (gettext_lazy("The text is longer than %(limit)d characters."), "max_length"),
    "greater_than_equal": (gettext_lazy("The number is less than %(limit)d."), "ge"),
    "less_than_equal": (gettext_lazy("The number is more than %(limit)d."), "le"),
}
WANTED = {
    "date": gettext_lazy("a date, as 2026-10-05"),
    "int": gettext_lazy("a whole number"),
    "bool": gettext_lazy("true or false"),
    "string": gettext_lazy("a text in quotation marks"),
    "list": gettext_lazy("a list in square brackets"),
    "dict": gettext_lazy("a table"),
    "model": gettext_lazy("a table"),
}
"""By the first word of what the reader of the file calls a mistake."""


def _message(details: ErrorDetails, table: type[Table]) -> str:
    match details["type"]:
        case "missing":
            return _("The key is missing. Add it.")
        case "extra_forbidden":
            return _unknown_key(str(details["loc"][-1]), table)
        case "string_too_short":
            return _("The text is empty. Write one, or take the key out if it may be left out.")
        case "literal_error":
            words = {"value": details["input"], "allowed": details["ctx"]["expected"]}
            return _("“%(value)s” is not allowed. Choose one of: %(allowed)s.") % words
        case "string_pattern_mismatch":
            words = {"value": details["input"], "pattern": details["ctx"]["pattern"]}
            return _("“%(value)s” does not fit the pattern %(pattern)s.") % words
        case _:
            return _of_value(details)


def _of_value(details: ErrorDetails) -> str:
    if details["type"] in LIMITS:
        text, limit = LIMITS[details["type"]]
        return text % {"limit": details["ctx"][limit]}
    wanted = WANTED.get(details["type"].partition("_")[0], details["msg"])
    return _("Needed: %(wanted)s. Here is %(value)s.") % {"wanted": wanted, "value": repr(details["input"])[:80]}


def _unknown_key(key: str, table: type[Table]) -> str:
    known = sorted(field.alias or name for name, field in table.model_fields.items())
    meant = get_close_matches(key, known, n=1)
    if meant:
        return _("There is no such key. Did you mean “%(key)s”?") % {"key": meant[0]}
    return _("There is no such key. Take it out; the keys here are: %(keys)s.") % {"keys": ", ".join(known)}


def _key(place: Place, raw: dict[str, Any]) -> str:
    """`place` for people: the rows of a list by their own key, as in channels[seller-chat].kind."""
    text = ""
    value: Any = raw
    for part in place:
        if isinstance(part, int):
            value = value[part] if part < len(value) else {}
            name = next((value[k] for k in ("key", "slug", "use") if isinstance(value, dict) and k in value), part + 1)
            text += f"[{name}]"
        else:
            value = value.get(part, {}) if isinstance(value, dict) else {}
            text += f".{part}" if text else part
    return text or "-"
