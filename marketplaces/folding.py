"""A lookup that finds a part of a text whatever the case of its letters, in both databases.

The LIKE of SQLite minds the case of all letters but those of ASCII, and `icontains` with it.
"""

from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import CharField, Func, Lookup, TextField
from django.db.models.lookups import Contains, IContains


@CharField.register_lookup
@TextField.register_lookup
class Folded(Lookup):
    """`name__folded="почта"`; also in the `search_fields` of a list."""

    lookup_name = "folded"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return compiler.compile(IContains(self.lhs, self.rhs))

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        folded = Func(self.lhs, function="hub_folded", output_field=TextField())
        return compiler.compile(Contains(folded, _folded(self.rhs)))


def listen() -> None:
    """Called once, when the hub starts."""
    connection_created.connect(_teach, dispatch_uid="folding")


def _teach(connection: Any, **kwargs: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("hub_folded", 1, _folded, deterministic=True)


def _folded(text: Any) -> str | None:
    return None if text is None else str(text).casefold()
