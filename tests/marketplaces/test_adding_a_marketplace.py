"""`docs/adding-a-marketplace.md`, followed word for word in a copy of the project."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.settings import BASE_DIR
from marketplaces.directory import SHARED_FILE
from marketplaces.directory_file import DirectoryFileError, read_directory, read_shared

PAGE = BASE_DIR / "docs" / "adding-a-marketplace.md"
ASK_THE_API = """
from rest_framework.test import APIClient
from hub.models import User
client = APIClient(SERVER_NAME="localhost")
client.force_authenticate(User.objects.create_user("reader@example.com"))
answer = client.get("/api/v1/channels/", {"marketplace": "bazaar"})
print("CHANNELS", answer.status_code, sorted(row["address"] for row in answer.json()["results"]))
"""


def files() -> dict[str, str]:
    """The files of the example: each block of code after the name of a file."""
    return dict(re.findall(r"`(marketplaces/bazaar/[^`]+)`:\n\n```[a-z]+\n(.*?)```\n", PAGE.read_text(), re.DOTALL))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("hub", "appeals", "marketplaces", "templates"):
        shutil.copytree(BASE_DIR / name, tmp_path / "copy" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(BASE_DIR / "manage.py", tmp_path / "copy")
    for name, text in files().items():
        path = tmp_path / "copy" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path / "copy"


def manage(folder: Path, environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_is_one_folder_whose_channel_the_api_finds(copy: Path, environment: dict[str, str]) -> None:
    assert set(files()) == {f"marketplaces/bazaar/{name}" for name in ("__init__.py", "apps.py", "directory.toml")}
    manage(copy, environment, "migrate", "--verbosity", "0")
    assert "bazaar: created 9\n" in manage(copy, environment, "load_directory", "--dry-run")
    assert "bazaar: created 9\n" in manage(copy, environment, "load_directory")
    told = manage(copy, environment, "shell", "--verbosity", "0", "--command", ASK_THE_API)
    assert "CHANNELS 200 ['help@bazaar.example', 'https://seller.bazaar.example/chat']" in told
    assert 'address = "help@bazaar.example"' in manage(copy, environment, "export_directory", "bazaar")


def test_the_error_that_the_page_shows_is_the_one_that_comes(tmp_path: Path) -> None:
    path = tmp_path / "directory.toml"
    path.write_text(files()["marketplaces/bazaar/directory.toml"].replace('kind = "chat"', 'kind = "pigeon"'))
    with pytest.raises(DirectoryFileError) as refused:
        read_directory(path, read_shared(SHARED_FILE))
    (problem,) = refused.value.problems
    assert f"marketplaces/bazaar/directory.toml:{problem.line}: {problem.key}: " in PAGE.read_text()
    assert problem.key == "channels[seller-chat].kind"
