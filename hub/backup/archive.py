"""The file of a backup, part by part. It is written and read as a stream: memory does not grow with it."""

import gzip
import hashlib
import json
import tarfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Self

FORMAT = 1
MANIFEST, SUMS, END = "manifest.json", "SHA256SUMS", "end.json"
TABLES, MEDIA = "tables/", "media/"
_PIECE = 1 << 20
_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, KeyError, TypeError)


class BackupError(Exception):
    """Why it cannot be saved or restored; the text names the part and the mend."""


@dataclass
class Summary:
    """What is inside: rows by table, and files. `missing` are files that have a row but were not on the storage."""

    rows: Counter[str] = field(default_factory=Counter)
    files: int = 0
    file_bytes: int = 0
    missing: int = 0

    def __str__(self) -> str:
        gone = f", {self.missing:,} files are missing" if self.missing else ""
        size = f"{self.rows.total():,} rows of {len(self.rows)} tables"
        return f"{size}, {self.files:,} files of {self.file_bytes:,} bytes{gone}"


class _Hashing(RawIOBase):
    """Passes on what is read of a part, and keeps its SHA-256."""

    def __init__(self, part: str, source: IO[bytes]) -> None:
        self._part, self._source, self._hash = part, source, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with naming(self._part):
            piece = self._source.read(len(buffer))
        self._hash.update(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def drain(self) -> str:
        """Reads what is left; the SHA-256 of all."""
        while self.read(_PIECE):
            pass
        return self._hash.hexdigest()


@contextmanager
def naming(part: str) -> Iterator[None]:
    """Turns what a damaged part throws into a BackupError that names it."""
    try:
        yield
    except _DAMAGE as error:
        raise BackupError(f"{part}: this part is damaged ({error}).") from error


class Writer:
    """`with Writer(file) as archive:`, then `begin` with the manifest, `add` for each part, `close` for the end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT)  # noqa: SIM115
        self._sums = TemporaryFile("w+b")  # noqa: SIM115
        self._now = int(time.time())
        self.summary = Summary()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sums.close()

    def begin(self, manifest: dict[str, Any]) -> None:
        self.add_bytes(MANIFEST, _json({"format": FORMAT, **manifest}))

    def add(self, name: str, size: int, source: IO[bytes]) -> None:
        """One part of exactly `size` bytes. OSError when the source has fewer."""
        part = tarfile.TarInfo(name)
        part.size, part.mode, part.mtime = size, 0o600, self._now
        hashing = _Hashing(name, source)
        self._tar.addfile(part, hashing)
        self._tar.members.clear()  # type: ignore[attr-defined]  # else it keeps a note of every part
        self._sums.write(f"{hashing.drain()}  {name}\n".encode())

    def add_bytes(self, name: str, content: bytes) -> None:
        self.add(name, len(content), BytesIO(content))

    def close(self) -> None:
        size = self._sums.tell()
        self._sums.seek(0)
        digest = hashlib.file_digest(self._sums, "sha256").hexdigest()
        self._sums.seek(0)
        sums, self._sums = self._sums, TemporaryFile("w+b")  # noqa: SIM115
        with sums:
            self.add(SUMS, size, sums)
        made = self.summary
        self.add_bytes(
            END,
            _json(
                {
                    "sums": digest,
                    "rows": made.rows,
                    "files": made.files,
                    "file_bytes": made.file_bytes,
                    "missing": made.missing,
                }
            ),
        )
        self._tar.close()


class Reader:
    """`with Reader(path) as archive:` reads the parts in their order and checks each; BackupError names a bad one."""

    def __init__(self, path: Path) -> None:
        self._last, self._digest = "its beginning", ""
        try:
            self._tar = tarfile.open(path, "r:")  # noqa: SIM115
        except OSError as error:
            raise BackupError(f"{path} cannot be read: {error.strerror}.") from error
        except tarfile.TarError as error:
            raise BackupError(f"{path} is no backup of the hub, or its beginning is damaged.") from error
        self._sums = TemporaryFile("w+b")  # noqa: SIM115
        self.summary: Summary | None = None
        try:
            self.manifest = self._manifest(path)
        except BackupError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._tar.close()
        self._sums.close()

    def parts(self) -> Iterator[tuple[str, int, RawIOBase]]:
        """Name, size and content of each part of rows or files. At the end `summary` tells what there was.

        A part is checked after whoever asked for it has had it: what was done with it must be undone on BackupError.
        """
        while part := self._next():
            name, stream = part.name, self._stream(part)
            if name == SUMS:
                self._compare(stream)
            elif name == END:
                self.summary = self._end(stream)
                return
            elif name.startswith((TABLES, MEDIA)):
                yield name, part.size, stream
            else:
                raise BackupError(f"{name}: this part does not belong to a backup of the hub.")
            self._finish(name, stream)
        raise BackupError(f"The file is cut off or damaged after {self._last}.")

    def _manifest(self, path: Path) -> dict[str, Any]:
        part = self._next()
        if part is None or part.name != MANIFEST:
            raise BackupError(f"{path} is no backup of the hub.")
        stream = self._stream(part)
        with naming(MANIFEST):
            manifest: dict[str, Any] = json.loads(stream.read())
            made_for = int(manifest["format"])
        if made_for > FORMAT:
            raise BackupError(f"{path} was written by a newer hub ({manifest.get('hub')}): restore it with that one.")
        self._finish(MANIFEST, stream)
        return manifest

    def _next(self) -> tarfile.TarInfo | None:
        with naming(f"what follows {self._last}"):
            part = self._tar.next()
        self._tar.members.clear()  # type: ignore[attr-defined]
        return part

    def _stream(self, part: tarfile.TarInfo) -> _Hashing:
        content = self._tar.extractfile(part) if part.isreg() else None
        if content is None:
            raise BackupError(f"{part.name}: this part does not belong to a backup of the hub.")
        return _Hashing(part.name, content)

    def _finish(self, name: str, stream: _Hashing) -> None:
        self._digest = stream.drain()
        self._sums.write(f"{self._digest}  {name}\n".encode())
        self._last = name

    def _compare(self, stated: RawIOBase) -> None:
        """Each line of the sums against what was read; the first that differs names the damaged part."""
        self._sums.seek(0)
        lines = BufferedReader(stated)
        for read in self._sums:
            if lines.readline() != read:
                raise BackupError(f"{read.split(b'  ', 1)[1].decode().strip()}: this part, or {SUMS}, is damaged.")
        if lines.readline():
            raise BackupError(f"{SUMS}: it names parts that are not there.")
        lines.detach()

    def _end(self, stream: _Hashing) -> Summary:
        with naming(END):
            told = json.loads(stream.read())
            if told["sums"] != self._digest:  # of the part just before
                raise BackupError(f"{SUMS}: this part is damaged.")
            return Summary(Counter(told["rows"]), told["files"], told["file_bytes"], told["missing"])


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()
