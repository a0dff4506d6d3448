"""The roles of a team, as groups with the permissions that they need. Names are shown in the reader's language."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

APPS = ("hub", "auth", "marketplaces", "appeals")
DIRECTORY = ("marketplace", "channel", "topic", "responsetarget", "escalationstep", "rule", "source")
WORK = ("shop", "membership", "appeal", "event", "deadline", "attachment", "reminder", "reminderrule")

VIEWER = {f"view_{model}" for model in (*DIRECTORY, *WORK)}
OWN_TOKENS = {f"{verb}_apitoken" for verb in ("view", "add", "delete")}
AGENT = VIEWER | OWN_TOKENS | {"add_appeal", "change_appeal", "delete_appeal", "add_attachment"}
LEAD = AGENT | {
    f"{verb}_{model}" for verb in ("add", "change", "delete") for model in ("shop", "membership", "reminderrule")
} - {"delete_shop"}
EDITOR = (VIEWER | {f"{verb}_{model}" for verb in ("add", "change", "delete") for model in DIRECTORY}) - {
    "add_source",
    "change_source",
    "delete_source",
}
INTEGRATION = AGENT | {"add_shop", "change_shop"}
ROLES = {
    "viewer": VIEWER,
    "agent": AGENT,
    "lead": LEAD,
    "directory editor": EDITOR,
    "integration": INTEGRATION,
}


def make_roles(apps, schema_editor):
    """Permissions are made after all migrations, which is too late here: they are made now."""
    for label in APPS:
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    every = Permission.objects.filter(content_type__app_label__in=APPS)
    for name, codenames in ROLES.items():
        group, _made = Group.objects.get_or_create(name=name)
        group.permissions.set(every.filter(codename__in=codenames))
    administrator, _made = Group.objects.get_or_create(name="administrator")
    administrator.permissions.set(every)


def remove_roles(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=[*ROLES, "administrator"]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0002_idempotencykey"),
        ("marketplaces", "0001_initial"),
        ("appeals", "0002_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, remove_roles)]
