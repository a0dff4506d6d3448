"""What the hub itself does by the clock."""

from celery import shared_task
from django.utils import timezone

from hub.api import idempotency


@shared_task
def forget_idempotency_keys() -> None:
    """Nobody repeats a request of days ago."""
    idempotency.purge(timezone.now())
