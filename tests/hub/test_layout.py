"""The house as docs/architecture.md draws it: platform apps are found by their folder, and imports point down."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.settings import BASE_DIR
from marketplaces import platform

APPS_PY = """from marketplaces import platform


class Fifth(platform.Platform):
    name = "marketplaces.fifth"
    slug = "fifth"
    verbose_name = "Fifth"
"""
DIRECTORY_TOML = """schema = 1

[sources.X1]
title = "Выдуманный источник"
title_en = "A made-up source"
published = "2026"
grade = "A"

[marketplace]
slug = "fifth"
name = "Пятый"
name_en = "Fifth"
country = "RU"
time_zone = "Europe/Moscow"

[marketplace.provenance.time_zone]
source = "X1"
source_grade = "A"
verified_on = 2026-11-01

[[channels]]
key = "chat"
kind = "chat"
name = "Чат пятого"
name_en = "Chat of the fifth"
address = "https://fifth.example.com/chat"
audience = "sellers"
opening_hours = "24/7"
needs_login = true
works_without_account = false
state = "working"
source = "X1"
source_grade = "A"
verified_on = 2026-11-01
"""
ASK_THE_API = """
from rest_framework.test import APIClient
from hub.models import User
client = APIClient(SERVER_NAME="localhost")
client.force_authenticate(User.objects.create_user("agent@example.com"))
answer = client.get("/api/v1/channels/", {"marketplace": "fifth"})
print("CHANNELS", answer.status_code, [row["name"] for row in answer.json()["results"]])
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project in another folder, for changes."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("hub", "appeals", "marketplaces", "templates"):
        shutil.copytree(BASE_DIR / name, tmp_path / "copy" / name, ignore=ignored)
    for name in ("manage.py", "pyproject.toml", "tests/__init__.py", "tests/import_contracts.py"):
        (tmp_path / "copy" / name).parent.mkdir(exist_ok=True)
        shutil.copy(BASE_DIR / name, tmp_path / "copy" / name)
    return tmp_path / "copy"


def run(folder: Path, environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_folders_and_the_registry_of_platform_apps_agree() -> None:
    folders = {path.parent.name for path in (BASE_DIR / "marketplaces").glob(f"*/{platform.Platform.directory_file}")}
    installed = platform.installed()
    assert {Path(app.path).name for app in installed} == folders
    assert folders >= {"ozon", "wildberries", "yandex_market", "aliexpress"}
    assert [app.slug for app in installed] == sorted(folders)


def test_a_fifth_marketplace_is_one_folder_and_no_other_edit(copy: Path, environment: dict[str, str]) -> None:
    fifth = copy / "marketplaces" / "fifth"
    fifth.mkdir()
    (fifth / "__init__.py").touch()
    (fifth / "apps.py").write_text(APPS_PY)
    (fifth / "directory.toml").write_text(DIRECTORY_TOML)
    for command in ("migrate", "load_directory"):
        done = run(copy, environment, sys.executable, "manage.py", command)
        assert done.returncode == 0, done.stderr
    asked = run(copy, environment, sys.executable, "manage.py", "shell", "--command", ASK_THE_API)
    assert "CHANNELS 200 ['Чат пятого']" in asked.stdout, asked.stderr
    kept = run(copy, environment, _tool("lint-imports"), "--no-logo", "--no-cache", "--contract", "platform-apps")
    assert kept.returncode == 0, kept.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("appeals/promises.py", "from hub import models", "Floors of the house"),
        ("appeals/models/shop.py", "from appeals import lifecycle", "Floors of appeals"),
        ("marketplaces/platform.py", "from marketplaces import models", "What a platform app may declare"),
        ("marketplaces/ozon/apps.py", "from marketplaces import models", "Platform apps stand alone"),
        ("marketplaces/ozon/apps.py", "import marketplaces.wildberries.apps", "Platform apps stand alone"),
        ("hub/urls.py", "import marketplaces.ozon.apps", "Platform apps stand alone"),
    ],
)
def test_an_import_that_points_up_or_across_breaks_a_contract(
    copy: Path, environment: dict[str, str], module: str, line: str, broken: str
) -> None:
    (copy / module).write_text(f"{line}\n{(copy / module).read_text()}")
    done = run(copy, environment, _tool("lint-imports"), "--no-logo", "--no-cache")
    assert done.returncode == 1
    assert any(broken in text and text.endswith("BROKEN") for text in done.stdout.splitlines()), done.stdout


def _tool(name: str) -> str:
    return os.fspath(Path(sys.executable).parent / name)
