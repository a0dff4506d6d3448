"""Rows added by the hundred: those that are there already are left alone, and what a table refuses is an error."""

from collections import Counter
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError

from appeals.models import Appeal, Reminder, ReminderRule
from appeals.models.bulk import insert_rows
from tests.appeals.conftest import moscow

NOW = moscow("2026-10-12 09:00")

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("database", ["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.postgres)]),
]


def add(appeal: Appeal, *addresses: str, sent_at: datetime | None = None) -> Counter[str]:
    """How many there are of each address afterwards."""
    facts: dict[str, Any] = {"deadline_id": appeal.deadlines.all()[0].pk, "rule_id": ReminderRule.objects.all()[0].pk}
    facts |= dict.fromkeys(("due_at", "rung_at", "created_at", "send_after"), NOW)
    facts |= {"role": "assignee", "sent_at": sent_at}
    rows = [SimpleNamespace(address=address, **facts) for address in addresses]
    insert_rows(Reminder, ["address", *facts], rows)
    return Counter(Reminder.objects.values_list("address", flat=True))


def test_what_is_there_is_not_added_again(sent: Appeal, database: str) -> None:
    assert add(sent, "first@example.com") == {"first@example.com": 1}
    assert add(sent, "first@example.com", "second@example.com") == {"first@example.com": 1, "second@example.com": 1}


def test_what_a_table_refuses_is_not_passed_over(sent: Appeal, database: str) -> None:
    with pytest.raises(IntegrityError):
        add(sent, "first@example.com", sent_at=NOW)
