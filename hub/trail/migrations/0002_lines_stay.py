"""The database itself refuses to change a line. On PostgreSQL it refuses to delete one, too.

SQLite has no way to empty a table but DELETE, which restoring a backup needs; there the code alone refuses it.
"""

from django.db import migrations

POSTGRESQL = """
CREATE FUNCTION trail_lines_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'The trail is append-only.'; END $$;
CREATE TRIGGER trail_lines_stay BEFORE UPDATE OR DELETE ON trail_trailentry
FOR EACH ROW EXECUTE FUNCTION trail_lines_stay();
"""
SQLITE = """
CREATE TRIGGER trail_lines_stay BEFORE UPDATE ON trail_trailentry
BEGIN SELECT RAISE(ABORT, 'The trail is append-only.'); END;
"""


def guard(apps, schema_editor):
    schema_editor.execute(POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE)


def release(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION trail_lines_stay() CASCADE")
    else:
        schema_editor.execute("DROP TRIGGER trail_lines_stay")


class Migration(migrations.Migration):
    dependencies = [("trail", "0001_trail")]

    operations = [migrations.RunPython(guard, release)]
