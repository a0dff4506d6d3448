import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("appeals", "0012_evidence_packs_are_noted")]

    operations = [
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="snapshot",
                        serialize=False,
                        to="appeals.event",
                    ),
                ),
                ("before", models.JSONField()),
            ],
            options={"verbose_name": "way back", "verbose_name_plural": "ways back"},
        ),
        migrations.AddField(
            model_name="event",
            name="undoes",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="undone_by",
                to="appeals.event",
                verbose_name="undoes",
            ),
        ),
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
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "undone"), ("undoes__isnull", False))
                | (models.Q(("kind", "undone"), _negated=True) & models.Q(("undoes", None))),
                name="event_undone_names_what",
                violation_error_message="An undoing, and only an undoing, names what it undoes.",
            ),
        ),
    ]
