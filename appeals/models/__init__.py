from appeals.models.appeal import Appeal
from appeals.models.attachment import Attachment
from appeals.models.deadline import Deadline
from appeals.models.event import AppendOnlyError, Event, Snapshot
from appeals.models.incident import Incident, IncidentBatch
from appeals.models.reminder import Heartbeat, RefusedAddress, Reminder
from appeals.models.reminder_rule import ReminderRule
from appeals.models.saved_view import SavedView
from appeals.models.shop import Membership, Shop

__all__ = [
    "Appeal",
    "AppendOnlyError",
    "Attachment",
    "Deadline",
    "Event",
    "Heartbeat",
    "Incident",
    "IncidentBatch",
    "Membership",
    "RefusedAddress",
    "Reminder",
    "ReminderRule",
    "SavedView",
    "Shop",
    "Snapshot",
]
