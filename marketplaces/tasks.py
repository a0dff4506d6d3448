"""Celery's door to the upkeep of the directory."""

from celery import shared_task
from django.utils import timezone

from marketplaces import staleness


@shared_task
def tell_of_stale_rows() -> None:
    """Rung daily; the editors hear of it once a week."""
    staleness.send_digest(timezone.now())
