from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("appeals", "0004_told_until"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="appeal",
            index=models.Index(fields=["status", "next_due_at", "shop"], name="appeal_needs"),
        ),
        migrations.AddIndex(
            model_name="deadline",
            index=models.Index(fields=["ended_at", "kind", "state", "appeal"], name="deadline_ended"),
        ),
    ]
