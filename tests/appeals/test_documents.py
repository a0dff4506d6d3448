"""Word documents: what goes in comes out, byte by byte the same, and the file tells nothing but what it was given."""

import hashlib
import time
import zipfile
from datetime import UTC, datetime
from io import BytesIO

import docx
import docx.document
import pytest

from appeals import documents
from appeals.documents import Block, Paragraph, Table

AT = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
BLOCKS: list[Block] = [
    Paragraph("Кому: ООО «Пример»", "side"),
    Paragraph("ПРЕТЕНЗИЯ", "title"),
    Paragraph("Первая строка\nвторая <b>строка</b> & «кавычки»\tтаб"),
    Table(("Дата", "Событие"), [("12 января 2026 г.", "Обращение"), ("13 января 2026 г.", "Ответ 😀")], (4, 12)),
    Paragraph("1. Копия обращения", "item"),
    Paragraph("2. Расчёт", "item"),
    Paragraph("Примечание", "note"),
]


def opened(data: bytes) -> docx.document.Document:
    return docx.Document(BytesIO(data))


def test_what_went_in_comes_out() -> None:
    document = opened(documents.docx(BLOCKS, title="Претензия", at=AT, footer="Черновик"))
    assert [paragraph.text for paragraph in document.paragraphs] == [
        block.text for block in BLOCKS if isinstance(block, Paragraph)
    ]
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [
        ["Дата", "Событие"],
        ["12 января 2026 г.", "Обращение"],
        ["13 января 2026 г.", "Ответ 😀"],
    ]
    assert document.sections[0].footer.paragraphs[0].text.strip() == "Черновик"


def test_the_same_blocks_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = documents.docx(BLOCKS, title="Претензия", at=AT)
    later = time.time() + 100_000
    monkeypatch.setattr(time, "time", lambda: later)
    again = documents.docx(BLOCKS, title="Претензия", at=AT)
    assert hashlib.sha256(first).digest() == hashlib.sha256(again).digest()
    assert {info.date_time for info in zipfile.ZipFile(BytesIO(first)).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_file_says_of_itself_what_it_was_given_and_names_no_program() -> None:
    data = documents.docx(BLOCKS, title="Претензия", at=AT, author="ООО «Пример»")
    about = opened(data).core_properties
    assert (about.title, about.author, about.last_modified_by) == ("Претензия", "ООО «Пример»", "ООО «Пример»")
    assert about.created == about.modified == AT
    assert about.comments == ""
    parts = zipfile.ZipFile(BytesIO(data))
    assert not [name for name in parts.namelist() if "thumbnail" in name or "app.xml" in name]
    assert b"python" not in b"".join(parts.read(name) for name in parts.namelist())


def test_what_a_file_cannot_hold_is_left_out_and_the_rest_stays() -> None:
    text = "до\x00после\x0b\x1b[31m\r\nстрока\rещё\ud800\ufffe😀"
    assert documents.clean(text) == "допосле[31m\nстрока\nещё😀"
    (paragraph,) = opened(documents.docx([Paragraph(text)], title=text * 99, at=AT, footer=text)).paragraphs
    assert paragraph.text == documents.clean(text)


def test_as_text_items_stand_together_and_a_row_is_a_line() -> None:
    assert documents.plain(BLOCKS) == (
        "Кому: ООО «Пример»\n\nПРЕТЕНЗИЯ\n\nПервая строка\nвторая <b>строка</b> & «кавычки»\tтаб\n\n"
        "12 января 2026 г. — Обращение\n13 января 2026 г. — Ответ 😀\n\n1. Копия обращения\n2. Расчёт\n\nПримечание"
    )


def test_nothing_is_a_document_too() -> None:
    assert opened(documents.docx([], title="", at=AT)).paragraphs == []
    assert documents.plain([]) == ""
