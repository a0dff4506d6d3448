"""The workplace: the doors of people. They parse, call one verb or rule, and render."""

from appeals.admin import appeals, incidents, recompute, reminders, shops

__all__ = ["appeals", "incidents", "recompute", "reminders", "shops"]
