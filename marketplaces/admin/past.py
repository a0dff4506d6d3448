"""The history of a row: who did what to it and when, field by field."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext

from marketplaces import facts_text, history, wording
from marketplaces.models import DirectoryChange

SHOWN = 200


def past_of(row: Model) -> list[dict[str, Any]]:
    """The lines of a row's history for its page, the latest first."""
    kind = history.kind_of(row)
    lines = list(DirectoryChange.objects.of(kind.name, row.pk)[:SHOWN])
    said = facts_text.Said(lines[0].marketplace if lines else "")
    return [
        {
            "at": line.at,
            "who": str(line.actor or ""),
            "what": line.get_action_display(),
            "kept": line.action == DirectoryChange.Action.KEPT,
            "fields": [
                (facts_text.field_text(kind, field), said.value(kind, field, was), said.value(kind, field, value))
                for field, (was, value) in line.changes.items()
            ],
        }
        for line in lines
    ]


def who(line: DirectoryChange) -> str:
    return str(line.actor or gettext("the hub"))


def stale_text(row: Model) -> str:
    """Who changed a row last, what and when, for the person who is told that their form is old."""
    last = DirectoryChange.objects.of(history.kind_of(row).name, row.pk).first()
    if last is None:
        return gettext("While you were editing, this row was changed. Nothing was saved.")
    fields = [facts_text.field_text(history.kind_of(row), field) for field in last.changes]
    return gettext(
        "While you were editing, this row was changed: %(who)s, %(when)s: %(what)s (%(fields)s). Nothing was saved."
        " Check your values below; saving again keeps yours."
    ) % {
        "who": who(last),
        "when": wording.near(last.at, timezone.now()),
        "what": last.get_action_display(),
        "fields": ", ".join(fields) or facts_text.NOTHING,
    }
