"""Past appeals from a spreadsheet: first looked at, then written, all or none, each through its verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import tablib
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone, translation
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appeals import lifecycle
from appeals.admin.fields import NumbersField
from appeals.admin.people import colleagues
from appeals.admin.tables import COLUMNS, FORMULA
from appeals.models import Appeal, Shop
from marketplaces import sheets
from marketplaces.models import Channel, Marketplace, Topic
from marketplaces.working_time import UNCOUNTABLE

if TYPE_CHECKING:
    from hub.models import User

TITLE = gettext_lazy("Import past appeals")
LARGEST = 10 * 1024 * 1024
MOST = 5000
# What a row may say; the rest of an exported table is read past
WRITTEN = (
    "shop",
    "topic",
    "channel",
    "subject",
    "body",
    "desired_outcome",
    "order_numbers",
    "product_codes",
    "amount_at_stake",
    "external_number",
    "assignee",
    "submitted_at",
    "outcome",
    "amount_recovered",
    "resolved_at",
)
UNKNOWN = gettext_lazy("“%(value)s” is not known here.")
FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%d.%m.%Y %H:%M", "%d.%m.%Y")


class Problem(NamedTuple):
    """What is wrong with one cell: the row as the spreadsheet numbers it, the column by its heading."""

    row: int
    column: str
    text: str


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
    headings, table = (_from_csv if kind == "csv" else _from_xlsx)(file.read())
    headers = [str(heading or "") for heading in headings]
    names = [_name(heading) or "" for heading in headers]
    if unknown := [heading for heading, name in zip(headers, names, strict=True) if not name]:
        raise UnreadableError(_("There is no column “%(column)s”.") % {"column": unknown[0]})
    if missing := [name for name in ("shop", "subject") if name not in names]:
        raise UnreadableError(_("The column “%(column)s” is missing.") % {"column": _label(missing[0])})
    if len(table) > MOST:
        raise UnreadableError(_("At most %(limit)d rows at once.") % {"limit": MOST})
    return [dict(zip(names, row, strict=False)) for row in table]


def _from_csv(data: bytes) -> tuple[list[Any], list[Any]]:
    try:
        if b"\0" in data:
            raise ValueError
        table = tablib.Dataset().load(data.decode("utf-8-sig"), format="csv")
    except Exception as error:  # the reader has several kinds of errors, and none of them is ours
        raise UnreadableError(_("The file cannot be read as a table.")) from error
    return table.headers or [], list(table)


def _from_xlsx(data: bytes) -> tuple[list[Any], list[Any]]:
    try:
        return sheets.read(data, most=MOST)
    except sheets.SheetError as error:
        raise UnreadableError(str(error)) from error


def look(rows: list[dict[str, Any]], *, actor: User, now: datetime) -> list[Problem]:
    """What would be wrong; nothing is written."""
    with transaction.atomic():
        problems = _write(rows, actor=actor, now=now)
        transaction.set_rollback(True)
    return problems


def bring_in(rows: list[dict[str, Any]], *, actor: User, now: datetime) -> list[Problem]:
    """Writes all rows, or none and says why."""
    with transaction.atomic():
        problems = _write(rows, actor=actor, now=now)
        transaction.set_rollback(bool(problems))
    return problems


def _write(rows: list[dict[str, Any]], *, actor: User, now: datetime) -> list[Problem]:
    reader = _Reader(actor)
    problems: list[Problem] = []
    for number, row in enumerate(rows, start=2):  # row 1 holds the headings
        try:
            with transaction.atomic():
                _log(reader.facts(row), actor=actor, now=now)
        except ValidationError as error:
            problems += _problems(number, error)
        except (lifecycle.StateError, *UNCOUNTABLE) as error:
            problems.append(Problem(number, "", str(error)))
    return problems


def _log(facts: dict[str, Any], *, actor: User, now: datetime) -> None:
    sent, outcome = facts.pop("submitted_at"), facts.pop("outcome")
    recovered, resolved = facts.pop("amount_recovered"), facts.pop("resolved_at")
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


class _Reader:
    """Cells as values, with what the person may name: shops, topics, channels and people are read once."""

    def __init__(self, actor: User) -> None:
        self.shops = list(Shop.objects.visible_to(actor).select_related("marketplace"))
        topics = Topic.objects.filter(retired_at=None)
        self.topics = _by_name(
            (name, topic) for topic in topics for name in (topic.name, topic.name_en, topic.slug) if name
        )
        self.channels = _by_name(
            (f"{channel.marketplace_id} {name}", channel)
            for channel in Channel.objects.current().select_related("marketplace")
            for name in (channel.name, channel.name_en)
            if name
        )
        self.people = _by_name((person.email, person) for person in colleagues(actor))
        self.outcomes = _by_name(pair for value in Appeal.Outcome for pair in _in_both(value))

    def facts(self, row: dict[str, Any]) -> dict[str, Any]:
        """What the verbs take. ValidationError at the columns that cannot be read."""
        errors: dict[str, str] = {}
        facts: dict[str, Any] = {"marketplace": row.get("marketplace")}
        for name in WRITTEN:
            try:
                facts[name] = self._read(name, row.get(name), facts)
            except ValueError as error:
                errors[name] = str(error)
        if errors:
            raise ValidationError(errors)
        del facts["marketplace"]
        return facts

    def _read(self, name: str, cell: Any, facts: dict[str, Any]) -> Any:
        text = _text(cell)
        if name == "shop":
            return self._shop(text, _text(facts["marketplace"]))
        if name == "channel":
            return self._channel(text, facts.get("shop"))
        if name in READERS:
            return READERS[name](cell)
        known = {"topic": self.topics, "assignee": self.people, "outcome": self.outcomes}
        if name in known and text:
            return _find(known[name], text, text)
        return None if name in ("topic", "assignee") else text

    def _channel(self, text: str, shop: Shop | None) -> Channel | None:
        return _find(self.channels, text, f"{shop.marketplace_id} {text}") if shop and text else None

    def _shop(self, name: str, marketplace: str) -> Shop:
        """By its name, with the marketplace where shops on several have one name."""
        found = [
            shop
            for shop in self.shops
            if shop.name.casefold() == name.casefold()
            and (not marketplace or marketplace.casefold() in _names(shop.marketplace))
        ]
        if len(found) == 1:
            return found[0]
        text = _("Several shops are called “%(value)s”: name the marketplace.") if found else UNKNOWN
        raise ValueError(text % {"value": name})


def _names(marketplace: Marketplace) -> set[str]:
    return {name.casefold() for name in (marketplace.slug, marketplace.name, marketplace.name_en) if name}


def _by_name(pairs: Any) -> dict[str, Any]:
    return {name.casefold(): value for name, value in pairs}


def _in_both(value: Appeal.Outcome) -> Iterator[tuple[str, str]]:
    yield value.value, value.value
    for language in ("ru", "en"):
        with translation.override(language):
            yield force_str(value.label), value.value


def _find(known: dict[str, Any], text: str, key: str) -> Any:
    if key.casefold() not in known:
        raise ValueError(UNKNOWN % {"value": text})
    return known[key.casefold()]


def _text(cell: Any) -> str:
    text = "" if cell is None else str(cell).strip()
    if text.endswith(".0") and text[:-2].isdecimal():  # a spreadsheet makes numbers of numbers
        text = text[:-2]
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def _money(cell: Any) -> Decimal | None:
    text = _text(cell)
    try:
        return Decimal(text.replace("\u00a0", "").replace(" ", "").replace(",", ".")) if text else None
    except InvalidOperation:
        raise ValueError(_("“%(value)s” is no amount of money.") % {"value": text}) from None


def _moment(cell: Any) -> datetime | None:
    if isinstance(cell, datetime):
        return timezone.make_aware(cell)
    text = _text(cell)
    if not text:
        return None
    for shape in FORMATS:
        try:
            return timezone.make_aware(datetime.strptime(text, shape))  # noqa: DTZ007 -- the reader's zone comes next
        except ValueError:
            continue
    raise ValueError(_("“%(value)s” is no date. Write for example: 2026-10-05 14:30.") % {"value": text})


def _numbers(cell: Any, *, spaces: bool = False) -> Any:
    return NumbersField(spaces=spaces).to_python(_text(cell))


READERS: dict[str, Callable[[Any], Any]] = {
    "submitted_at": _moment,
    "resolved_at": _moment,
    "order_numbers": _numbers,
    "product_codes": partial(_numbers, spaces=True),
    "amount_at_stake": _money,
    "amount_recovered": _money,
}


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
