"""What a file is: told by its bytes, whatever it is called."""

from collections.abc import Iterator
from typing import IO, Final

import puremagic

TEXT: Final = "text/plain"
ZIP: Final = "application/zip"
WORD: Final = "application/msword"
EXCEL: Final = "application/vnd.ms-excel"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SLIDES: Final = "application/vnd.ms-powerpoint"
MAIL: Final = "application/vnd.ms-outlook"
# What support desks take and people can open; HTML and SVG are not here, because they can carry scripts. Each with the
# endings by which a computer opens it as what it is
ACCEPTED: Final[dict[str, tuple[str, ...]]] = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg", "jfif"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "application/pdf": ("pdf",),
    ZIP: ("zip", "docx", "xlsx", "pptx", "odt", "ods", "odp"),
    WORD: ("doc",),
    EXCEL: ("xls",),
    SLIDES: ("ppt",),
    MAIL: ("msg",),
    DOCX: ("docx",),
    XLSX: ("xlsx",),
    "video/mp4": ("mp4", "m4v", "mov"),
    "video/quicktime": ("mov", "mp4"),
    TEXT: ("txt", "csv", "tsv", "log", "md", "json", "eml"),
}
_HEAD: Final = 8192
_TAIL: Final = 256 * 1024
_CONTROLS: Final = bytes({*range(32), 127} - set(b"\t\n\v\f\r"))
_NO_TEXT: Final = ("<", "{\\rtf", "%!PS", "%PDF", "GIF8")
_PARTS: Final = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX}
_STREAMS: Final = {
    "WordDocument": WORD,
    "Workbook": EXCEL,
    "Book": EXCEL,
    "PowerPoint Document": SLIDES,
    "__nameid_version1.0": MAIL,
    "__properties_version1.0": MAIL,
}


def kind_of(file: IO[bytes]) -> str:
    """The MIME type, one of ACCEPTED; empty for what is not accepted. The file stands at its beginning afterwards."""
    try:
        head = file.read(_HEAD)
        if is_text(head):
            return TEXT
        if head.startswith(b"PK\x03\x04"):
            return _in_archive(file)
        if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
            return _in_compound(file, head)
        kind = _by_signature(head)
        return kind if kind in ACCEPTED else ""
    finally:
        file.seek(0)


def is_text(head: bytes) -> bool:
    """Plain text in UTF-8, cut anywhere, or in the Cyrillic of Windows, that no program takes for more than that."""
    if head.translate(None, _CONTROLS) != head:
        return False
    try:
        text = head.decode(errors="ignore" if len(head) == _HEAD else "strict")
    except UnicodeDecodeError:
        text = _cyrillic(head)
    return bool(text) and not text.lstrip("\ufeff \t\n\v\f\r\u00a0").startswith(_NO_TEXT)


def _cyrillic(head: bytes) -> str:
    """The text, where nearly all that is not ASCII would be Russian letters; empty where it is no text."""
    text = head.decode("cp1251", errors="replace")
    foreign = [char for char in text if char > "\x7f"]
    letters = sum("а" <= char.lower() <= "я" or char in "Ёё№«»–—…" for char in foreign)
    return text if letters >= 0.95 * len(foreign) else ""


def _by_signature(head: bytes) -> str:
    try:
        return str(puremagic.from_string(head, mime=True))
    except (puremagic.PureError, ValueError):
        return ""


def _in_archive(file: IO[bytes]) -> str:
    """An office document is an archive with a main part. The list of parts stands at the end; more is not read."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL))
    names = set(_parts(file.read()))
    kinds = {kind for name, kind in _PARTS.items() if name in names}
    return kinds.pop() if len(kinds) == 1 and "[Content_Types].xml" in names else ZIP


def _parts(tail: bytes) -> Iterator[str]:
    """The names in the archive's list, not those of an archive that it holds."""
    end = tail.rfind(b"PK\x05\x06")
    at = end - int.from_bytes(tail[end + 12 : end + 16], "little")
    while 0 <= at < end and tail.startswith(b"PK\x01\x02", at):
        name, extra, comment = (int.from_bytes(tail[at + place : at + place + 2], "little") for place in (28, 30, 32))
        yield tail[at + 46 : at + 46 + name].decode("latin-1")
        at += 46 + name + extra + comment


def _in_compound(file: IO[bytes], head: bytes) -> str:
    """The old office formats are folders of streams, and so are installers: the first names tell which it is."""
    sector = 1 << min(int.from_bytes(head[30:32], "little"), 16)
    file.seek((int.from_bytes(head[48:52], "little") + 1) * sector)
    entries = file.read(4096)
    for start in range(0, len(entries), 128):
        name = entries[start : start + 64].decode("utf-16-le", errors="replace").split("\0")[0]
        if name in _STREAMS:
            return _STREAMS[name]
    return ""
