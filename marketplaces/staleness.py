"""What nobody has checked for long: marked in the lists, and told to the directory editors once a week."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from smtplib import SMTPException
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import ngettext

from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Rule, StaleDigest, Topic
from marketplaces.models.directory_row import DirectoryRow

if TYPE_CHECKING:
    from hub.models import User

log = logging.getLogger(__name__)

MODELS: tuple[Any, ...] = (Channel, Topic, ResponseTarget, EscalationStep, Rule)
EVERY = timedelta(days=7)
LISTED = 30  # rows of one marketplace in a mail; the lists of the workplace show them all
Stale = dict[Marketplace | None, list[DirectoryRow | Marketplace]]


def limit(today: date) -> date:
    """What was last checked before this day is stale."""
    return today - timedelta(days=settings.STALE_AFTER_DAYS)


def is_stale(row: DirectoryRow | Marketplace, today: date) -> bool:
    return row.retired_at is None and row.checked_on is not None and row.checked_on < limit(today)


def stale_rows(today: date) -> Stale:
    """By marketplace, None for what serves all; the longest unchecked first."""
    found: Stale = defaultdict(list)
    for place in Marketplace.objects.filter(retired_at=None):
        if is_stale(place, today):
            found[place].append(place)
    for model in MODELS:
        rows = model.objects.filter(retired_at=None, verified_on__lt=limit(today))
        for row in rows.select_related("marketplace"):
            found[row.marketplace].append(row)
    for rows_of_one in found.values():
        rows_of_one.sort(key=lambda row: row.checked_on or today)
    return dict(sorted(found.items(), key=lambda item: item[0].slug if item[0] else ""))


def editors() -> QuerySet["User"]:
    """Those who can do something about it: the directory editors, or administrators where there are none."""
    may = Permission.objects.filter(codename="change_channel", content_type__app_label="marketplaces")
    people = get_user_model().objects.filter(is_active=True).exclude(email="")
    found = people.filter(Q(groups__permissions__in=may) | Q(user_permissions__in=may)).distinct()
    return found if found.exists() else people.filter(is_superuser=True)


def send_digest(now: datetime) -> int:
    """Mails the editors what is stale, once in EVERY whoever else tries, and nothing when nothing is. How many."""
    today = timezone.localdate(now)
    stale = stale_rows(today)
    people = list(editors())
    if not stale or not people or not (previous := _claim(today)):
        return 0
    sent = sum(_send(person, stale, now) for person in people)
    if not sent:  # the mail server is away: the next beat tries again
        StaleDigest.objects.filter(pk=1, sent_on=today).update(sent_on=previous)
    return sent


def _claim(today: date) -> date | None:
    """The day of the last digest, if it was long enough ago and nobody else sends this one."""
    StaleDigest.objects.get_or_create(pk=1, defaults={"sent_on": date.min})
    previous = StaleDigest.objects.get(pk=1).sent_on
    due = StaleDigest.objects.filter(pk=1, sent_on=previous, sent_on__lte=today - EVERY)
    return previous if due.update(sent_on=today) else None


def _send(person: "User", stale: Stale, now: datetime) -> int:
    with translation.override(person.language), timezone.override(ZoneInfo(person.zone_name)):
        count = sum(map(len, stale.values()))
        subject = ngettext(
            "%(count)d entry of the directory has not been checked for a long time",
            "%(count)d entries of the directory have not been checked for a long time",
            count,
        ) % {"count": count}
        words = {"person": person, "days": settings.STALE_AFTER_DAYS, "groups": _groups(stale)}
        message = EmailMessage(subject, render_to_string("emails/stale_directory.txt", words), to=[person.email])
    try:
        return message.send()
    except (SMTPException, OSError):
        log.exception("The digest of the directory did not reach %s", person.email)
        return 0


def _groups(stale: Stale) -> Iterable[dict[str, Any]]:
    for place, rows in stale.items():
        lines = [{"kind": capfirst(row._meta.verbose_name), "row": row, "url": _address(row)} for row in rows[:LISTED]]
        yield {"marketplace": place, "lines": lines, "more": len(rows) - len(lines)}


def _address(row: DirectoryRow | Marketplace) -> str:
    view = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return f"{settings.BASE_URL}{reverse(view, args=[row.pk])}"
