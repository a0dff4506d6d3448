"""The way back at the screen: a button in the message that something was done, and on its line of the timeline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from appeals import undo
from appeals.admin.people import reader
from appeals.models import Appeal, Event

if TYPE_CHECKING:
    from hub.models import User


UNDONE = gettext_noop("Undone: everything is as it was before.")


def view(request: HttpRequest, appeal: Appeal) -> HttpResponse:
    """Takes back the line that was named, and says so, or why not, on the page of the appeal."""
    number = request.POST.get("event", "")
    named = int(number) if number.isdecimal() and len(number) < 19 else 0
    if problem := take_back(appeal, named, reader(request), timezone.now()):
        messages.error(request, problem)
    else:
        messages.success(request, _(UNDONE))
    return HttpResponseRedirect(appeal.get_absolute_url())


def take_back(appeal: Appeal, event: int, user: User, now: datetime) -> str:
    """Why it could not be taken back; empty when it was."""
    try:
        undo.undo(appeal=appeal, actor=user, now=now, event=event)
    except undo.UndoError as error:
        return str(error)
    except ValidationError as error:
        return _("It cannot be undone: %(why)s") % {"why": " ".join(error.messages)}
    return ""


def context(appeal: Appeal, user: User, now: datetime, lines: Iterable[Event]) -> dict[str, Any]:
    """For the page: the line of its timeline that this person can take back now, and the button for it."""
    event = undo.undoable(appeal, actor=user, now=now, lines=lines)
    return {"undoable": event, "undo_button": button([event], now) if event else ""}


def with_way_back(text: str, appeal: Appeal, user: User, now: datetime) -> str | SafeString:
    """What was done, with the button that takes it back. The form that it belongs to stands on the appeal's page."""
    event = undo.undoable(appeal, actor=user, now=now)
    return format_html("{} {}", text, button([event], now)) if event else text


def button(events: Sequence[Event], now: datetime) -> SafeString:
    """For one line or several, while the first of them can be taken back.

    The minutes that are left are counted down by a script; without it they stay as they were.
    """
    end = min(undo.until(event) for event in events)
    minutes = max(1, math.ceil((end - now).total_seconds() / 60))
    values = {"events": "-".join(str(event.pk) for event in events), "until": end, "minutes": minutes}
    return SafeString(render_to_string("admin/appeals/appeal/undo.html", values))
