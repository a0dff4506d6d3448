"""What the hub logs: lines for people or JSON for programs, each with the request and the task that it belongs to.

A request's id comes with `X-Request-ID` or is made here; tasks that the request started carry it on, and so do theirs.
Logs hold no bodies, no search words, no tokens, and of a database's complaint not the row it complains about.
"""

import logging
import re
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from copy import copy
from functools import reduce
from types import TracebackType
from typing import Any

from celery import Task, signals
from django.conf import settings
from pythonjsonlogger.json import JsonFormatter

HEADER = "X-Request-ID"
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
TASK_ID: ContextVar[str] = ContextVar("task_id", default="")
_KEY = re.compile(r"(?<=/admin/password/)[^/\s]+/[^/\s]+")
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def request_id(offered: str | None) -> str:
    """The id that the caller offers, unless it could be anything but an id; otherwise a new one."""
    return offered if offered and _SANE.fullmatch(offered) else uuid.uuid4().hex


class Context(logging.Filter):
    """Notes on each line the request and the task in whose course it was written."""

    def filter(self, record: logging.LogRecord) -> bool:
        known = {"request_id": REQUEST_ID.get(), "task_id": TASK_ID.get()}
        record.__dict__.update({name: value for name, value in known.items() if value})
        record.ids = "".join(f" {name}={value}" for name, value in known.items() if value)
        return True


class Discreet:
    """Without the rows that PostgreSQL quotes when it refuses them: they hold letters. Nor the keys of addresses."""

    def format(self, record: logging.LogRecord) -> str:
        """The line itself may name an error, too, as text or as Celery does when a task fails."""
        given = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
        named = [record.exc_info[1] if record.exc_info else None, *given]
        errors = [one for one in named if isinstance(one, BaseException)]
        record = copy(record)
        record.exc_text = None  # of a formatter that is not discreet
        record.msg, record.args = reduce(_without_rows, errors, without_key(record.getMessage())), None
        return str(super().format(record))  # type: ignore[misc]

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802
        text: str = super().formatException(ei)  # type: ignore[misc]
        return _without_rows(text, ei[1])


class Line(Discreet, logging.Formatter):
    def __init__(self) -> None:
        form = "%(asctime)s %(levelname)s %(name)s%(ids)s %(message)s"
        super().__init__(form, "%Y-%m-%dT%H:%M:%S%z", defaults={"ids": ""})


class Json(Discreet, JsonFormatter):
    def __init__(self) -> None:
        names = {"levelname": "level", "name": "logger", "exc_info": "exception"}
        skipped = {*logging.makeLogRecord({}).__dict__, "ids", "message", "asctime", "request", "data", "taskName"}
        super().__init__(
            ("levelname", "name", "message"),
            rename_fields=names,
            reserved_attrs=sorted(skipped),
            timestamp="time",
            json_ensure_ascii=False,
        )


def formatter() -> logging.Formatter:
    """As HUB_LOG_FORMAT says."""
    return Json() if settings.LOG_FORMAT == "json" else Line()


def without_key(text: str) -> str:
    """Whoever has the address of a link to a new password opens the account, also when it was not answered."""
    return _KEY.sub("<uidb64>/<token>", text)


def _without_rows(text: str, error: BaseException | None) -> str:
    """What PostgreSQL says first, instead of all that it says: as it is, and as `repr` writes it."""
    for one in _chain(error):
        primary = getattr(getattr(one, "diag", None), "message_primary", None)
        if primary and str(one):
            text = text.replace(str(one), primary).replace(repr(str(one))[1:-1], primary)
    return text


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


@signals.before_task_publish.connect
def pass_on(headers: dict[str, Any] | None = None, **kwargs: Any) -> None:
    if headers is not None and REQUEST_ID.get():
        headers["request_id"] = REQUEST_ID.get()


@signals.task_prerun.connect
def begin_task(task_id: str, task: Task[Any, Any], **kwargs: Any) -> None:
    TASK_ID.set(task_id)
    headers = {
        **(task.request.headers or {}),
        **task.request.__dict__,
    }  # a worker spreads them
    REQUEST_ID.set(headers.get("request_id") or "")


@signals.task_postrun.connect
def end_task(**kwargs: Any) -> None:
    TASK_ID.set("")
    REQUEST_ID.set("")
