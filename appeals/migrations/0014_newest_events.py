from django.db import migrations, models

from appeals.migrations._concurrently import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("appeals", "0013_undone_events")]

    operations = [
        AddIndexConcurrently("event", models.Index(fields=["-recorded_at", "-id"], name="event_newest")),
    ]
