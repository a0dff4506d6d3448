"""A `directory.toml` that a person brings: it sets what it says, as if they had typed it in, and deletes nothing."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction

from marketplaces.directory import SHARED_FILE
from marketplaces.directory_export import OWN_SOURCE, row_of
from marketplaces.directory_file import DirectoryFile, DirectoryFileError, Problem, read_directory, read_shared
from marketplaces.directory_merge import Values, same
from marketplaces.directory_report import Change, Outcome, Report
from marketplaces.directory_rows import CHANNEL, KINDS, SOURCE, TARGET, TOPIC, Kind, Name, shipped
from marketplaces.directory_schema import SharedFile
from marketplaces.directory_store import Row, Store
from marketplaces.history import Action
from marketplaces.models import Marketplace, ResponseTarget

if TYPE_CHECKING:
    from hub.models import User


def import_text(*, text: str, name: str, now: datetime, actor: "User", dry_run: bool = False) -> Report:
    """Writes what the file says, all or nothing; `name` is the file's, for messages. Raises DirectoryFileError."""
    shared = read_shared(SHARED_FILE)
    file = _read(text, name, shared)
    report = Report(dry_run=dry_run)
    with transaction.atomic():
        store = Store(now, action=Action.IMPORTED, actor=actor)
        for kind in KINDS:
            store.read(kind)
            for row_name, values in _said(store, kind, shared, file):
                report.changes.append(_import_row(store, kind, row_name, values, file.marketplace.time_zone))
            store.flush(kind)
        store.save()
        _check(file.marketplace.slug, name)
        transaction.set_rollback(dry_run)
    return report


def place_of(text: str, name: str) -> Marketplace | None:
    """The marketplace that a file is about, if it is in the directory."""
    slug = _read(text, name, read_shared(SHARED_FILE)).marketplace.slug
    return Marketplace.objects.filter(slug=slug).first()


def _read(text: str, name: str, shared: SharedFile) -> DirectoryFile:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "directory.toml"
        path.write_text(text, encoding="utf-8")
        try:
            return read_directory(path, shared)
        except DirectoryFileError as error:
            raise DirectoryFileError(
                problem.model_copy(update={"path": name}) for problem in error.problems
            ) from error


def _said(store: Store, kind: Kind, shared: SharedFile, file: DirectoryFile) -> Iterator[tuple[Name, Values]]:
    """What this file alone says, with this installation's names for what it exported itself."""
    for name, values in shipped(kind, shared, [file]).items():
        ours = name[1] in file.sources if kind is SOURCE else name[0] == file.marketplace.slug
        if ours and not (kind is SOURCE and OWN_SOURCE.fullmatch(name[1])):
            yield (name[0], row_of(kind, name[1])), _translated(store, kind, values, file)


def _translated(store: Store, kind: Kind, values: Values, file: DirectoryFile) -> Values:
    said = {name: value for name, value in values.items() if name != "retired"}
    for column, model in (*kind.references, *((column, kind.model) for column in kind.own)):
        said[column] = _reference(store, model, said[column])
    for column in kind.many:
        model = kind.field(column).related_model
        said[column] = sorted(_reference(store, model, key) for key in said[column])
    for name, value in said.items():
        if name == "source":
            said[name] = _source(value, file)
        elif isinstance(value, dict):
            said[name] = {**value, "source": _source(value["source"], file)}
    return said


def _reference(store: Store, model: object, key: str) -> str:
    """A row of the team's own is called "#" and its id here; a topic of theirs is exported under its slug."""
    kind = next(kind for kind in KINDS if kind.model is model)
    topic = store.row(kind, ("", key)) if kind is TOPIC and key else None
    return f"#{topic.pk}" if topic is not None and not topic.key else row_of(kind, key)


def _source(keys: str, file: DirectoryFile) -> str:
    """The text that an exported row had in place of a source."""
    return file.sources[keys].title if OWN_SOURCE.fullmatch(keys) else keys


def _import_row(store: Store, kind: Kind, name: Name, values: Values, zone: str) -> Change:
    row = store.row(kind, name)
    if row is None:
        whole = {**values, "retired": False} if kind.retires else values
        stands = store.stands(kind, name, whole)
        if stands:
            store.create(name, whole)
        return Change(name[0], kind.name, name[1], Outcome.CREATED if stands else Outcome.DELETED)
    mine = store.values(kind, row)
    if kind is CHANNEL:  # without one of its own it is in the zone of the marketplace, as in the file
        mine["time_zone"] = mine["time_zone"] or zone
    took = {field: value for field, value in values.items() if _differs(field, value, values, mine)}
    if took:
        store.update(row, took)
    had = {field: mine[field] for field in took}
    return Change(name[0], kind.name, _title(kind, row), Outcome.UPDATED if took else Outcome.UNCHANGED, took, {}, had)


def _differs(field: str, value: object, values: Values, mine: Values) -> bool:
    """Neither the order of the rows, nor a Russian text in place of an English one that is missing, is a change."""
    if field == "position" or same(mine[field], value):
        return False
    return not (field.endswith("_en") and not mine[field] and value == values[field.removesuffix("_en")])


def _title(kind: Kind, row: Row) -> str:
    return str(getattr(row, kind.key) or f"#{row.pk}")


def _check(slug: str, name: str) -> None:
    """The file is right in itself; together with what the team has it must be too."""
    for target in ResponseTarget.objects.filter(marketplace__slug=slug, retired_at=None).select_related(
        "marketplace", "topic", "channel__marketplace"
    ):
        try:
            target.clean()
        except ValidationError as error:
            key = f"{TARGET.name}[{_title(TARGET, target)}]"
            raise DirectoryFileError(
                [Problem(path=name, line=1, key=key, message=" ".join(error.messages))]
            ) from error
