"""Past appeals from a spreadsheet: first looked at, then written, all or none, each through its verbs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import translation
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appeals import lifecycle
from appeals.admin import cells
from appeals.admin.tables import COLUMNS
from appeals.models import Appeal
from marketplaces import sheets
from marketplaces.working_time import UNCOUNTABLE

if TYPE_CHECKING:
    from hub.models import User

TITLE = gettext_lazy("Import past appeals")
LARGEST = 10 * 1024 * 1024
MOST = 5000


class Problem(NamedTuple):
    """What is wrong with one cell: the row as the spreadsheet numbers it, the column by its heading."""

    row: int
    column: str
    text: str


class Looked(NamedTuple):
    """What comes of the rows.

    `doubles` have the number of an appeal that there is, or of an earlier row; `is_open` counts those that were sent
    and have no outcome.
    """

    problems: list[Problem]
    doubles: list[Problem]
    is_open: int


class UnreadableError(ValueError):
    """The file is no table that can be read; str() says why."""


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("file"),
        help_text=gettext_lazy("CSV or XLSX with headings in its first row. Needed: shop, subject."),
        widget=forms.FileInput(attrs={"class": "hub-files", "accept": ".csv,.xlsx"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise ValidationError(_("The file is larger than %(limit)d MB.") % {"limit": LARGEST // 2**20})
        return file


def read(file: UploadedFile[bytes]) -> list[dict[str, Any]]:
    """The rows of a table by the names of our columns. Raises UnreadableError."""
    kind = PurePath(file.name or "").suffix.lower().lstrip(".")
    if kind not in ("csv", "xlsx"):
        raise UnreadableError(_("Send a CSV or XLSX file."))
    headings, table = _table(kind, file.read())
    headers = [str(heading or "") for heading in headings]
    names = [_name(heading) or "" for heading in headers]
    if unknown := [heading for heading, name in zip(headers, names, strict=True) if not name]:
        words = {"column": unknown[0], "known": ", ".join(force_str(column.label) for column in COLUMNS)}
        raise UnreadableError(_("There is no column “%(column)s”. The columns are: %(known)s.") % words)
    if missing := [name for name in ("shop", "subject") if name not in names]:
        raise UnreadableError(_("The column “%(column)s” is missing.") % {"column": _label(missing[0])})
    if not table:
        raise UnreadableError(_("There are no rows below the headings."))
    return [dict(zip(names, row, strict=False)) for row in table]


def _table(kind: str, data: bytes) -> tuple[list[Any], list[list[Any]]]:
    if kind == "csv" and b"\0" in data:
        raise UnreadableError(_("The file cannot be read as a table."))
    try:
        return (sheets.read_csv if kind == "csv" else sheets.read)(data, most=MOST)
    except sheets.SheetError as error:
        raise UnreadableError(str(error)) from error


def look(rows: list[dict[str, Any]], *, actor: User, now: datetime) -> Looked:
    """What would be wrong or strange; nothing is written."""
    with transaction.atomic():
        looked = _write(rows, actor=actor, now=now)
        transaction.set_rollback(True)
    return looked


def bring_in(rows: list[dict[str, Any]], *, actor: User, now: datetime, again: bool) -> Looked:
    """Writes all rows, or none and says why: doubles are such a reason, unless they are meant to come `again`."""
    with transaction.atomic():
        looked = _write(rows, actor=actor, now=now)
        transaction.set_rollback(bool(looked.problems or (looked.doubles and not again)))
    return looked


def _write(rows: list[dict[str, Any]], *, actor: User, now: datetime) -> Looked:
    reader = cells.Reader(actor)
    problems: list[Problem] = []
    doubles: list[Problem] = []
    is_open, numbers = 0, _Numbers(reader, rows)
    for number, row in enumerate(rows, start=2):  # row 1 holds the headings
        try:
            facts = reader.facts(row)
            if told := numbers.told(facts, number):
                doubles.append(Problem(number, _label("external_number"), told))
            is_open += bool(facts["submitted_at"] and not facts["outcome"])
            with transaction.atomic():
                _log(facts, actor=actor, now=now)
        except ValidationError as error:
            problems += _problems(number, error)
        except (lifecycle.StateError, *UNCOUNTABLE) as error:
            problems.append(Problem(number, "", str(error)))
    return Looked(problems, doubles, is_open)


class _Numbers:
    """Which number at the marketplace stands where already: on an appeal of the shop, or in a row above."""

    def __init__(self, reader: cells.Reader, rows: list[dict[str, Any]]) -> None:
        wanted = {cells.plain(row.get("external_number")) for row in rows} - {""}
        there = Appeal.objects.filter(shop__in=reader.shops, external_number__in=wanted).order_by("-pk")
        self._places = {
            (shop, number): _("№ %(appeal)s has this number already.") % {"appeal": pk}
            for shop, number, pk in there.values_list("shop", "external_number", "pk")
        }

    def told(self, facts: dict[str, Any], row: int) -> str:
        """Where it stands; "" when it is new. From here on it stands in this row."""
        key = (facts["shop"].pk, facts["external_number"])
        if not key[1] or key in self._places:
            return self._places.get(key, "")
        self._places[key] = _("Row %(row)d has the same number.") % {"row": row}
        return ""


def _log(facts: dict[str, Any], *, actor: User, now: datetime) -> None:
    sent, outcome = facts.pop("submitted_at"), facts.pop("outcome")
    recovered, resolved = facts.pop("amount_recovered"), facts.pop("resolved_at")
    if outcome and not sent:
        raise ValidationError({"submitted_at": _("An appeal with an outcome was sent: say when.")})
    appeal = lifecycle.create(actor=actor, now=now, **facts)
    column = "submitted_at"
    try:
        if sent:
            appeal = lifecycle.submit(appeal=appeal, actor=actor, now=now, at=sent)
        if outcome:
            column = "resolved_at"
            lifecycle.resolve(
                appeal=appeal, actor=actor, now=now, at=resolved, outcome=outcome, amount_recovered=recovered
            )
    except ValidationError as error:
        raise _named(error, column) from error


def _named(error: ValidationError, column: str) -> ValidationError:
    """The verb speaks of `at`; the table has a column for each moment."""
    if not hasattr(error, "error_dict"):
        return error
    return ValidationError({column if field == "at" else field: each for field, each in error.error_dict.items()})


def _problems(number: int, error: ValidationError) -> Iterator[Problem]:
    if not hasattr(error, "error_dict"):
        yield Problem(number, "", " ".join(error.messages))
        return
    for field, errors in error.error_dict.items():
        column = "" if field == NON_FIELD_ERRORS else _label(field)
        yield Problem(number, column, " ".join(message for one in errors for message in one.messages))


def _label(name: str) -> str:
    return next((force_str(column.label) for column in COLUMNS if column.name == name), name)


def _name(heading: str) -> str | None:
    """The column that a heading names, in either language or as the API does."""
    wanted = heading.strip().casefold()
    for column in COLUMNS:
        if wanted == column.name:
            return column.name
        for language in ("ru", "en"):
            with translation.override(language):
                if wanted == force_str(column.label).casefold():
                    return column.name
    return None
