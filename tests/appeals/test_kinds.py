"""The kind of a file is told by its bytes: an archive is no letter, a table is no letter, and a note is a note."""

import io
import zipfile

import docx
import pytest

from appeals import kinds

OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def told(content: bytes) -> str:
    file = io.BytesIO(content)
    kind = kinds.kind_of(file)
    assert file.tell() == 0
    return kind


def archive(*names: str, content: bytes = b"x") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name in names:
            packed.writestr(name, content)
    return file.getvalue()


def old_office(*streams: str) -> bytes:
    """A folder of streams whose names stand in its third sector."""
    head = bytearray(OLD_OFFICE.ljust(512, b"\0"))
    head[30], head[48] = 9, 2
    names = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in ("Root Entry", *streams))
    return bytes(head) + b"\0" * 1024 + names.ljust(512, b"\0")


def letter() -> bytes:
    file = io.BytesIO()
    docx.Document().save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (letter(), kinds.DOCX),
        (archive("[Content_Types].xml", "word/document.xml"), kinds.DOCX),
        (archive("[Content_Types].xml", "xl/workbook.xml"), kinds.XLSX),
        (archive("photo.jpg", "list.txt"), kinds.ZIP),
        (archive("word/document.xml"), kinds.ZIP),
        (archive("[Content_Types].xml", "xl/workbook.xml", "word/document.xml"), kinds.ZIP),
        (archive("inner.zip", content=letter()), kinds.ZIP),
        (letter()[:-40], kinds.ZIP),
        (b"PK\x03\x04" + b"\0" * 60, kinds.ZIP),
    ],
)
def test_an_archive_is_what_its_list_of_parts_says(content: bytes, kind: str) -> None:
    assert told(content) == kind


@pytest.mark.parametrize(
    ("streams", "kind"),
    [
        (("1Table", "WordDocument"), kinds.WORD),
        (("Workbook",), kinds.EXCEL),
        (("Book",), kinds.EXCEL),
        (("Current User", "PowerPoint Document"), kinds.SLIDES),
        (("__nameid_version1.0",), kinds.MAIL),
        (("\u4840\u3f3f",), ""),
        ((), ""),
    ],
)
def test_an_old_office_file_is_a_letter_a_table_or_refused(streams: tuple[str, ...], kind: str) -> None:
    assert told(old_office(*streams)) == kind


@pytest.mark.parametrize("content", [OLD_OFFICE, OLD_OFFICE + b"\xff" * 600])
def test_a_folder_of_streams_that_leads_nowhere_is_refused(content: bytes) -> None:
    assert told(content) == ""


@pytest.mark.parametrize(
    "text",
    [
        "BMW X5, заказ 12",
        "MZ-123 is the number",
        "From: support@example.com\nSubject: Re: выплата\n\nТекст",
        '{"order": "12"}',
        "номер;сумма\r\n1;2\r\n",
        "1 < 2",
        "ы" * 5000,
        "\f\v",
    ],
)
def test_a_note_is_a_text_however_it_begins(text: str) -> None:
    assert told(text.encode()) == kinds.TEXT


def test_a_table_from_a_russian_windows_is_a_text() -> None:
    assert told("номер;«сумма»;№ — итог\r\n1;2\r\n".encode("cp1251")) == kinds.TEXT
    assert told(bytes(range(128, 256))) == ""


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b" \r\n<svg onload=x>",
        b"\xef\xbb\xbf<html>",
        "\u00a0<script>".encode(),
        b"<\xe8\xe8\xe8>",
        b"{\\rtf1 x}",
        b"%!PS-Adobe",
        b"MZ\x90\x00\x03",
        b"\x7fELF\x02\x01",
        b"",
    ],
)
def test_what_programs_take_for_more_than_a_text_is_refused(content: bytes) -> None:
    assert told(content) == ""


def test_a_pdf_of_printable_characters_alone_is_a_pdf() -> None:
    assert told(b"%PDF-1.4\n1 0 obj\n") == "application/pdf"
