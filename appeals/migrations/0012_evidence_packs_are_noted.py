from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("appeals", "0011_rules_not_yet_heard_of"),
    ]

    operations = [
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("created", "created"),
                    ("edited", "edited"),
                    ("submitted", "sent"),
                    ("reply", "the marketplace replied"),
                    ("message", "we wrote"),
                    ("escalated", "escalated"),
                    ("resolved", "resolved"),
                    ("reopened", "reopened"),
                    ("snoozed", "snoozed"),
                    ("deadline", "deadline"),
                    ("attached", "file attached"),
                    ("reminded", "reminder sent"),
                    ("undone", "undone"),
                    ("exported", "evidence pack taken"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
    ]
