"""Fields that take what the schema says and nothing that merely resembles it: no "5" for 5, no 1 for true."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.relations import MANY_RELATION_KWARGS

from marketplaces.api.moments import FarYearError, read_day, read_moment, read_moment_of_address
from marketplaces.prepared import Given, Prepared

FAR_YEAR = _("No calendar covers this year.")


class Text(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:  # before spaces around it are taken away
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


def is_whole(data: Any) -> bool:
    """A whole number in JSON, where 1.0 is one too."""
    return (isinstance(data, int) and not isinstance(data, bool)) or (isinstance(data, float) and data.is_integer())


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool | None:  # type: ignore[override]
        if data is None and self.allow_null:
            return None
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Whole(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if not is_whole(data):
            self.fail("invalid")
        return int(data)


@extend_schema_field(
    {
        "type": "string",
        "format": "decimal",
        "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$",
        "description": "Roubles, as a decimal string.",
        "examples": ["12500.00"],
    }
)
class Roubles(serializers.DecimalField):
    """A decimal string; a JSON number is taken too. Answers are always strings."""

    default_error_messages = {
        "invalid": _("This is no amount in roubles such as 12500.00: at most 12 digits and 2 after a point.")
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 14, "decimal_places": 2, **kwargs})

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?|[0-9]{1,12}\.0", str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)

    def to_representation(self, value: Decimal) -> str:
        return f"{value:.2f}"


class Moment(serializers.DateTimeField):
    """In: ISO 8601 with any offset. Out: UTC with `Z`."""

    default_error_messages = {
        "moment": _("This is no time in ISO 8601 with an offset, such as 2026-01-12T10:00:00+03:00."),
        "out_of_range": FAR_YEAR,
    }
    reader = staticmethod(read_moment)

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return self.reader(value)
        except FarYearError:
            self.fail("out_of_range")
        except (TypeError, ValueError):
            self.fail("moment")

    def to_representation(self, value: Any) -> Any:
        return f"{value.astimezone(UTC).isoformat()[:-6]}Z" if value else None


class Day(serializers.DateField):
    default_error_messages = {"out_of_range": FAR_YEAR}

    def to_internal_value(self, value: Any) -> date:
        try:
            return read_day(value)
        except FarYearError:
            self.fail("out_of_range")
        except (TypeError, ValueError):
            self.fail("invalid", format="YYYY-MM-DD")


class Identifier(Text, serializers.SlugField):
    """A slug of the row's own."""


class _ListOfRows(serializers.ManyRelatedField):
    """A list in JSON, and not whatever can be walked through."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        return list(super().to_internal_value(data))


class OfRow(serializers.RelatedField[Any, Any, Any]):
    """Another row, or with `many` a list of them. An empty text is a wrong name, and not the same as null."""

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> serializers.ManyRelatedField:
        given = {name: value for name, value in kwargs.items() if name in MANY_RELATION_KWARGS}
        return _ListOfRows(child_relation=cls(*args, **kwargs), **given)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return self.to_internal_value(data) if data == "" else super().run_validation(data)


class Slug(OfRow, serializers.SlugRelatedField[Any]):
    """A row by its slug."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"slug_field": "slug", **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or data == "" or "\x00" in data:
            self.fail("invalid")
        found = self._with_slug(slug=data)
        return found[0] if found else self.fail("does_not_exist", slug_name=self.slug_field, value=data)

    @cached_property
    def _with_slug(self) -> Prepared:
        rows: Any = self.get_queryset()
        return Prepared(lambda: rows.filter(**{str(self.slug_field): Given("slug")}))


class Key(OfRow, serializers.PrimaryKeyRelatedField[Any]):
    """A row by its number."""

    def to_internal_value(self, data: Any) -> Any:
        if not is_whole(data):
            self.fail("incorrect_type", data_type=type(data).__name__)
        return self.found(int(data))

    def found(self, pk: int) -> Any:
        return super().to_internal_value(pk)


