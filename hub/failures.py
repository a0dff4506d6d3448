"""What to answer when something that the hub needs is away: 503 or 507, to be tried again, and never a 500."""

import errno
import sys
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.defaults import bad_request, server_error
from kombu.exceptions import OperationalError as BrokerAwayError
from rest_framework.exceptions import APIException

from hub import metrics

DATABASE_AWAY = (OperationalError, InterfaceError)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
RETRY_AFTER_SECONDS, RETRY_WHEN_FULL_SECONDS = 5, 60


class UnavailableError(APIException):
    """Something that the hub needs does not answer; what was asked was not done, or may be asked again by its key."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = gettext_lazy("A part of the hub does not answer now. Please try again in a few seconds.")
    wait = RETRY_AFTER_SECONDS


class StorageFullError(APIException):
    status_code = HTTPStatus.INSUFFICIENT_STORAGE
    default_code = "storage_full"
    default_detail = gettext_lazy("There is no room for files on the hub's storage. Its operator has to make some.")
    wait = RETRY_WHEN_FULL_SECONDS


def meaning(error: BaseException | None) -> APIException | None:
    """What a failure of the hub's surroundings means for the caller; None when it is a fault of our own."""
    if isinstance(error, DATABASE_AWAY):
        metrics.database_failed(error)
        return UnavailableError()
    if isinstance(error, OSError) and error.errno in _FULL:
        return StorageFullError()
    if isinstance(error, BrokerAwayError | ConnectionError | TimeoutError) or _is_of_s3(error):
        return UnavailableError()
    return None


def _is_of_s3(error: BaseException | None) -> bool:
    """Told by its name: the client is not loaded where no bucket is used."""
    return any(kind.__module__.startswith("botocore.") for kind in type(error).__mro__)


def page(request: HttpRequest) -> HttpResponse:
    """Instead of Django's page of error 500, which it stays where the fault is our own."""
    told = meaning(sys.exc_info()[1])
    if told:
        return refusal(request, told)
    if not request.path.startswith("/api/"):
        return server_error(request)
    error = {"code": "error", "detail": _("The server failed."), "attr": None}
    return JsonResponse({"type": "server_error", "errors": [error]}, status=HTTPStatus.INTERNAL_SERVER_ERROR)


def refusal(request: HttpRequest, told: APIException) -> HttpResponse:
    """What no view answers: to programs in the API's own shape, to people in a sentence."""
    if request.path.startswith("/api/"):
        error = {"code": told.get_codes(), "detail": str(told.detail), "attr": None}
        kind = "client_error" if told.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
        response: HttpResponse = JsonResponse({"type": kind, "errors": [error]}, status=told.status_code)
    else:
        response = HttpResponse(_PAGE.format(text=told.detail, language=get_language() or ""), status=told.status_code)
    if wait := getattr(told, "wait", None):
        response.headers["Retry-After"] = str(wait)
    return response


def bad_request_page(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What was refused before any view saw it, such as another host's name: to programs in the API's own shape."""
    if not request.path.startswith("/api/"):
        return bad_request(request, exception)
    error = {"code": "bad_request", "detail": _("The request was not understood"), "attr": None}
    return JsonResponse({"type": "client_error", "errors": [error]}, status=HTTPStatus.BAD_REQUEST)


_PAGE = """<!doctype html><html lang="{language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{text}</title>
<link rel="stylesheet" href="/static/hub/plain.css"><body><main><h1>{text}</h1></main>"""
