"""From a backup into an empty database and file storage, or in place of what is there."""

import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.apps import apps
from django.apps.registry import Apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from appeals.models import Shop
from hub.backup import rows
from hub.backup.archive import MEDIA, TABLES, BackupError, Reader, Summary, naming
from hub.models import User

Migrations = set[tuple[str, str]]


def check(path: Path) -> tuple[dict[str, Any], Summary]:
    """What the file says of itself, and what is inside, after reading all of it. BackupError names a damaged part."""
    with Reader(path) as archive:
        counted, files = Counter[str](), 0
        for name, _size, content in archive.parts():
            files += name.startswith(MEDIA)
            if name.startswith(TABLES):
                counted[_label(name)] += sum(1 for _line in _lines(name, content))
    summary = archive.summary
    if summary is None or summary.rows != counted or summary.files != files:
        raise BackupError(f"{path}: the counts at its end are not those of its parts.")
    return archive.manifest, summary


def load(path: Path, *, replace: bool = False, tell: Callable[[str], None] = lambda text: None) -> Summary:
    """Restores the backup into an empty database, or in place of what is there, in one transaction.

    The whole file is checked before anything is changed. Whatever fails later leaves the rows and the files that were
    there as they were. Raises BackupError.
    """
    manifest, summary = check(path)
    tell(f"The file is whole: {summary}.")
    stated = {(app, name) for app, name in manifest["migrations"]}
    older = _is_older(stated, manifest["hub"])
    if not is_empty():
        if not replace:
            raise BackupError("The database is not empty: there are people or shops. Use --replace to lose them.")
        if older:
            raise BackupError(
                f"The backup is of an older release ({manifest['hub']}), which cannot replace what a newer one has"
                " written. Set DATABASE_URL to an empty database, or HUB_DATA_DIR to an empty folder, and restore it"
                " there: it is migrated after."
            )
    registry = _schema_of(stated, older)
    with _former_files() as former:
        with _files_undone() as files, _failing_by_name(), transaction.atomic():
            rows.clear(rows.tables(registry).values())
            _fill(path, registry, files)
        forget(former)
    if older:
        call_command("migrate", interactive=False, verbosity=0)
    ContentType.objects.clear_cache()
    return summary


def is_empty() -> bool:
    """Nobody has used it: what migrations and the shipped directory write can be written again."""
    there = connection.introspection.table_names()
    return not any(model._meta.db_table in there and model._base_manager.exists() for model in (User, Shop))


def _is_older(stated: Migrations, release: str) -> bool:
    """Whether this release has migrations that the file has not. BackupError when it is the other way round."""
    ours = set(MigrationExecutor(connection).loader.disk_migrations)
    if newer := sorted(stated - ours):
        app, name = newer[-1]
        raise BackupError(
            f"The backup is of a newer release ({release}), which has the migration {app}.{name}."
            " Upgrade the hub to it, and restore then."
        )
    return bool(ours - stated)


