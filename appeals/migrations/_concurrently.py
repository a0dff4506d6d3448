"""Indexes on tables that are large and always in use. A migration that holds one of these says `atomic = False`."""

from contextlib import contextmanager

from django.contrib.postgres.operations import NotInTransactionMixin
from django.db.migrations.operations import AddIndex


class AddIndexConcurrently(NotInTransactionMixin, AddIndex):
    """On PostgreSQL the index grows while others write; on SQLite, which has one writer, it is made at once.

    What an attempt that was broken off has left is taken away first.
    """

    atomic = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        with patiently(schema_editor):
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}")
            schema_editor.add_index(model, self.index, concurrently=True)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        self._ensure_not_in_transaction(schema_editor)
        model = from_state.apps.get_model(app_label, self.model_name)
        with patiently(schema_editor):
            schema_editor.remove_index(model, self.index, concurrently=True)


@contextmanager
def patiently(schema_editor):
    """Its wait for those who are at work has no end, unlike that of other migrations: it stands in nobody's way."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (before,) = cursor.fetchone()
        cursor.execute("SET lock_timeout = 0")
        try:
            yield
        finally:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [before])
