"""What became of many appeals, kept in the session: a reload shows it again, and so does a button pressed twice."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from appeals.admin.people import reader
from appeals.models import Appeal, Event

DONE = "bulk_done"
KEPT = 5


class Row(NamedTuple):
    """What a verb would do to one appeal, or has done: `problem` where it cannot or could not.

    `line` is what it left on the timeline, if that can be taken back.
    """

    appeal: Appeal
    effect: str
    problem: str
    line: Event | None = None


class Result(NamedTuple):
    """`back` is the address of the list or the incident that the appeals were chosen from."""

    title: str
    back: str
    rows: list[Row]


def key(request: HttpRequest) -> str:
    """The same for a form that is sent again just as it was; another text, or the form opened anew, is another."""
    token = request.POST.get("token") or uuid4().hex
    sent = repr((request.get_full_path(), token, sorted(request.POST.lists())))
    return hashlib.sha256(sent.encode()).hexdigest()[:32]


def of_first_press(request: HttpRequest, name: str) -> bool:
    """Within a transaction: whoever presses twice waits here for the first press, and finds its result."""
    get_user_model().objects.select_for_update(no_key=True).get(pk=reader(request).pk)
    now = type(request.session)(request.session.session_key)
    request.session[DONE] = now.get(DONE, {})
    return name not in request.session[DONE]


def keep(request: HttpRequest, name: str, result: Result) -> None:
    """Before the transaction ends: the second press reads it from the database."""
    rows = [(row.appeal.pk, row.effect, row.problem, row.line and row.line.pk) for row in result.rows]
    earlier = list(request.session[DONE].items())[1 - KEPT :]
    request.session[DONE] = {**dict(earlier), name: [result.title, result.back, rows]}
    request.session.save()


def find(request: HttpRequest, name: str, visible: QuerySet[Appeal]) -> Result | None:
    """As it was kept, with the lines that still stand."""
    kept: Any = request.session.get(DONE, {}).get(name)
    if kept is None:
        return None
    title, back, rows = kept
    appeals = visible.select_related("shop__marketplace").in_bulk([row[0] for row in rows])
    lines = Event.objects.standing().in_bulk([row[3] for row in rows if row[3]])
    shown = [Row(appeals[pk], effect, problem, lines.get(line)) for pk, effect, problem, line in rows if pk in appeals]
    return Result(title, back, shown)


def address(name: str) -> str:
    return f"{reverse('admin:appeals_appeal_many', args=['done'])}?result={name}"
