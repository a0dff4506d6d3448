"""Appeals as tables: what is filtered goes out as CSV or XLSX, past appeals come in, each through its verbs.

The headings are the words of the screens in the reader's language. What comes in may name its columns in Russian, in
English or as the API does; moments are in the reader's time zone.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.encoding import force_str
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter

from appeals.models import Appeal
from appeals.models.appeal import AppealQuerySet
from marketplaces import sheets

CHUNK = 1000


class Column(NamedTuple):
    name: str
    label: Any
    value: Callable[[Appeal], Any]


def _verbose(name: str) -> Any:
    return Appeal._meta.get_field(name).verbose_name  # type: ignore[union-attr]


def _plain(name: str) -> Column:
    return Column(name, _verbose(name), lambda appeal: getattr(appeal, name))


COLUMNS = (
    Column("id", gettext_lazy("number"), lambda appeal: appeal.pk),
    Column("marketplace", gettext_lazy("marketplace"), lambda appeal: str(appeal.marketplace)),
    Column("shop", _verbose("shop"), lambda appeal: str(appeal.shop)),
    Column("topic", _verbose("topic"), lambda appeal: str(appeal.topic or "")),
    Column("channel", _verbose("channel"), lambda appeal: appeal.channel.text("name") if appeal.channel else ""),
    Column("priority", _verbose("priority"), lambda appeal: appeal.get_priority_display()),
    _plain("subject"),
    _plain("body"),
    _plain("desired_outcome"),
    Column("order_numbers", _verbose("order_numbers"), lambda appeal: "\n".join(appeal.order_numbers)),
    Column("product_codes", _verbose("product_codes"), lambda appeal: "\n".join(appeal.product_codes)),
    _plain("amount_at_stake"),
    _plain("external_number"),
    Column("assignee", _verbose("assignee"), lambda appeal: appeal.assignee.email if appeal.assignee else ""),
    Column("status", _verbose("status"), lambda appeal: appeal.get_status_display()),
    Column("outcome", _verbose("outcome"), lambda appeal: appeal.get_outcome_display()),
    _plain("amount_recovered"),
    _plain("submitted_at"),
    _plain("next_due_at"),
    _plain("resolved_at"),
    _plain("created_at"),
)


def headings() -> list[str]:
    return [capfirst(force_str(column.label)) or "" for column in COLUMNS]


def as_csv(appeals: AppealQuerySet, name: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(_lines(appeals, _Reader()), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def as_xlsx(appeals: AppealQuerySet, name: str) -> FileResponse:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"  # the headings stay in sight
    for number, heading in enumerate(headings(), 1):
        sheet.column_dimensions[get_column_letter(number)].width = max(18, len(heading) + 2)  # a moment fits
    sheet.append(headings())
    for row in _rows(_read(appeals)):
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell for cell in row])
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115 -- the answer closes it
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx")


class _Reader:
    """Whose table it is: a stream is read when the page's language and time zone are no longer set."""

    def __init__(self) -> None:
        self.language, self.zone = translation.get_language(), timezone.get_current_timezone()

    @contextmanager
    def present(self) -> Iterator[None]:
        with translation.override(self.language), timezone.override(self.zone):
            yield


class _Echo:
    """A file that gives back what is written to it: csv's way to say a line."""

    def write(self, value: str) -> str:
        return value


def _lines(appeals: AppealQuerySet, reader: _Reader) -> Iterator[str]:
    writer, found = csv.writer(_Echo()), _read(appeals)
    with reader.present():
        head = writer.writerow(headings())
    yield f"\ufeff{head}"  # without the mark, spreadsheets take Cyrillic for something else
    while chunk := list(islice(found, CHUNK)):
        with reader.present():
            lines = [writer.writerow(map(_text, row)) for row in _rows(chunk)]
        yield "".join(lines)


def _read(appeals: AppealQuerySet) -> Iterator[Appeal]:
    related = appeals.select_related("shop__marketplace", "topic", "channel__marketplace", "assignee")
    return iter(related.iterator(CHUNK))


def _rows(appeals: Iterable[Appeal]) -> Iterator[list[Any]]:
    return ([_cell(column.value(appeal)) for column in COLUMNS] for appeal in appeals)


def _cell(value: Any) -> Any:
    """Moments on the reader's wall clock, texts that no spreadsheet runs."""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    return sheets.guarded(value)


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M")
    return "" if cell is None else str(sheets.in_csv(str(cell)))
