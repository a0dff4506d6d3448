from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("appeals", "0003_shipped_ladder")]

    operations = [
        migrations.AddField(
            model_name="deadline",
            name="told_until",
            field=models.DateTimeField(blank=True, null=True, verbose_name="told until"),
        ),
    ]
