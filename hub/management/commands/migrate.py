from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from hub import migrating


class Command(migrate.Command):
    """Django's own, but safe beside a hub that is at work and beside another process that migrates."""

    def handle(self, *args: Any, **options: Any) -> None:
        work = super().handle
        migrating.migrate(connections[options["database"]], lambda: work(*args, **options))
