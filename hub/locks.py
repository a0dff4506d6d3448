"""Log-ins that fail: who is shut out, and until when. django-axes counts, and calls what the settings name to it."""

import logging
from datetime import datetime
from http import HTTPStatus
from math import ceil
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.contrib import admin
from django.db.models import Max, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from appeals import wording
from hub.models import User, UserManager

# One person from one place is shut out after AXES_FAILURE_LIMIT. Whoever tries many people from one place, or one
# person from many places, is shut out after this many: an office of honest people stays below it.
MANY = 100
logger = logging.getLogger(__name__)


class Handler(AxesDatabaseHandler):
    def is_locked(self, request: HttpRequest, credentials: Any = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        return any(_failures(one) >= MANY for one in _wide(request, credentials))


def username(request: HttpRequest, credentials: Any = None) -> str:
    """As people are found by: in lower case, so that other letters are no other person."""
    given = credentials if credentials else request.POST
    return UserManager.normalize_email(given.get(settings.AXES_USERNAME_FORM_FIELD))


def refuse(request: HttpRequest, original: Any = None, credentials: Any = None) -> HttpResponse:
    """The page for somebody who is shut out. It says nothing about whether there is such a person."""
    until = locked_until(request, credentials)
    place = request.axes_ip_address  # type: ignore[attr-defined]
    logger.warning("Too many failed log-ins: one from %s is refused, until %s.", place, until.isoformat())
    words = {"until": until, "zone": wording.zone(until), "reset": reverse("admin_password_reset")}
    context = {**admin.site.each_context(request), "title": _("Too many attempts"), **words}
    answer = render(request, "admin/locked.html", context, status=HTTPStatus.TOO_MANY_REQUESTS)
    answer.headers["Retry-After"] = str(max(1, ceil((until - timezone.now()).total_seconds())))
    return answer


def locked_until(request: HttpRequest, credentials: Any = None) -> datetime:
    person = Q(username=username(request, credentials), ip_address=request.axes_ip_address)  # type: ignore[attr-defined]
    narrow = _recent(request).filter(person)
    found = [rows for rows in (narrow, *_wide(request, credentials)) if _failures(rows)]
    last = max((rows.aggregate(last=Max("attempt_time"))["last"] for rows in found), default=timezone.now())
    until: datetime = last + settings.AXES_COOLOFF_TIME
    return until


def release(user: User) -> int:
    """Ends the locks of a person; how many there were."""
    count: int = reset(username=user.email)
    return count


def _wide(request: HttpRequest, credentials: Any) -> list[QuerySet[AccessAttempt]]:
    recent = _recent(request)
    place = recent.filter(ip_address=request.axes_ip_address)  # type: ignore[attr-defined]
    return [place, recent.filter(username=username(request, credentials))]


def _recent(request: HttpRequest) -> QuerySet[AccessAttempt]:
    found: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request))
    return found


def _failures(attempts: QuerySet[AccessAttempt]) -> int:
    return attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0
