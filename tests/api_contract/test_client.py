"""A client that is generated from the description can do all that an appeal needs."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from appeals.models import Appeal
from hub.models import ApiToken, User

HERE = Path(__file__).parent
DESCRIPTION = HERE.parents[1] / "docs" / "openapi.yaml"


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.usefixtures("desk", "finance", "steps", "shop")
def test_a_generated_client_goes_through_the_life_of_an_appeal(
    live_server: LiveServer, agent: User, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    generator = Path(sys.executable).parent / "openapi-python-client"
    path = f"{generator.parent}:/usr/bin:/bin"
    run(str(generator), "generate", "--path", str(DESCRIPTION), "--output-path", str(tmp_path / "hub_client"),
        "--meta", "none", PATH=path)  # fmt: skip
    told = run(
        sys.executable,
        str(HERE / "client_life.py"),
        PYTHONPATH=str(tmp_path),
        HUB=live_server.url,
        TOKEN=ApiToken.objects.create(agent)[1],
    )
    for kind in ("submitted", "reply", "message", "escalated", "snoozed", "resolved", "reopened", "attached"):
        assert kind in told.split()
    assert Appeal.objects.get().status == "waiting"
