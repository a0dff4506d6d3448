"""An evidence pack: all that there is of an appeal or of a whole matter, as one ZIP for a lawyer.

It says what was kept, in Russian and in the marketplace's time zone, whoever takes it. The same data give the same
bytes: entries stand in a fixed order, are stored without compression and carry the times of what they hold; that
somebody took a pack is noted on the timeline and is no part of it. Files go from the storage into the ZIP piece by
piece, by way of the disk.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import PurePath
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from appeals import evidence_texts, timeline
from appeals.models import Appeal, Attachment, Event

if TYPE_CHECKING:
    from hub.models import User

FORMAT: Final = 1
_CHUNK: Final = 64 * 1024
_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_LONGEST_NAME: Final = 100


@dataclass(frozen=True)
class Entry:
    """One file of the pack: where it stands, what it is, the time it carries, and how it is read."""

    path: str
    kind: str
    appeal: int | None
    at: datetime
    open: Callable[[], IO[bytes]]
    recorded: str = ""
    """The SHA-256 that was noted when the file came in."""


def take(*, appeals: Sequence[Appeal], actor: User | None, now: datetime) -> IO[bytes]:
    """The pack as an open file, and a line on the timeline of each appeal that says who took it."""
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    write(appeals, file)
    file.seek(0)
    for appeal in appeals:
        timeline.tell(appeal, Event.Kind.EXPORTED, actor=actor, now=now)
    return file


def name(appeals: Sequence[Appeal]) -> str:
    """What the pack is called: after its first appeal."""
    first = min(appeal.pk for appeal in appeals)
    return f"evidence-{first}.zip" if len(appeals) == 1 else f"evidence-matter-{first}.zip"


def write(appeals: Sequence[Appeal], file: IO[bytes]) -> None:
    """Writes the pack of these appeals, all of one shop. A file that is gone from the storage is named as missing."""
    appeals = sorted(appeals, key=lambda one: one.pk)
    with translation.override("ru"), timezone.override(ZoneInfo(appeals[0].shop.marketplace.time_zone)):
        told = evidence_texts.events(appeals)
        written: list[dict[str, Any]] = []
        missing: list[dict[str, Any]] = []
        with ZipFile(file, "w", ZIP_STORED) as archive:
            for entry in sorted(_entries(appeals, told), key=lambda one: one.path):
                record = _add(archive, entry)
                (written if "size" in record else missing).append(record)
            at = evidence_texts.as_of(appeals, told)
            summary = _of_bytes(
                "manifest.txt", "manifest", None, at, evidence_texts.manifest(appeals, written, missing, at)
            )
            written.append(_add(archive, summary))
            data = _manifest(appeals, written, missing, at)
            _add(archive, _of_bytes("manifest.json", "manifest", None, at, data))


def safe_name(name: str) -> str:
    """A name that every system can write: no path, no signs that some of them refuse, its ending kept."""
    plain = _UNFIT.sub("_", unicodedata.normalize("NFC", name)).strip(". ")
    if _RESERVED.match(plain):
        plain = f"_{plain}"
    path = PurePath(plain or "file")
    suffix = path.suffix[:20]
    return f"{path.name[: len(path.name) - len(path.suffix)][: _LONGEST_NAME - len(suffix)].rstrip('. ')}{suffix}"


def _entries(appeals: Sequence[Appeal], told: Sequence[Event]) -> Iterator[Entry]:
    at = evidence_texts.as_of(appeals, told)
    yield _of_bytes("chronology.docx", "chronology", None, at, evidence_texts.chronology(appeals, told, at))
    for appeal in appeals:
        path = f"texts/No{appeal.pk}-0-appeal.txt"
        yield _of_bytes(path, "text", appeal.pk, appeal.submitted_at or appeal.created_at, evidence_texts.of(appeal))
        yield from _files(appeal)
        if sent := evidence_texts.mails(appeal):
            last = max(row.created_at for row in sent)
            path = f"mail/No{appeal.pk}-reminders.txt"
            yield _of_bytes(path, "mail", appeal.pk, last, evidence_texts.of_mails(sent))
    for number, event in enumerate(told, start=1):
        if content := evidence_texts.of_event(event):
            path = f"texts/No{event.appeal_id}-{number:04}-{event.kind}.txt"
            yield _of_bytes(path, "text", event.appeal_id, event.at, content)


def _files(appeal: Appeal) -> Iterator[Entry]:
    for number, attachment in enumerate(appeal.attachments.order_by("created_at", "id"), start=1):
        path = f"files/No{appeal.pk}/{number:02}-{safe_name(attachment.name)}"
        yield Entry(path, "file", appeal.pk, attachment.created_at, _opener(attachment), attachment.sha256)


def _opener(attachment: Attachment) -> Callable[[], IO[bytes]]:
    return lambda: attachment.file.storage.open(attachment.file.name or "", "rb")


def _of_bytes(path: str, kind: str, appeal: int | None, at: datetime, content: bytes) -> Entry:
    return Entry(path, kind, appeal, at, lambda: BytesIO(content))


def _add(archive: ZipFile, entry: Entry) -> dict[str, Any]:
    """Copies one entry; what it records has no size where the file could not be read."""
    record: dict[str, Any] = {"path": entry.path, "kind": entry.kind, "appeal": entry.appeal, "time": _utc(entry.at)}
    if entry.recorded:
        record["sha256_when_added"] = entry.recorded
    started = _started(entry)
    if started is None:
        return record
    first, source = started
    size, digest = 0, hashlib.sha256()
    with closing(source), archive.open(_info(entry), "w") as target:
        for chunk in _chunks(first, source):
            target.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return record | {"size": size, "sha256": digest.hexdigest()}


def _started(entry: Entry) -> tuple[bytes, IO[bytes]] | None:
    """The file with its first piece read; None where the storage has no such file, or cannot read it."""
    try:
        source = entry.open()
    except OSError:
        return None
    try:
        return source.read(_CHUNK), source
    except OSError:
        source.close()
        return None


def _chunks(first: bytes, source: IO[bytes]) -> Iterator[bytes]:
    chunk = first
    while chunk:
        yield chunk
        chunk = source.read(_CHUNK)


def _info(entry: Entry) -> ZipInfo:
    """The time of the entry on the marketplace's wall clock; ZIP knows no zones, and no year before 1980."""
    local = timezone.localtime(entry.at)
    info = ZipInfo(entry.path, date_time=max(local.timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
    info.create_system, info.external_attr = 3, 0o644 << 16
    return info


def _manifest(appeals: Sequence[Appeal], written: Iterable[Any], missing: Iterable[Any], at: datetime) -> bytes:
    """Times in UTC. `missing` are files that the hub knows of and that its storage no longer has."""
    said = {
        "format": FORMAT,
        "as_of": _utc(at),
        "marketplace": appeals[0].shop.marketplace.slug,
        "shop": {"name": appeals[0].shop.name, "legal_name": appeals[0].shop.legal_name, "inn": appeals[0].shop.inn},
        "appeals": [
            {
                "number": appeal.pk,
                "continues": appeal.previous_id,
                "external_number": appeal.external_number,
                "subject": appeal.subject,
                "status": appeal.status,
                "outcome": appeal.outcome or None,
                "created_at": _utc(appeal.created_at),
                "submitted_at": _utc(appeal.submitted_at),
                "resolved_at": _utc(appeal.resolved_at),
            }
            for appeal in appeals
        ],
        "entries": list(written),
        "missing": list(missing),
    }
    return json.dumps(said, ensure_ascii=False, indent=2).encode() + b"\n"


def _utc(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
