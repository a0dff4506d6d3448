"""The shipped `directory.toml` files become rows, and stay in step with them without undoing the team's own edits.

`ShippedFact` keeps what the last release shipped for each row. With it a new release is merged three ways: what the
team never touched follows the file, what they edited stays theirs and the shipped value is offered, what they deleted
stays deleted, what vanished from the files is retired.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from django.db import transaction

from marketplaces import platform
from marketplaces.directory_file import read_all
from marketplaces.directory_merge import QUIET, Merged, Values, adopt, merge
from marketplaces.directory_report import Change, Outcome, Report
from marketplaces.directory_rows import KINDS, PROVENANCE, Kind, Name, shipped
from marketplaces.directory_store import Row, Store
from marketplaces.history import Action
from marketplaces.models import ShippedFact

if TYPE_CHECKING:
    from hub.models import User

SHARED_FILE = Path(__file__).parent / "directory.toml"


def load(
    *, now: datetime, shared_file: Path = SHARED_FILE, files: Iterable[Path] | None = None, dry_run: bool = False
) -> Report:
    """Brings the database in step with the files: by default the shared one and those of the installed platforms.

    `files` are all the platforms' files there are: what an earlier load wrote and none of them has is retired. All or
    nothing; raises DirectoryFileError, and writes nothing, if a file is wrong. `dry_run` only tells what would happen.
    """
    if files is None:
        files = [app.directory_path for app in platform.installed()]
    shared, contents = read_all(shared_file, files)
    report = Report(dry_run=dry_run)
    with transaction.atomic():
        store = Store(now)
        for kind in KINDS:
            report.changes += _load_kind(store, kind, shipped(kind, shared, contents))
        store.save()
        transaction.set_rollback(dry_run)
    return report


def take_offer(
    *, fact: ShippedFact, now: datetime, actor: "User | None" = None, fields: Collection[str] | None = None
) -> None:
    """The team takes what the release offers in place of their own values, of all fields or of some.

    A value comes with what the release says of where it is from.
    """
    with transaction.atomic():
        store = Store(now, action=Action.TAKEN, actor=actor)
        if offered := _offered(store, fact, fields):
            kind, _name, row, offer, chosen = offered
            taken = {*chosen, *(source for field in chosen for source in kind.sources(field))}
            store.update(row, {field: value for field, value in offer.items() if field in taken})
            _leave(store, offered, {field: value for field, value in offer.items() if field not in taken})
            store.flush(kind)
            store.save()


def keep_own(
    *, fact: ShippedFact, now: datetime, actor: "User | None" = None, fields: Collection[str] | None = None
) -> None:
    """The team keeps their own values, of all fields or of some, until the release changes them again."""
    with transaction.atomic():
        store = Store(now, action=Action.KEPT, actor=actor)
        if offered := _offered(store, fact, fields):
            kind, _name, row, offer, chosen = offered
            mine = store.values(kind, row)
            store.tell(kind, row, {field: [mine[field], offer[field]] for field in chosen})
            rest = {field: value for field, value in offer.items() if field not in chosen}
            undecided = set(facts_of(rest)) - set(kind.sources(chosen[0]))
            _leave(store, offered, rest if undecided else {})
            store.save()


def facts_of(offer: Values) -> list[str]:
    """The fields of an offer that are decided on: what says where a value is from goes with the value."""
    facts = [field for field in offer if field not in PROVENANCE and not field.startswith("provenance.")]
    return facts or list(offer)


class _Offered(NamedTuple):
    """What is offered for a row, and the fields of it that are decided on."""

    kind: Kind
    name: Name
    row: Row
    offer: Values
    chosen: list[str]


def _offered(store: Store, fact: ShippedFact, fields: Collection[str] | None) -> _Offered | None:
    """As it is now, and locked; None if there is nothing to decide."""
    name, kind = (fact.marketplace, fact.key), next(kind for kind in KINDS if kind.name == fact.kind)
    for earlier in KINDS[: KINDS.index(kind) + 1]:
        store.read(earlier)
    current, row = store.fact(kind, name), store.row(kind, name)
    if current is None or row is None:
        return None
    chosen = [field for field in current.offer if fields is None or field in fields]
    return _Offered(kind, name, row, current.offer, chosen) if chosen else None


def _leave(store: Store, offered: _Offered, offer: Values) -> None:
    """What is still offered afterwards."""
    fact = store.fact(offered.kind, offered.name)
    store.record(offered.kind, offered.name, fact.values if fact else {}, offer)


def _load_kind(store: Store, kind: Kind, files: dict[Name, Values]) -> list[Change]:
    store.read(kind)
    gone = [name for name in store.shipped_before(kind) if name not in files]
    changes = [_load_row(store, kind, name, values) for name, values in files.items()]
    changes += [change for name in gone if (change := _retire_row(store, kind, name))]
    store.flush(kind)
    return changes


def _load_row(store: Store, kind: Kind, name: Name, new: Values) -> Change:
    fact, row = store.fact(kind, name), store.row(kind, name)
    if row is None:
        return _load_missing_row(store, kind, name, new)
    mine = store.values(kind, row)
    if fact is None:
        merged = adopt(mine=mine, new=new)
        store.adopt(kind, row, name)
    else:
        merged = merge(base=fact.values, mine=mine, new=new, offer=fact.offer, sources=kind.sources)
    if merged.take:
        store.update(row, merged.take)
    store.record(kind, name, new, merged.offer)
    return _change(kind, name, _outcome(mine, new, merged), merged, mine)


def _load_missing_row(store: Store, kind: Kind, name: Name, new: Values) -> Change:
    """A row that was never there is created; one that the team deleted, or that is about what they deleted, is not."""
    create = store.fact(kind, name) is None and store.stands(kind, name, new)
    if create:
        store.create(name, new)
    store.record(kind, name, new, {})
    return _change(kind, name, Outcome.CREATED if create else Outcome.DELETED, Merged(), {})


def _retire_row(store: Store, kind: Kind, name: Name) -> Change | None:
    """What vanished from the files is retired, unless the team has deleted it or taken it back."""
    fact, row = store.fact(kind, name), store.row(kind, name)
    if fact is None or row is None or not kind.retires:
        return None
    new = {**fact.values, "retired": True}
    mine = store.values(kind, row)
    merged = merge(base=fact.values, mine=mine, new=new, offer={}, sources=kind.sources)
    if not merged.take:
        return None
    store.update(row, merged.take)
    store.record(kind, name, new, {})
    return _change(kind, name, Outcome.RETIRED, merged, mine)


def _outcome(mine: Values, new: Values, merged: Merged) -> Outcome:
    if merged.offer:
        return Outcome.OFFERED
    if merged.take:
        return Outcome.UPDATED
    edited = any(mine[name] != value for name, value in new.items() if name not in QUIET)
    return Outcome.KEPT if edited else Outcome.UNCHANGED


def _change(kind: Kind, name: Name, outcome: Outcome, merged: Merged, mine: Values) -> Change:
    had = {field: mine.get(field) for field in (*merged.take, *merged.offer)}
    return Change(name[0], kind.name, name[1], outcome, merged.take, merged.offer, had)
