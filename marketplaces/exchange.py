"""The directory as tables, out and in again: one row of a sheet for each row of a kind.

References are written as in the directory files: by key, or by "#" and the id of a row of the team's own. `version`
says which state of a row was exported, so that nobody overwrites what a colleague has changed since.
"""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import NOT_PROVIDED, BooleanField, DateField, DurationField, ForeignKey, JSONField, Model, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.fields import Field
from import_export.resources import Diff, ModelResource
from import_export.results import RowResult
from import_export.widgets import BooleanWidget, DateWidget, ForeignKeyWidget, ManyToManyWidget, Widget

from marketplaces import history, sheets
from marketplaces.directory_rows import CHANNEL, RULE, STEP, TARGET, TOPIC, Kind
from marketplaces.history import Action
from marketplaces.models import Marketplace

EXPLAINED = {
    "id": gettext_lazy("number of the row; empty: a new row"),
    "version": gettext_lazy("which state of the row was exported; leave it as it is"),
}
FLAGS = {
    **dict.fromkeys(("1", "true", "yes", "да", "истина"), True),
    **dict.fromkeys(("0", "false", "no", "нет", "ложь"), False),
}


class Lines(Widget):
    """A list of short texts, one per line of the cell."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[str]:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "\n".join(value or [])


class Minutes(Widget):
    """A length of time in whole minutes, as in the directory files."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> timedelta | None:
        return timedelta(minutes=int(value)) if value != "" else None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(int(value / timedelta(minutes=1))) if value else ""


class Flag(BooleanWidget):
    """Yes, no, or nothing, as the export writes it and as people and spreadsheets do."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool | None:
        word = f"{value:g}" if isinstance(value, float) else str(value).strip().casefold()
        if word and word not in FLAGS:
            raise ValueError(_("Write 1 or 0 here."))
        return FLAGS.get(word)


class Day(DateWidget):
    """As the export writes it, or as a Russian spreadsheet saves what it took for a date."""

    def __init__(self) -> None:
        super().__init__()
        self.formats = ("%Y-%m-%d", "%d.%m.%Y")

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        try:
            return super().clean(value, row, **kwargs)
        except ValueError as error:
            raise ValueError(_("“%(value)s” is no date. Write for example: 2026-10-05.") % {"value": value}) from error


class Reference(ForeignKeyWidget):
    """Another row of the same marketplace, or one that all share."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return _find(self.model, str(value).strip(), row) if value else None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return _key(value) if value else ""


