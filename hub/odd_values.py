"""What to answer when a value of the request is none that a row can hold: 400, with its name and the mend."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from django.db import DataError, NotSupportedError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.defaults import page_not_found

LARGEST = 2**63 - 1
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)
_LONG_NUMBER = re.compile(r"\d{19,}")
_ROWS = "_selected_action"
REFUSALS = (DataError, OverflowError, ValueError, NotSupportedError)
GetResponse = Callable[[HttpRequest], HttpResponse]


class Odd(NamedTuple):
    name: str
    what: str


class OddValueMiddleware:
    """For the pages; the API checks each of its fields. Forms say by themselves what is wrong with theirs, where they
    can: this is for what came past them, to the database. Whatever the view had begun is taken back."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, REFUSALS) or request.path.startswith("/api/"):
            return None
        if isinstance(error, NotSupportedError):
            found = [Odd(name[:100], _("SQLite cannot look for this. Take it out.")) for name in request.GET]
            return render(request, "odd_value.html", {"found": found}, status=400) if found else None
        match = request.resolver_match
        if match and any(_is_odd_id(name, str(value)) for name, value in match.kwargs.items()):
            return page_not_found(request, Http404())
        if found := list(dict.fromkeys(_odd(request))):
            return render(request, "odd_value.html", {"found": found}, status=400)
        return None


def _odd(request: HttpRequest) -> Iterator[Odd]:
    for asked in (request.GET, request.POST):
        for name, values in asked.lists():
            for value in map(str, values):
                if what := _what(name, value):
                    yield Odd(name.replace("\0", "�")[:100], what)


def _what(name: str, value: str) -> str:
    if "\0" in name or "\0" in value:
        return _("a character that no text can have (NUL). Take it out.")
    if any(len(digits) > 19 or int(digits) > LARGEST for digits in _LONG_NUMBER.findall(value)):
        return _("a number larger than any here. Correct it.")
    if name == _ROWS and not _NUMBER.fullmatch(value):
        return _("no row of the list. Open the list again and choose the rows there.")
    return ""


def _is_odd_id(name: str, value: str) -> bool:
    return name in {"object_id", "pk"} and not (_NUMBER.fullmatch(value) and int(value) <= LARGEST)
