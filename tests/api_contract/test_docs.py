"""Every command and every line of Python in docs/api.md works."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from appeals.models import Appeal, Event, Membership, Shop
from hub.models import ApiToken
from marketplaces.models import Marketplace
from tests.api_contract.conftest import person

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def blocks(language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.S | re.M))


@pytest.fixture
def surroundings(transactional_db: None, live_server: LiveServer, tmp_path: Path, settings: Any) -> dict[str, str]:
    """A hub with the shipped directory, a robot that works for a shop, and its token in the environment."""
    settings.MEDIA_ROOT = tmp_path / "media"
    call_command("load_directory", verbosity=0)
    robot = person("robot", role="integration")
    shop = Shop.objects.create(name="Чай и чашки", marketplace=Marketplace.objects.get(slug="ozon"))
    Membership.objects.create(shop=shop, user=robot)
    token = ApiToken.objects.create(robot)[1]
    return {"HUB": live_server.url, "TOKEN": token, "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def test_the_commands_of_the_page_work(surroundings: dict[str, str], tmp_path: Path) -> None:
    script = 'set -eu\ncurl() { command curl --fail-with-body "$@"; }\n' + blocks("sh").replace(
        "python3", sys.executable
    )
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        env=surroundings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    appeal = Appeal.objects.get()
    assert (appeal.status, appeal.external_number, appeal.priority) == ("waiting", "22283264", "urgent")
    assert (tmp_path / "copy.txt").read_text() == "Заказ 12345678-0001"
    assert appeal.attachments.count() == 1


def test_the_python_of_the_page_works(surroundings: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")],
        env=surroundings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, turn, count = done.stdout.splitlines()
    assert first.startswith("marketplace 20")
    assert (turn, count) == ("us", "1")
    assert Event.objects.filter(kind="reply").count() == 1
