import hub.days_off
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hub", "0004_session_rounds")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="days_off",
            field=models.JSONField(
                blank=True, default=list, validators=[hub.days_off.validate_days_off], verbose_name="days off"
            ),
        ),
    ]
