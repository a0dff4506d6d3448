"""Moments as PostgreSQL sends them, read by Python's own parser. The driver's takes ten times as long, and a page of
appeals has hundreds of them."""

from datetime import UTC, datetime
from typing import Any

from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from django.db.backends.signals import connection_created


class MomentLoader(BaseTzLoader):
    timezone = UTC

    def load(self, data: Any) -> datetime:
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError:  # what no datetime can hold, or another style of dates: the driver says what is wrong
            moment: datetime = super().load(data)
            return moment


def listen() -> None:
    """Called once, when the hub starts."""
    connection_created.connect(_teach, dispatch_uid="moments")


def _teach(connection: Any, **kwargs: Any) -> None:
    if connection.vendor == "postgresql":
        connection.connection.adapters.register_loader("timestamptz", MomentLoader)
