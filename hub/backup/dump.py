"""From the database and the file storage into a backup."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

import hub
from hub.backup import rows
from hub.backup.archive import MEDIA, TABLES, BackupError, Reader, Summary, Writer

PART_BYTES = 4 << 20


def dump(path: Path) -> Summary:
    """Writes the backup, reads it again to see that it is whole, and only then gives it its name.

    Rows and names of files are of one moment, while the hub goes on working. Raises BackupError.
    """
    if path.exists():
        raise BackupError(f"{path} is there already: a backup replaces nothing.")
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise BackupError("The database is of an older release: run manage.py up --only prepare first.")
    try:
        handle, name = mkstemp(dir=path.parent, prefix=f".{path.name}-")  # readable by its owner only
    except OSError as error:
        raise BackupError(f"{path.parent} cannot be written: {error.strerror}.") from error
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            summary = _write(file)
            file.flush()
            os.fsync(file.fileno())
        _read_again(partial, summary)
        partial.rename(path)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return summary


def _write(file: Any) -> Summary:
    with _one_moment():
        models_ = rows.copied(apps)
        with Writer(file) as archive:
            archive.begin(_manifest(models_))
            for label, model in models_.items():
                archive.summary.rows[label] = _add_rows(archive, label, model)
            for name, storage in _files():
                _add_file(archive, name, storage)
            archive.close()
            return archive.summary


def _read_again(path: Path, written: Summary) -> None:
    with Reader(path) as archive:
        for _part in archive.parts():
            pass
    if archive.summary != written:
        raise BackupError(f"{path}: what was read again is not what was written.")


@contextmanager
def _one_moment() -> Iterator[None]:
    """Every query sees the database as it was at the first one, and nobody waits for us."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:  # not atomic(), which would take SQLite's one write lock
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            with suppress(Exception):
                cursor.execute("ROLLBACK")


def _manifest(models_: dict[str, type[models.Model]]) -> dict[str, Any]:
    applied = MigrationRecorder(connection).applied_migrations()
    return {
        "hub": hub.__version__,
        "made_at": timezone.now().isoformat(),
        "database": connection.vendor,
        "migrations": sorted(list(key) for key in applied),
        "tables": {label: [field.column for field in rows.columns(model)] for label, model in models_.items()},
    }


def _add_rows(archive: Writer, label: str, model: type[models.Model]) -> int:
    """The rows in parts of about PART_BYTES; how many rows."""
    names = [field.attname for field in rows.columns(model)]
    found = model._base_manager.order_by("pk").values_list(*names).iterator(chunk_size=rows.BATCH)
    count, size, lines, part = 0, 0, list[bytes](), 0
    for line in chain(map(rows.line, found), [None]):
        if line is not None:
            count, size = count + 1, size + len(line)
            lines.append(line)
        if lines and (line is None or size >= PART_BYTES):
            part += 1
            archive.add_bytes(f"{TABLES}{label}/{part:06}.jsonl.gz", gzip.compress(b"".join(lines), 6, mtime=0))
            size, lines = 0, []
    return count


def _files() -> Iterator[tuple[str, Any]]:
    """Names of all files that rows speak of, with their storage."""
    for model, field in rows.file_fields(apps):
        named = model._base_manager.exclude(**{field.name: ""}).order_by("pk").values_list(field.name, flat=True)
        for name in named.iterator(chunk_size=rows.BATCH):
            if name:
                yield name, field.storage


def _add_file(archive: Writer, name: str, storage: Any) -> None:
    """A file that is gone is counted and told: the backup of all the rest is worth having."""
    try:
        with storage.open(name, "rb") as file:
            archive.add(MEDIA + name, file.size, file)
            archive.summary.files += 1
            archive.summary.file_bytes += file.size
    except FileNotFoundError:
        archive.summary.missing += 1
