"""A backup that an older release made comes back in this one: restored as it was then, and migrated."""

import json
import os
from pathlib import Path

import pytest

from tests.hub.running import manage

# What an older release would have done: its tables, its rows, its backup
OLDER = """
import sys
from pathlib import Path
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from hub.backup import dump

executor = MigrationExecutor(connection)
leaves = [key for key in executor.loader.graph.leaf_nodes() if key[0] != "appeals"] + [("appeals", "0008_saved_view")]
executor.migrate(leaves)
then = executor.loader.project_state(leaves).apps
model, now = then.get_model, timezone.now()
user = model("hub.User").objects.create(email="agent@example.com", password="!")
market = model("marketplaces.Marketplace").objects.create(slug="bazaar", name="Базар")
shop = model("appeals.Shop").objects.create(name="Чай", marketplace=market)
model("appeals.Membership").objects.create(shop=shop, user=user)
common = dict(shop=shop, created_by=user, created_at=now)
first = model("appeals.Appeal").objects.create(subject="First", **common)
model("appeals.Appeal").objects.create(subject="Again", previous=first, **common)
name = default_storage.save("attachments/1/kept", ContentFile(b"a file"))
model("appeals.Attachment").objects.create(appeal=first, file=name, name="a.txt", size=6, created_at=now)

dumping = sys.modules["hub.backup.dump"]
dumping.apps, dumping.MigrationExecutor.migration_plan = then, lambda *arguments: []
dump(Path("FILE"))
"""
# What a hub of this release finds
NOW = """
import json
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from appeals.models import Appeal, Attachment
from hub.models import User

executor = MigrationExecutor(connection)
with Attachment.objects.get().file.open() as file:
    content = file.read().decode()
print("FOUND", json.dumps({
    "to migrate": len(executor.migration_plan(executor.loader.graph.leaf_nodes())),
    "people": list(User.objects.values_list("email", flat=True)),
    "matters": list(Appeal.objects.order_by("id").values_list("subject", "matter__subject")),
    "file": content,
}))
"""


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of when matters were not known yet."""
    folder = tmp_path_factory.mktemp("older")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    file, data = folder / "hub.tar", folder / "data"
    run(kept | {"HUB_DATA_DIR": str(data)}, "shell", "--command", OLDER.replace("FILE", str(file)))
    return file


def run(environment: dict[str, str], *arguments: str) -> str:
    done = manage(environment, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("database", "before"),
    [
        ("sqlite", "nothing"),
        ("sqlite", "the tables of this release"),
        pytest.param("postgresql", "nothing", marks=pytest.mark.postgres),
    ],
)
def test_it_is_restored_as_it_was_then_and_migrated(
    environment: dict[str, str], older: Path, database: str, before: str, request: pytest.FixtureRequest
) -> None:
    if database == "postgresql":
        environment = environment | {"DATABASE_URL": request.getfixturevalue("postgres_url")}
    if before != "nothing":
        run(environment, "migrate")

    assert "Restored: " in run(environment, "restore", str(older))

    found = json.loads(run(environment, "shell", "--command", NOW).split("FOUND ")[1])
    assert found == {
        "to migrate": 0,
        "people": ["agent@example.com"],
        "matters": [["First", None], ["Again", "First"]],
        "file": "a file",
    }


def test_it_does_not_replace_and_says_where_to_restore_it(ready: dict[str, str], older: Path) -> None:
    """`ready` has an administrator."""
    refused = manage(ready, "restore", str(older), "--replace", "--yes")
    assert refused.returncode != 0
    assert "of an older release" in refused.stderr
    assert "Set DATABASE_URL to an empty database, or HUB_DATA_DIR to an empty folder" in refused.stderr
