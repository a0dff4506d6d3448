"""Celery's door to the reminders. The database is the truth; a task is only a bell that somebody may miss."""

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from appeals import delivery, reminders


@shared_task
def sweep() -> None:
    """Finds what has fallen due, and has everything that waits delivered, whatever became of earlier bells."""
    now = timezone.now()
    reminders.sweep(now)
    reminders.record_sweep(now)
    if delivery.waiting(now).exists():
        transaction.on_commit(deliver.delay)


@shared_task
def deliver() -> None:
    """Sends for a while, then lets another task go first and carries on."""
    if delivery.deliver(timezone.now()):
        transaction.on_commit(deliver.delay)
