from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("appeals", "0010_matters")]

    operations = [
        migrations.AddField(
            model_name="reminderrule",
            name="unheard_since",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
