"""Appeals that continue earlier ones learn which appeal was the first of their matter."""

from django.db import migrations


def find(apps, schema_editor):
    """Follows `previous` to its end. Two appeals that name each other, which no form has allowed, stay as they are."""
    Appeal = apps.get_model("appeals", "Appeal")
    previous = dict(Appeal.objects.exclude(previous=None).values_list("pk", "previous"))
    for pk in previous:
        first, seen = pk, set()
        while first in previous and first not in seen:
            seen.add(first)
            first = previous[first]
        if first not in seen:
            Appeal.objects.filter(pk=pk).update(matter=first)


def forget(apps, schema_editor):
    apps.get_model("appeals", "Appeal").objects.exclude(matter=None).update(matter=None)


class Migration(migrations.Migration):
    dependencies = [
        ("appeals", "0009_chain_and_incidents"),
    ]

    operations = [
        migrations.RunPython(find, forget),
    ]
