"""Spreadsheets: those that people take out run no formulas, those that they send are read within bounds.

A small file may claim billions of cells or unpack to gigabytes.
"""

import csv
import re
from io import BytesIO, StringIO
from itertools import dropwhile
from typing import Any, Final
from zipfile import ZipFile

from django.utils.translation import gettext as _
from openpyxl import load_workbook

UNPACKED_BYTES: Final = 50 << 20
CELLS: Final = 250_000
_TAGS: Final = 8 * CELLS  # what full cells need, here and in the list of texts
_CELL: Final = re.compile(rb"<(?:\w+:)?c[\s/>]")
_COLUMNS: Final = 100
_BEGINS: Final = "=+@＝＋－＠-"  # the wide ones are the same to a spreadsheet
_FORMULA: Final = (*_BEGINS, "\t", "\r", "\n")
_PIECE: Final = re.compile(rf"""([;\t\r\n][\s"']*)([{_BEGINS}])""")
_GUARDED_PIECE: Final = re.compile(rf"""([;\t\r\n][\s"']*)'([{_BEGINS}])""")


class SheetError(ValueError):
    """The file is no table that can be read, or too large a one; str() says which."""


def guarded(cell: Any) -> Any:
    """What a spreadsheet shows as it is: a text that begins as a formula does begins with an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def unguarded(cell: Any) -> Any:
    """What was said before `guarded`."""
    is_guarded = isinstance(cell, str) and cell.startswith("'") and cell[1:].startswith(_FORMULA)
    return cell[1:] if is_guarded else cell


def in_csv(cell: Any) -> Any:
    """For CSV, besides `guarded`: a spreadsheet that splits at semicolons or tabs, as Russian ones do, sees cells and
    rows inside of ours. None of these is a formula either."""
    return _PIECE.sub(r"\1'\2", cell) if isinstance(cell, str) else cell


def from_csv(cell: Any) -> Any:
    """What was said before `in_csv`."""
    return _GUARDED_PIECE.sub(r"\1\2", cell) if isinstance(cell, str) else cell


def read_csv(data: bytes, *, most: int) -> tuple[list[Any], list[list[Any]]]:
    """The headings of a CSV file and the rows under them, in UTF-8 with commas or as a Russian Excel saves it: in
    Windows-1251, with semicolons. Raises SheetError."""
    if data.startswith(b"PK\3\4"):  # a workbook
        raise SheetError(_("The file cannot be read as a table."))
    try:
        text = _text(data)
        between = max(",;\t", key=text.partition("\n")[0].count)
        table = [row for row in csv.reader(StringIO(text, newline=""), delimiter=between, strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise SheetError(_("The file cannot be read as a table.")) from error
    return _under_headings([[from_csv(cell) for cell in row] for row in table], most, "")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1251")


def read(data: bytes, *, most: int) -> tuple[list[Any], list[list[Any]]]:
    """The headings of the first sheet of an XLSX file, and at most `most` rows under them. Raises SheetError."""
    try:
        with ZipFile(BytesIO(data)) as packed:
            fits = sum(part.file_size for part in packed.infolist()) <= UNPACKED_BYTES
            crowded = fits and _is_crowded(packed)
        rows = _rows(data, most) if fits and not crowded else []
    except Exception as error:  # each part of the format has its own errors, and none of them is ours
        raise SheetError(_("The file cannot be read as a table.")) from error
    if crowded:
        raise SheetError(_("At most %(limit)d cells at once.") % {"limit": CELLS})
    return _under_headings(rows, most, None)


def _under_headings(rows: list[list[Any]], most: int, empty: Any) -> tuple[list[Any], list[list[Any]]]:
    if not rows or any(len(row) > len(rows[0]) for row in rows):
        raise SheetError(_("The file cannot be read as a table."))
    if len(rows) > most + 1:
        raise SheetError(_("At most %(limit)d rows at once.") % {"limit": most})
    headings, *found = rows
    return headings, [row + [empty] * (len(headings) - len(row)) for row in found]


def _is_crowded(packed: ZipFile) -> bool:
    """Counted before anything is made of them: the reader takes in a whole row, empty cells and all."""
    cells = tags = 0
    for part in packed.infolist():
        with packed.open(part) as content:
            while piece := content.read(1 << 20):
                tags += piece.count(b"<")
                cells += len(_CELL.findall(piece))
                if cells > CELLS or tags > _TAGS:
                    return True
    return False


def _rows(data: bytes, most: int) -> list[list[Any]]:
    """One row and one column more than may be, each without the empty cells at its end."""
    book = load_workbook(BytesIO(data), read_only=True, data_only=True)
    found = book.worksheets[0].iter_rows(max_row=most + 2, max_col=_COLUMNS + 1, values_only=True)
    return [_filled(row) for row in found]


def _filled(row: tuple[Any, ...]) -> list[Any]:
    return list(dropwhile(lambda cell: cell is None, reversed(row)))[::-1]
