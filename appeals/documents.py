"""Word documents out of plain blocks: the same blocks at the same moment give the same bytes, whoever makes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Final, Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as Word
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph as WordParagraph

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

Style = Literal["title", "heading", "text", "side", "item", "note", "rule"]

# What XML 1.0 cannot carry: control characters but tab and line feed, halves of pairs, non-characters
_UNFIT: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CLOSE: Final = ("item", "note")
_WIDTH: Final = 16.5  # between the margins, in centimetres
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_FONT: Final = "Times New Roman"
_TOGETHER: Final = 5  # rows of a table that is not torn over two pages
_GAPS: Final = {"table": 8, "item": 9}  # what follows them keeps away, in points


@dataclass(frozen=True)
class Paragraph:
    """One paragraph; line feeds in it stay.

    `side` is at the right, as addressee and sender are; `note` is small; a `rule` begins a page of its own.
    """

    text: str
    style: Style = "text"


@dataclass(frozen=True)
class Table:
    """Rows under a header that is repeated on each page.

    `widths` are those of the columns, in centimetres; without them they follow the longest cell.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float] = ()


Block = Paragraph | Table


def clean(text: str) -> str:
    """The text as a document can hold it: line ends as line feeds, without what XML cannot carry."""
    return _UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def plain(blocks: Iterable[Block]) -> str:
    """The blocks as text to paste; items of a list and notes stand together, a row of a table is a line."""
    text, last = "", ""
    for block in blocks:
        style = block.style if isinstance(block, Paragraph) else "table"
        lines = clean(block.text) if isinstance(block, Paragraph) else "\n".join(map(_row_text, block.rows))
        text += ("\n" if style == last and style in _CLOSE else "\n\n" if text else "") + lines
        last = style
    return text


def docx(blocks: Iterable[Block], *, title: str, at: datetime, author: str = "", footer: str = "") -> bytes:
    """The bytes of a .docx: A4 pages, numbered under `footer`. `at` (aware) is the time the file says of itself."""
    document = Document()
    _prepare(document)
    _set_properties(document, title=clean(title)[:255], author=clean(author)[:255], at=at)
    last = ""
    for block in blocks:
        if isinstance(block, Table):
            _add_table(document, block)
        else:
            paragraph = document.add_paragraph(clean(block.text))
            paragraph.paragraph_format.space_before = Pt(_GAPS.get(last, 0) if last != block.style else 0)
            _STYLES[block.style](paragraph)
        last = "table" if isinstance(block, Table) else block.style
    _add_footer(document, clean(footer))
    return _same_bytes(document)


def _row_text(cells: Sequence[str]) -> str:
    return " — ".join(clean(cell) for cell in cells if cell)


def _prepare(document: Word) -> None:
    """Paper and type as business letters have them, in Russian for the spelling checker."""
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin, section.right_margin = Cm(3), Cm(1.5)
    section.top_margin = section.bottom_margin = Cm(2)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = _FONT, Pt(12)
    fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), _FONT)
    fonts.set(qn("w:cs"), _FONT)
    normal.paragraph_format.space_after = Pt(8)
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "ru-RU")


def _set_properties(document: Word, *, title: str, author: str, at: datetime) -> None:
    moment = at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    about = document.core_properties
    about.title, about.author, about.last_modified_by = title, author, author
    about.created = about.modified = moment
    about.comments = about.keywords = about.subject = about.category = ""
    about.revision = 1
    rels = document.part.package.rels
    for key in [key for key, rel in rels.items() if rel.reltype.endswith(("/thumbnail", "/extended-properties"))]:
        del rels[key]  # the library's own picture and the name of a program


def _text(paragraph: WordParagraph) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT


def _title(paragraph: WordParagraph) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_before = Pt(14)
    _embolden(paragraph)


def _heading(paragraph: WordParagraph) -> None:
    paragraph.paragraph_format.space_before = Pt(8)
    _embolden(paragraph)


def _side(paragraph: WordParagraph) -> None:
    paragraph.paragraph_format.left_indent = Cm(7.5)


def _item(paragraph: WordParagraph) -> None:
    form = paragraph.paragraph_format
    form.left_indent, form.first_line_indent, form.space_after = Cm(0.6), Cm(-0.6), Pt(3)


def _rule(paragraph: WordParagraph) -> None:
    paragraph.paragraph_format.page_break_before = True
    _note(paragraph)


def _note(paragraph: WordParagraph) -> None:
    paragraph.paragraph_format.space_after = Pt(3)
    for run in paragraph.runs:
        run.font.size = Pt(9)
        run.font.color.rgb = RGBColor(0x44, 0x44, 0x44)


_STYLES: Final[dict[Style, Callable[[WordParagraph], None]]] = {
    "title": _title,
    "heading": _heading,
    "text": _text,
    "side": _side,
    "item": _item,
    "note": _note,
    "rule": _rule,
}


def _embolden(paragraph: WordParagraph) -> None:
    paragraph.paragraph_format.keep_with_next = True
    for run in paragraph.runs:
        run.bold = True


def _add_table(document: Word, block: Table) -> None:
    table = document.add_table(rows=0, cols=len(block.header), style="Table Grid")
    for number, cells in enumerate([block.header, *block.rows]):
        row = table.add_row()
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = clean(text)
            cell.paragraphs[0].paragraph_format.space_after = Pt(2)
            cell.paragraphs[0].paragraph_format.keep_with_next = number < len(block.rows) <= _TOGETHER
            if number == 0:
                _embolden(cell.paragraphs[0])
    table.autofit = False
    for column, width in zip(table.columns, block.widths or _widths(block), strict=True):
        column.width = Cm(width)
        for cell in column.cells:
            cell.width = Cm(width)
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _widths(block: Table) -> list[float]:
    """The width between the margins, shared by how long the longest cell of each column is, within limits."""
    columns = zip(block.header, *block.rows, strict=True)
    weights = [min(max(max(map(len, column)) + 2, 8), 60) for column in columns]
    return [_WIDTH * weight / sum(weights) for weight in weights]


def _add_footer(document: Word, text: str) -> None:
    paragraph = document.sections[0].footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run(f"{text}\n" if text else "")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)
    _note(paragraph)


def _same_bytes(document: Word) -> bytes:
    """The document's parts by name, none with the time at which it was written."""
    written, fixed = BytesIO(), BytesIO()
    document.save(written)
    with ZipFile(written) as parts, ZipFile(fixed, "w") as archive:
        for name in sorted(parts.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            info = ZipInfo(name, date_time=_EPOCH)
            info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
            archive.writestr(info, parts.read(name))
    return fixed.getvalue()
