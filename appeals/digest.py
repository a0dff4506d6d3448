"""What is due for one person, as one mail: HTML and plain text, in the reader's language and time zone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import parseaddr
from itertools import groupby
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.encoding import punycode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appeals import wording
from appeals.models import Appeal, Deadline, Reminder
from appeals.next_steps import NextSteps
from appeals.post import Mail
from appeals.recipients import Recipient
from appeals.sections import Section, brief, one_line, section, short
from marketplaces.models import Priority

Kind = Deadline.Kind
_FULL = 20
_BRIEF = 100
_SUBJECT_LENGTH = 150


def compose(
    recipient: Recipient,
    reminders: Sequence[Reminder],
    message_id: str,
    now: datetime,
    steps: NextSteps | None = None,
) -> Mail:
    """The mail to one person about what is due. `steps` are those that lie before the appeals, if they were read."""
    with translation.override(recipient.language), timezone.override(ZoneInfo(recipient.time_zone)):
        appeals = _by_appeal(reminders)
        count = len({row.deadline.appeal_id for row in reminders})
        steps = steps or NextSteps((row.deadline.appeal for row in reminders), now)
        sections = [section(rows, steps, now) for rows in appeals[:_FULL]]
        short = [brief(rows, now) for rows in appeals[_FULL : _FULL + _BRIEF]]
        rest = sum(len({row.deadline.appeal_id for row in rows}) for rows in appeals[_FULL + _BRIEF :])
        subject = _subject(sections, count)
        context = {
            "groups": [(place, list(group)) for place, group in groupby(sections, key=lambda one: one.marketplace)],
            "brief": short,
            "rest": rest,
            "unreached": ", ".join(_unreached(reminders)),
            "zone": f"{recipient.time_zone}, {wording.zone(now)}",
            "language": recipient.language,
            "list_url": settings.BASE_URL + reverse("admin:appeals_appeal_changelist") if rest else "",
            "subject": subject,
        }
        mail = Mail(
            subject=subject,
            body=render_to_string("emails/digest.txt", context),
            to=[recipient.address],
            headers=_headers(sections, count, message_id, recipient.language),
        )
        mail.attach_alternative(render_to_string("emails/digest.html", context), "text/html")
    return mail


def message_id(reminders: Iterable[Reminder]) -> str:
    """The identity of a mail that tells of these reminders: the same for the same reminders, whoever sends it."""
    keys = sorted(
        f"{row.deadline_id} {row.due_at.isoformat()} {row.rule_id} {row.repetition} {row.address} {row.resends}"
        for row in reminders
    )
    return f"<reminder.{hashlib.sha256('|'.join(keys).encode()).hexdigest()[:40]}@{_domain()}>"


def _domain() -> str:
    """The sender's, in the ASCII form that alone may stand in an identity."""
    return punycode(parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost")


def _headers(sections: Sequence[Section], count: int, message_id: str, language: str) -> dict[str, str]:
    """No answering machine is to reply; what tells of one appeal joins the thread of that appeal."""
    headers = {
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": language,
    }
    if count == 1:
        thread = f"<appeal.{sections[0].appeal.pk}@{_domain()}>"
        headers |= {"In-Reply-To": thread, "References": thread}
    return headers


def _by_appeal(reminders: Sequence[Reminder]) -> list[list[Reminder]]:
    """The reminders of each appeal, or of one incident, together: marketplaces and appeals by urgency."""
    appeals: dict[tuple[str, int, int], list[Reminder]] = {}
    for row in sorted(reminders, key=_urgency):
        appeals.setdefault(_subject_of(row.deadline.appeal), []).append(row)
    rank: dict[int, int] = {}
    for rows in appeals.values():
        rank.setdefault(_marketplace_id(rows), len(rank))
    return sorted(appeals.values(), key=lambda rows: rank[_marketplace_id(rows)])


def _subject_of(appeal: Appeal) -> tuple[str, int, int]:
    """What it is told under: itself, or the incident and the marketplace that it belongs to."""
    if appeal.incident_id:
        return "incident", appeal.incident_id, appeal.shop.marketplace_id
    return "appeal", appeal.pk, 0


def _urgency(row: Reminder) -> tuple[bool, bool, datetime, int]:
    """Urgent appeals first, then where it is our turn and the question dies, then the longest overdue."""
    appeal = row.deadline.appeal
    return appeal.priority != Priority.URGENT, row.deadline.kind != Kind.OUR_REPLY, row.due_at, row.deadline_id


def _marketplace_id(rows: Sequence[Reminder]) -> int:
    return rows[0].deadline.appeal.shop.marketplace_id


def _unreached(reminders: Iterable[Reminder]) -> list[str]:
    """Those whom mail did not reach, so that this reader is told instead."""
    instead = [row for row in reminders if row.reason == Reminder.Reason.INSTEAD]
    if not instead:
        return []
    failed = Reminder.objects.filter(
        deadline__in={row.deadline_id for row in instead},
        state=Reminder.State.FAILED,
        reason__in=[Reminder.Reason.REFUSED, Reminder.Reason.GAVE_UP],
    )
    return sorted(set(failed.values_list("address", flat=True)))


def _subject(sections: Sequence[Section], count: int) -> str:
    first = sections[0]
    words = {
        "marketplace": first.marketplace,
        "headline": first.clocks[0].headline,
        "number": first.appeal.pk,
        "title": first.title,
        "count": count,
    }
    if count == 1:
        text = _("%(marketplace)s, No. %(number)s. %(headline)s. %(title)s") % words
    else:
        text = (
            ngettext(
                "%(count)d appeal needs you. First: %(marketplace)s, No. %(number)s. %(headline)s",
                "%(count)d appeals need you. First: %(marketplace)s, No. %(number)s. %(headline)s",
                count,
            )
            % words
        )
    return short(one_line(text), _SUBJECT_LENGTH)
