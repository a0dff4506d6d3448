"""Spreadsheets that people send: what fits is read as it is, and what would fill the memory is refused unread."""

import io
import re
import zipfile
from typing import Any

import pytest
from openpyxl import Workbook

from marketplaces import sheets


def book(*rows: list[Any]) -> bytes:
    made, file = Workbook(), io.BytesIO()
    for row in rows:
        made.active.append(row)
    made.save(file)
    return file.getvalue()


def altered(content: bytes, old: str, new: str) -> bytes:
    """The file with a text of its first sheet replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = source.read(name)
            target.writestr(name, part.replace(old.encode(), new.encode()) if name.endswith("sheet1.xml") else part)
    return file.getvalue()


def test_headings_and_rows_are_read_with_their_gaps() -> None:
    content = book(["shop", "subject", "sum"], ["Tea", "Money", 7], [], ["Tea"])
    headings, rows = sheets.read(content, most=3)
    assert headings == ["shop", "subject", "sum"]
    assert rows == [["Tea", "Money", 7], [None, None, None], ["Tea", None, None]]


@pytest.mark.parametrize("text", ["=1+1", "+7", "-7", "@a", "＝1+1", "\t=1", "\n=1", "'quoted", "plain", ""])
def test_a_guarded_text_is_no_formula_and_comes_back_as_it_was(text: str) -> None:
    assert sheets.guarded(text)[:1] not in ("=", "+", "-", "@", "＝", "\t", "\n")
    assert sheets.unguarded(sheets.guarded(text)) == text


@pytest.mark.parametrize(
    "text",
    ["a;=1+1;b", "a\n=1+1", 'a;"=1+1"', "a\t @x", "a;;-1", "a\n\n- b\n'- c", "a;'=1", "a;＋1", "=1;=2", "a;b\nc - d"],
)
def test_a_program_that_splits_elsewhere_finds_no_formula_either(text: str) -> None:
    cell = sheets.in_csv(sheets.guarded(text))
    begun = [piece.strip('" ')[:1] for piece in re.split(r"[;\t\n]", cell)]
    assert not {*begun} & {*"=+-@＝＋"}
    assert sheets.unguarded(sheets.from_csv(cell)) == text


def test_more_rows_than_may_be_are_refused() -> None:
    with pytest.raises(sheets.SheetError, match="2"):
        sheets.read(book(["shop"], *[["Tea"]] * 3), most=2)


def test_one_cell_in_the_last_corner_makes_no_billion_cells() -> None:
    corner = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    content = altered(book(["shop"], ["Tea"]), "</sheetData>", corner)
    content = altered(content, 'ref="A1:A2"', 'ref="A1:XFD1048576"')
    assert len(content) < 10_000
    with pytest.raises(sheets.SheetError, match="5000"):
        sheets.read(content, most=5000)


def test_what_unpacks_to_too_much_is_not_unpacked() -> None:
    content = altered(book(["shop"], ["Tea"]), "</sheetData>", "</sheetData>" + " " * sheets.UNPACKED_BYTES)
    assert len(content) < 100_000
    with pytest.raises(sheets.SheetError):
        sheets.read(content, most=5000)


@pytest.mark.parametrize("content", [b"", b"not a workbook", book(), book(["shop"], ["Tea", "more than headings"])])
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(sheets.SheetError):
        sheets.read(content, most=5000)


@pytest.mark.parametrize("row", ["<row>{}</row>", "{}"])
@pytest.mark.parametrize("cell", ["<c/>", "<x:c />"])
def test_more_cells_than_may_be_are_refused_before_they_are_read(
    monkeypatch: pytest.MonkeyPatch, row: str, cell: str
) -> None:
    content = altered(book(["shop"], ["Tea"]), "</sheetData>", row.format(cell * (sheets.CELLS + 1)) + "</sheetData>")
    monkeypatch.setattr(sheets, "load_workbook", None)
    with pytest.raises(sheets.SheetError, match=str(sheets.CELLS)):
        sheets.read(content, most=5000)


def test_as_many_full_cells_as_may_be_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "CELLS", 4000)
    monkeypatch.setattr(sheets, "_TAGS", 8 * 4000)
    full = book(*[[f"{row}.{column}" for column in range(40)] for row in range(100)])
    assert len(sheets.read(full, most=99)[1]) == 99
