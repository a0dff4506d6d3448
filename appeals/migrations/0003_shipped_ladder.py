"""The ladder of reminders that a new installation starts with. Leads may edit it."""

from django.db import migrations

BREACH = {"moment": "after", "amount": 0, "unit": "hours"}
PRESS_ON = {
    "moment": "after",
    "amount": 1,
    "unit": "working_days",
    "tell_lead": True,
    "repeat_amount": 2,
    "repeat_unit": "working_days",
    "repeat_limit": 5,
}
LADDER = [
    {"deadline_kind": "our_reply", "moment": "share", "amount": 50},
    {"deadline_kind": "our_reply", "moment": "before", "amount": 2, "unit": "hours"},
    {"deadline_kind": "first_reply", **BREACH},
    {"deadline_kind": "first_reply", **PRESS_ON},
    {"deadline_kind": "answer", **BREACH},
    {"deadline_kind": "answer", **PRESS_ON},
    {"deadline_kind": "escalation", "moment": "before", "amount": 3, "unit": "calendar_days"},
    {"deadline_kind": "escalation", **BREACH},
]


def ship(apps, schema_editor):
    rules = apps.get_model("appeals", "ReminderRule").objects
    for rule in LADDER:
        rules.create(**rule)


def take_back(apps, schema_editor):
    """Removes the rules that nobody edited."""
    rules = apps.get_model("appeals", "ReminderRule").objects
    for rule in LADDER:
        rules.filter(marketplace=None, topic=None, priority="", people=None, **rule).delete()


class Migration(migrations.Migration):
    dependencies = [("appeals", "0002_initial")]

    operations = [migrations.RunPython(ship, take_back)]
