"""The three-way merge of one row: what the last release shipped, what the team has, what this release ships."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]

# Set by whoever last sorted or checked the row; another order or date alone is nothing to ask the team about.
QUIET = frozenset({"position", "verified_on"})
_CHECK = frozenset({"verified_on", "verified_by"})  # within the provenance of one fact


@dataclass
class Merged:
    """`take` goes into the row; `offer` differs from what the team made of it, and waits for their word."""

    take: Values = field(default_factory=dict)
    offer: Values = field(default_factory=dict)


def merge(
    *, base: Values, mine: Values, new: Values, offer: Values, sources: Callable[[str], Iterable[str]]
) -> Merged:
    """A field that the team never touched follows the file; one that they edited stays theirs.

    `base` is what was shipped last, `offer` what is still offered from then. A value that the file has changed since
    is offered, once: an offer that was turned down comes back only when the file changes again. `sources` names the
    fields that say where a field's value comes from: they stay with the value that the team keeps.
    """
    merged = Merged()
    for name, value in new.items():
        if name not in mine or mine[name] == value:
            continue
        if name not in base or mine[name] == base[name]:
            merged.take[name] = value
        elif name in offer or (name not in QUIET and not same(base[name], value) and not same(mine[name], value)):
            merged.offer[name] = value
    for name in list(merged.offer):
        for source in sources(name):
            if source in merged.take:
                merged.offer[source] = merged.take.pop(source)
    return merged


def adopt(*, mine: Values, new: Values) -> Merged:
    """The file now ships what the team had already entered: all of it is theirs, all differences are offered."""
    return Merged(offer={name: value for name, value in new.items() if mine[name] != value and name not in QUIET})


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same, whoever checked them last."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **dict.fromkeys(_CHECK)} == {**other, **dict.fromkeys(_CHECK)}
    return bool(one == other)
