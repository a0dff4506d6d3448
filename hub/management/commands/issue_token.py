from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from hub.models import ApiToken, User


class Command(BaseCommand):
    help = "Makes an API token for a user and prints it, alone, on standard output. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the user whose rights the token has")
        parser.add_argument(
            "--days", type=int, help="how long the token works, 1-3650; without it, until it is revoked"
        )
        parser.add_argument("--name", default="", help="what the token is for")

    def handle(self, *args: Any, email: str, days: int | None, name: str, **options: Any) -> None:
        try:
            user = User.objects.filter(email__iexact=email).first()
        except (OperationalError, ProgrammingError) as error:
            hint = "Is DATABASE_URL right, and was the hub started once, or manage.py migrate run?"
            raise CommandError(
                f"The database has no people that could be read. {hint} ({str(error).strip()})"
            ) from error
        if user is None:
            raise CommandError(f"{email}: no user has this e-mail address.")
        if not user.is_active:
            raise CommandError(f"{email}: this user is not active.")
        if len(name) > 100:
            raise CommandError("--name: at most 100 characters.")
        if days is not None and not 1 <= days <= 3650:
            raise CommandError("--days: a number from 1 to 3650 is needed.")
        expiry = timedelta(days=days) if days is not None else None
        _, token = ApiToken.objects.create(user=user, expiry=expiry, name=name)
        self.stdout.write(token)
