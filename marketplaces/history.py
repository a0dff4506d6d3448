"""The history of the directory: one line whenever a row is entered, changed, checked, loaded, taken over or deleted.

Every door and the load of a release write it through `write`, in the transaction of the change itself.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marketplaces.directory_merge import Values
from marketplaces.directory_rows import KINDS, MARKETPLACE, Kind, Names, read
from marketplaces.models import DirectoryChange

if TYPE_CHECKING:
    from hub.models import User

Row = Any  # a row of any of the KINDS
Action = DirectoryChange.Action
Changes = dict[str, list[Any]]  # for each field: from, to

_KINDS: dict[Any, Kind] = {kind.model: kind for kind in KINDS}


def kind_of(row: Row | type[Row]) -> Kind:
    return _KINDS[row if isinstance(row, type) else type(row)]


def values_of(row: Row) -> Values:
    """The row as it is in memory, with the references that are saved, in the form of the directory files."""
    kind, names = kind_of(row), Names()
    many: dict[str, list[int]] = {}
    _name(names, row)
    for column in kind.many:
        others = list(getattr(row, column).all()) if row.pk else []
        many[column] = [other.pk for other in others]
        for other in others:
            _name(names, other)
    for column in (*(column for column, _model in kind.references), *kind.own):
        if other := getattr(row, column):
            _name(names, other)
    return {"marketplace": names.slug(kind, row), **read(kind, row, many, names)}


def difference(before: Values, after: Values) -> Changes:
    return {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}


def line(
    *,
    row: Row,
    marketplace: str,
    action: Action,
    now: datetime,
    actor: "User | None" = None,
    changes: Changes | None = None,
) -> DirectoryChange:
    """One line of the history, not yet written."""
    kind = kind_of(row)
    return DirectoryChange(
        kind=kind.name,
        row_id=row.pk,
        marketplace=marketplace,
        key=getattr(row, kind.key),
        name=_name_of(row, "ru")[:300],
        name_en=_name_of(row, "en")[:300],
        action=action,
        at=now,
        actor=actor,
        changes=changes or {},
    )


def write(lines: Iterable[DirectoryChange]) -> None:
    DirectoryChange.objects.bulk_create(lines)


def record(*, row: Row, before: Values, action: Action, now: datetime, actor: "User | None" = None) -> Changes:
    """Writes what became of a row since `before` was read of it. Says what changed.

    That nothing did is worth a line only if somebody has checked it.
    """
    after = values_of(row)
    changes = difference(before, after)
    if changes or action == Action.CHECKED:
        write([line(row=row, marketplace=after["marketplace"], action=action, now=now, actor=actor, changes=changes)])
    return changes


def entered(*, row: Row, now: datetime, actor: "User") -> None:
    """Writes that somebody entered a new row."""
    place = values_of(row)["marketplace"]
    write([line(row=row, marketplace=place, action=Action.CREATED, now=now, actor=actor)])


def _name_of(row: Row, language: str) -> str:
    """Without what belongs to another row, which is not at hand for each of many."""
    field = next((field for field in ("name", "title") if hasattr(row, field)), "")
    return str((row.text(field, language) if field else row.key) or row.pk)


def _name(names: Names, row: Row) -> None:
    kind = kind_of(row)
    if kind is not MARKETPLACE and getattr(row, "marketplace_id", None):
        names.add(MARKETPLACE, row.marketplace)
    names.add(kind, row)