@extend_schema_field(OpenApiTypes.BOOL)
class AddressFlag(serializers.ChoiceField):
    """`true` or `false` in an address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=["true", "false"], **kwargs)

    def to_internal_value(self, data: Any) -> bool:  # type: ignore[override]
        return super().to_internal_value(data) == "true"


class AddressMoment(Moment):
    """A time in an address."""

    reader = staticmethod(read_moment_of_address)


@extend_schema_field(OpenApiTypes.INT)
class AddressKey(serializers.SlugRelatedField[Any]):
    """A row by its number, in an address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"slug_field": "pk", **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        if not re.fullmatch("[0-9]{1,18}", str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class OrNull(serializers.ChoiceField):
    """A choice that the database keeps as an empty text where none was made: null on the wire."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        return super().get_attribute(instance) or None

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        return (True, "") if data is None else super().validate_empty_values(data)


class Shown(serializers.Serializer[Any]):
    """Shows rows quickly."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {name: show(instance) for name, show in self._shows}

    @cached_property
    def top(self) -> Any:
        """The serializer of the whole answer, found once: it is asked for its context for each value of each row."""
        return self.root

    @cached_property
    def _shows(self) -> list[tuple[str, Callable[[Any], Any]]]:
        """How each field is shown, found once for all rows: a page of appeals has some two thousand values."""
        return [(str(field.field_name), shown_by(field)) for field in self._readable_fields]


class KnownFields(Shown):
    """Refuses a name that it does not know. One that is read only is left out, so that what was read may be sent."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := [name for name in data if name not in self.fields]):
            text = str(_("There is no such field."))
            raise ValidationError({str(name)[:100]: [ErrorDetail(text, code="unknown_field")] for name in unknown})
        return super().to_internal_value(data)


class RowSerializer(KnownFields, serializers.ModelSerializer[Any]):
    """A row of a table with the strict fields. Rules of the row itself are the model's, not repeated here."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: Text,
        models.TextField: Text,
        models.SlugField: Identifier,
        models.BooleanField: Flag,
        models.PositiveIntegerField: Whole,
        models.PositiveSmallIntegerField: Whole,
        models.PositiveBigIntegerField: Whole,
        models.DateTimeField: Moment,
        models.DateField: Day,
        models.DecimalField: Roubles,
    }
    serializer_related_field = Key

    def get_validators(self) -> list[Any]:
        """None: the model's constraints are checked by the verb that saves."""
        return []


def shown_by(field: serializers.Field[Any, Any, Any, Any]) -> Callable[[Any], Any]:
    """What the framework does for each value, without asking each time what the field is."""
    if isinstance(field, serializers.PrimaryKeyRelatedField):
        return attrgetter(f"{field.source}_id")
    if isinstance(field, serializers.SlugRelatedField):
        return _name_of(str(field.source), str(field.slug_field))
    if isinstance(field, serializers.SerializerMethodField):
        method: Callable[[Any], Any] = getattr(field.parent, str(field.method_name))
        return method
    return _value_of(field)


def _value_of(field: serializers.Field[Any, Any, Any, Any]) -> Callable[[Any], Any]:
    show = field.to_representation
    if type(field).get_attribute is not serializers.Field.get_attribute:
        return lambda row: None if (value := field.get_attribute(row)) is None else show(value)
    if field.source == "*":
        return show
    value_of = attrgetter(str(field.source))
    if type(field).to_representation is Moment.to_representation:  # in UTC it is left to the JSON writer
        return lambda row: value if (value := value_of(row)) is None or value.tzinfo is UTC else show(value)
    if type(field).to_representation in _AS_IT_IS and isinstance(field.parent, RowSerializer):
        return value_of
    return lambda row: None if (value := value_of(row)) is None else show(value)


# What the framework makes of a column's value for these is that value, as JSON writes it
_AS_IT_IS = {
    kind.to_representation
    for kind in (
        serializers.CharField,
        serializers.IntegerField,
        serializers.BooleanField,
        serializers.ChoiceField,
    )
}


def _name_of(source: str, slug: str) -> Callable[[Any], Any]:
    """The name of another row: read by the query beside the row's own columns, as `topic_slug`, or from that row."""
    beside, related, name = f"{source}_{slug}".replace(".", "_"), attrgetter(source), attrgetter(slug)

    def show(row: Any) -> Any:
        if beside in row.__dict__:
            return row.__dict__[beside]
        return None if (other := related(row)) is None else name(other)

    return show


def now_of(serializer: Shown) -> datetime:
    """One moment for the whole answer: the view's, or that of the first field that asks."""
    context: dict[str, Any] = serializer.top.context
    now: datetime = context.get("now") or context.setdefault("now", timezone.now())
    return now