def _schema_of(stated: Migrations, older: bool) -> Apps:
    """Brings the tables to where the backup was made; the models as they were then."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    targets = sorted(key for key in stated if not stated & {child.key for child in graph.node_map[key].children})
    executor.migrate(targets)
    if not older:
        return apps
    registry: Apps = executor.loader.project_state(targets).apps
    return registry


def _fill(path: Path, registry: Apps, files: "_Files") -> None:
    models_, counted = rows.copied(registry), Counter[str]()
    with Reader(path) as archive:
        stated = archive.manifest["tables"]
        into = {label: rows.Table(models_[label], names) for label, names in stated.items()}
        for name, size, content in archive.parts():
            if name.startswith(TABLES):
                counted[_label(name)] += _insert(into[_label(name)], name, content)
            else:
                files.put(name.removeprefix(MEDIA), size, content)
    if archive.summary is None or archive.summary.rows != counted:
        raise BackupError(f"{path} changed while it was read.")
    connection.check_constraints()
    rows.reset_sequences(list(models_.values()))


def _insert(table: rows.Table, part: str, content: RawIOBase) -> int:
    try:
        return table.insert(_lines(part, content))
    except Error as error:
        raise BackupError(f"{part}: the database does not take it: {str(error).partition(chr(10))[0]}") from error


def _label(part: str) -> str:
    return part.split("/")[1]


def _lines(part: str, content: RawIOBase) -> Iterator[bytes]:
    with naming(part), gzip.open(content) as lines:
        yield from lines


@contextmanager
def _failing_by_name() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, SuspiciousFileOperation) as error:
        raise BackupError(f"The backup does not fit this hub: {error}") from error
    except Error as error:
        raise BackupError(f"The database does not take it: {str(error).partition(chr(10))[0]}") from error
    except OSError as error:
        raise BackupError(f"The files cannot be written: {error}") from error


class _Files:
    """Writes files under the names that rows know them by, with a journal to undo it."""

    def __init__(self, journal: IO[str]) -> None:
        self._journal = journal

    def put(self, name: str, size: int, content: RawIOBase) -> None:
        if default_storage.exists(name):
            kept = self._keep(name)
            default_storage.delete(name)
        else:
            kept = ""
        self._journal.write(f"{kept}\t{name}\n")
        saved = default_storage.save(name, _Sized(content, size))
        if saved != name:
            default_storage.delete(saved)
            raise BackupError(f"{MEDIA}{name}: the file could not be written under its own name.")

    @staticmethod
    def _keep(name: str) -> str:
        """A copy of what was there, under another name."""
        with default_storage.open(name, "rb") as file:
            return default_storage.save(f"replaced/{name}", file)

    def undo(self) -> list[str]:
        """Goes on after a file that cannot be put back, and says where what it replaced lies."""
        left = []
        for kept, name in self._entries():
            try:
                self._put_back(kept, name)
            except Exception as error:  # each storage has its own errors; the other files wait
                left.append(f"{name}: {error}" + (f" (its content is in {kept})" if kept else ""))
        return left

    @staticmethod
    def _put_back(kept: str, name: str) -> None:
        default_storage.delete(name)
        if kept:
            with default_storage.open(kept, "rb") as file:
                saved = default_storage.save(name, file)
            if saved != name:
                default_storage.delete(saved)
                raise OSError("another file has its name")
            default_storage.delete(kept)

    def settle(self) -> None:
        for kept, _name in self._entries():
            if kept:
                default_storage.delete(kept)

    def _entries(self) -> Iterator[tuple[str, str]]:
        self._journal.seek(0)
        for entry in self._journal:
            kept, _tab, name = entry.rstrip("\n").partition("\t")
            yield kept, name


class _Sized(File):  # type: ignore[type-arg]  # Django's is not generic when it runs
    """A part of the archive as a file that a storage takes: read once, from its beginning."""

    def __init__(self, content: RawIOBase, size: int) -> None:
        super().__init__(content)  # type: ignore[arg-type]
        self.size = size

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while piece := self.file.read(chunk_size or self.DEFAULT_CHUNK_SIZE):  # type: ignore[union-attr]
            yield piece

    def seekable(self) -> bool:
        return False


@contextmanager
def _files_undone() -> Iterator[_Files]:
    """Files that were written are taken away again, and those that they replaced put back, unless all went well."""
    with TemporaryFile("w+", encoding="utf-8") as journal:
        files = _Files(journal)
        try:
            yield files
        except BaseException as error:
            if left := files.undo():
                raise BackupError(
                    f"{error} Nothing was restored, but these files could not be put back: {'; '.join(left)}"
                ) from error
            raise
        files.settle()


@contextmanager
def _former_files() -> Iterator[IO[str]]:
    """The names of the files that rows speak of now."""
    there = connection.introspection.table_names()
    with TemporaryFile("w+", encoding="utf-8") as names:
        for model, field in rows.file_fields(apps):
            if model._meta.db_table in there:
                found = model._base_manager.values_list(field.name, flat=True)
                names.writelines(f"{name}\n" for name in found.iterator(chunk_size=rows.BATCH) if name)
        yield names


def forget(former: IO[str]) -> None:
    """Deletes the files that no row speaks of any more."""
    former.seek(0)
    fields = list(rows.file_fields(apps))
    for entry in former:
        name = entry.rstrip("\n")
        if not any(model._base_manager.filter(**{field.name: name}).exists() for model, field in fields):
            default_storage.delete(name)
