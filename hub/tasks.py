"""What the hub itself does by the clock."""

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from hub import password_mail, uploads
from hub.api import idempotency


@shared_task
def forget_idempotency_keys() -> None:
    """Nobody repeats a request of days ago."""
    idempotency.purge(timezone.now())


@shared_task
def forget_sessions() -> None:
    """Those that are over: a browser that is closed leaves its session behind."""
    call_command("clearsessions")


@shared_task
def forget_uploads() -> None:
    """Tables that somebody looked at and never brought in."""
    uploads.forget(timezone.now())


@shared_task
def mail_password_reset(email: str) -> None:
    """A link to a new password for the person with this address, if there is one."""
    password_mail.send(email, now=timezone.now())