class References(ManyToManyWidget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[Model]:
        return [_find(self.model, key.strip(), row) for key in str(value or "").split(",") if key.strip()]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(sorted(_key(row) for row in value.all())) if value else ""


class Changes(Diff):
    """What a row becomes: each column that changes, what it says now and what it will say."""

    def __init__(self, resource: Any, instance: Any, new: bool) -> None:
        super().__init__(resource, instance, new)
        self.names = [field.column_name for field in resource.get_import_fields()]

    def as_html(self) -> list[tuple[str, Any, Any]]:
        cells = zip(self.names, self.left, self.right, strict=True)
        return [
            (name, had, value)
            for name, had, value in cells
            if name not in EXPLAINED and (value if self.new else had != value)
        ]


class RowResource(ModelResource):
    """Rows of one kind. Each imported row passes the checks of its form and leaves a line in the history."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for field in self.fields.values():
            field.default = NOT_PROVIDED  # an empty cell is empty, not what a new row would have

    def get_diff_class(self) -> type[Diff]:
        return Changes

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        known = [field.column_name for field in self.fields.values()]
        if unknown := [name for name in dataset.headers or [] if name not in known]:
            words = {"column": unknown[0], "known": ", ".join(known)}
            raise ValueError(_("There is no column “%(column)s”. The columns are: %(known)s.") % words)

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        for name, value in row.items():
            row[name] = _cell(value)

    def import_field(self, field: Any, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        """Whatever a cell cannot be read as is an error of that cell."""
        try:
            super().import_field(field, instance, row, is_m2m, **kwargs)
        except (ObjectDoesNotExist, ArithmeticError, TypeError) as error:
            words = {"value": row[field.column_name]}
            raise ValueError(_("“%(value)s” cannot be read here.") % words) from error

    def after_init_instance(self, instance: Any, new: bool, row: Any, **kwargs: Any) -> None:
        if new and row.get("id"):
            raise ValidationError({"id": _("There is no row with this number. Leave it empty to enter a new row.")})
        exported = str(row.get("version") or "")
        if not new and exported and exported != str(instance.version):
            raise ValidationError(
                {"version": _("Somebody has changed this row since it was exported. Export it anew.")}
            )
        self.before = None if new else history.values_of(instance)

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        if self.before is None or instance.verified_on.isoformat() != self.before["verified_on"]:
            instance.verified_by = kwargs["user"]

    def after_import_row(self, row: Any, row_result: Any, **kwargs: Any) -> None:
        if row_result.import_type not in (RowResult.IMPORT_TYPE_NEW, RowResult.IMPORT_TYPE_UPDATE):
            return
        instance = row_result.instance
        words = {"row": instance, "before": self.before or {}, "action": Action.IMPORTED}
        history.record(**words, now=timezone.now(), actor=kwargs["user"])

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        return sheets.guarded(super().export_field(field, instance, **kwargs))


WIDGETS: dict[type[Any], type[Widget]] = {
    JSONField: Lines,
    DurationField: Minutes,
    BooleanField: Flag,
    DateField: Day,
}


def _cell(value: Any) -> Any:
    """What a cell says: an empty text where it is empty, a day without a time, no guard against formulas."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, str) and "\0" in value:
        raise ValueError(_("The text has a NUL character (\\u0000). Take it out."))
    return "" if value is None else sheets.unguarded(value)


def resource_of(kind: Kind) -> type[RowResource]:
    columns = ("id", "key", "version", "marketplace", *kind.columns)
    meta = type(
        "Meta",
        (),
        {
            "model": kind.model,
            "fields": columns,
            "export_order": columns,
            "import_order": columns,
            "clean_model_instances": True,
            "skip_unchanged": True,
            "report_skipped": False,
            "store_instance": True,
        },
    )
    special = {column: _field(kind, column) for column in kind.columns}
    return type(
        f"{kind.model.__name__}Resource",
        (RowResource,),
        {
            "Meta": meta,
            "key": Field(attribute="key", column_name="key", readonly=True),
            "version": Field(attribute="version", column_name="version", readonly=True),
            "marketplace": Field(
                attribute="marketplace", column_name="marketplace", widget=ForeignKeyWidget(Marketplace, "slug")
            ),
            **{column: field for column, field in special.items() if field},
        },
    )


def _field(kind: Kind, column: str) -> Field | None:
    """How a column is written, where that is special."""
    field = kind.field(column)
    if column in kind.many:
        return Field(attribute=column, column_name=column, widget=References(field.related_model, field="key"))
    if isinstance(field, ForeignKey):
        return Field(attribute=column, column_name=column, widget=Reference(field.related_model, field="key"))
    written = next((widget for kinds, widget in WIDGETS.items() if isinstance(field, kinds)), None)
    return Field(attribute=column, column_name=column, widget=written()) if written else None


def _key(row: Any) -> str:
    return row.key or f"#{row.pk}"


def _find(model: Any, key: str, row: Any) -> Any:
    """Raises ValueError, which the preview shows with the row and the column."""
    rows = model.objects.filter(Q(marketplace__slug=row.get("marketplace")) | Q(marketplace=None))
    number = key.removeprefix("#")
    named = Q(pk=number) if key.startswith("#") and number.isascii() and number.isdigit() else Q(key=key)
    if found := rows.filter(named).first():
        return found
    raise ValueError(_("“%(key)s” is no row of this marketplace.") % {"key": key})


def columns(resource: type[RowResource]) -> list[tuple[str, str]]:
    """The headings of a table of these rows, and what each means."""
    names = [field.column_name for field in resource().get_import_fields()]
    fields = resource._meta.model._meta
    return [(name, str(EXPLAINED.get(name) or fields.get_field(name).verbose_name)) for name in names]


RESOURCES = {kind.model: resource_of(kind) for kind in (TOPIC, CHANNEL, TARGET, RULE, STEP)}
