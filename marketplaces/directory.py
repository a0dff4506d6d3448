"""The shipped `directory.toml` files become rows, and stay in step with them without undoing the team's own edits.

`ShippedFact` keeps what the last release shipped for each row. With it a new release is merged three ways: what the
team never touched follows the file, what they edited stays theirs and the shipped value is offered, what they deleted
stays deleted, what vanished from the files is retired.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from django.db import transaction

from marketplaces import platform
from marketplaces.directory_file import read_all
from marketplaces.directory_merge import QUIET, Merged, Values, adopt, merge
from marketplaces.directory_report import Change, Outcome, Report
from marketplaces.directory_rows import KINDS, Kind, Name, shipped
from marketplaces.directory_store import Store
from marketplaces.models import ShippedFact

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
        store.save_facts()
        transaction.set_rollback(dry_run)
    return report


def take_offer(*, fact: ShippedFact, now: datetime) -> None:
    """The team takes what the release offers in place of their own values."""
    name = (fact.marketplace, fact.key)
    with transaction.atomic():
        store = Store(now)
        kind = next(kind for kind in KINDS if kind.name == fact.kind)
        for earlier in KINDS[: KINDS.index(kind) + 1]:
            store.read(earlier)
        current, row = store.fact(kind, name), store.row(kind, name)
        if current and row is not None and current.offer:
            store.update(row, current.offer)
            store.record(kind, name, current.values, {})
            store.flush(kind)
            store.save_facts()


def keep_own(*, fact: ShippedFact) -> None:
    """The team keeps their own values; nothing more is offered until the release changes them again."""
    ShippedFact.objects.filter(pk=fact.pk).update(offer={})


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
    return _change(kind, name, _outcome(mine, new, merged), merged)


def _load_missing_row(store: Store, kind: Kind, name: Name, new: Values) -> Change:
    """A row that was never there is created; one that the team deleted, or that is about what they deleted, is not."""
    create = store.fact(kind, name) is None and store.stands(kind, name, new)
    if create:
        store.create(name, new)
    store.record(kind, name, new, {})
    return _change(kind, name, Outcome.CREATED if create else Outcome.DELETED, Merged())


def _retire_row(store: Store, kind: Kind, name: Name) -> Change | None:
    """What vanished from the files is retired, unless the team has deleted it or taken it back."""
    fact, row = store.fact(kind, name), store.row(kind, name)
    if fact is None or row is None or not kind.retires:
        return None
    new = {**fact.values, "retired": True}
    merged = merge(base=fact.values, mine=store.values(kind, row), new=new, offer={}, sources=kind.sources)
    if not merged.take:
        return None
    store.update(row, merged.take)
    store.record(kind, name, new, {})
    return _change(kind, name, Outcome.RETIRED, merged)


def _outcome(mine: Values, new: Values, merged: Merged) -> Outcome:
    if merged.offer:
        return Outcome.OFFERED
    if merged.take:
        return Outcome.UPDATED
    edited = any(mine[name] != value for name, value in new.items() if name not in QUIET)
    return Outcome.KEPT if edited else Outcome.UNCHANGED


def _change(kind: Kind, name: Name, outcome: Outcome, merged: Merged) -> Change:
    return Change(name[0], kind.name, name[1], outcome, tuple(merged.take), merged.offer)
