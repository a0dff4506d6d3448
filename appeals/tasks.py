"""Celery's door to the reminders. The database is the truth; a task is only a bell that somebody may miss."""

from celery import shared_task
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from appeals import claims, delivery, recompute, reminders, undo


@shared_task
def sweep() -> None:
    """Finds what has fallen due, and has everything that waits delivered, whatever became of earlier bells."""
    now = timezone.now()
    reminders.sweep(now)
    reminders.record_sweep(now, timezone.now())
    if claims.waiting(now).exists():
        transaction.on_commit(deliver.delay)


@shared_task
def deliver() -> None:
    """Sends for a while, then lets another task go first and carries on."""
    if delivery.deliver(timezone.now()):
        transaction.on_commit(deliver.delay)


@shared_task
def recompute_deadlines(marketplace_id: int | None = None, actor_id: int | None = None) -> None:
    """Brings running deadlines, of one marketplace or of all, up to a directory that somebody or a release changed."""
    actor = get_user_model().objects.filter(pk=actor_id).first() if actor_id else None
    recompute.apply(now=timezone.now(), marketplace_id=marketplace_id, actor=actor)


@shared_task
def forget_ways_back() -> None:
    """Nobody can undo what is older than some minutes; what the way back was made of goes."""
    undo.forget(timezone.now())
