"""Every refusal in one shape, and with the status that says whose move it is."""

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError
from django.db.models import BaseConstraint, Model, ProtectedError, UniqueConstraint
from django.http import UnreadablePostError
from django.utils.translation import gettext_lazy as _
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, Throttled, ValidationError
from rest_framework.settings import api_settings

from appeals.lifecycle import StateError
from appeals.undo import UndoError
from hub import failures
from marketplaces.api.parsers import TooLargeError
from marketplaces.working_time import UNCOUNTABLE


class ConflictError(APIException):
    """What is there does not allow it. `states` are the states of the appeal that would."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
    default_detail = _("Something else stands in the way of this.")

    def __init__(self, detail: str | None = None, code: str | None = None, **extra: Any) -> None:
        super().__init__(detail, code)
        self.extra = extra


class Handler(ExceptionHandler):
    def convert_known_exceptions(self, exc: Exception) -> Exception:
        for kinds, refusal in _REFUSALS.items():
            if isinstance(exc, kinds):
                return refusal(exc)
        if told := failures.meaning(exc):
            return told
        converted: Exception = super().convert_known_exceptions(exc)
        return converted


class Formatter(ExceptionFormatter):
    def format_error_response(self, error_response: Any) -> dict[str, Any]:
        body: dict[str, Any] = super().format_error_response(error_response)
        return body | getattr(self.exc, "extra", {})


def details(error: DjangoValidationError) -> dict[str, list[ErrorDetail]]:
    """Django's messages with their codes, by field; those of no field under the usual name."""
    if not hasattr(error, "error_dict"):
        return {api_settings.NON_FIELD_ERRORS_KEY: list(_plain(error.error_list))}
    return {
        api_settings.NON_FIELD_ERRORS_KEY if field == NON_FIELD_ERRORS else field: list(_plain(errors))
        for field, errors in error.error_dict.items()
    }


def _plain(errors: list[DjangoValidationError]) -> Iterator[ErrorDetail]:
    for error in errors:
        for message in error.messages:
            yield ErrorDetail(message, code=error.code or "invalid")


def violation(error: IntegrityError) -> APIException | None:
    """The refusal that a violated constraint means: its own sentence, where it has one.

    This is met when another writer was faster than our own check of the same rule. A row that is referred to and has
    just gone is a conflict.
    """
    text = str(error)
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name or (name is None and _names(text, constraint, model)):
                return ValidationError(str(constraint.get_violation_error_message()), code="constraint")
    if "FOREIGN KEY" in text.upper():
        return ConflictError(str(_("Something that this refers to was deleted meanwhile.")), "gone")
    return None


def _names(text: str, constraint: BaseConstraint, model: type[Model]) -> bool:
    """Whether SQLite's message means this constraint: it names checks, but of unique ones only the columns."""
    if f"constraint failed: {constraint.name}" in text or f"index '{constraint.name}'" in text:
        return True
    if not isinstance(constraint, UniqueConstraint) or not constraint.fields:
        return False
    table = model._meta.db_table
    columns = ", ".join(f"{table}.{model._meta.get_field(field).column}" for field in constraint.fields)  # type: ignore[union-attr]
    return text.endswith(f"UNIQUE constraint failed: {columns}")


def _refuse_input(error: DjangoValidationError) -> APIException:
    found = details(error)
    too_large = [one for errors in found.values() for one in errors if one.code == TooLargeError.default_code]
    return TooLargeError(too_large[0]) if too_large else ValidationError(found)


def _throttled(error: Throttled) -> Throttled:
    """The framework's own sentence is half English in Russian."""
    text = _("Too many requests in this minute. Try again in %(seconds)d s.") % {"seconds": getattr(error, "wait", 0)}
    error.detail = ErrorDetail(str(text), code=error.default_code)
    return error


_REFUSALS: dict[Any, Callable[[Any], Exception]] = {
    StateError: lambda error: ConflictError(str(error), "state", status=error.status, allowed=error.allowed),
    UndoError: lambda error: ConflictError(str(error), "not_undoable"),
    DjangoValidationError: _refuse_input,
    ProtectedError: lambda _error: ConflictError(str(_("It is in use, so that it cannot be deleted.")), "protected"),
    IntegrityError: lambda error: violation(error) or error,
    Throttled: _throttled,
    UNCOUNTABLE: lambda error: ValidationError(str(error), code="uncountable"),
    RequestDataTooBig: lambda _error: TooLargeError(),
    (SuspiciousOperation, UnreadablePostError): lambda error: ParseError(str(error)),
}
