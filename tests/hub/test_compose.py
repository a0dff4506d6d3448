"""docker-compose.yml and the Dockerfile: what can be seen of them without Docker, and their commands as processes."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.environment import VARIABLES
from hub.settings import BASE_DIR, FORM_MAX_BYTES
from hub.supervisor import PARTS
from tests.hub.running import Hub, manage, wait_until

DOCKERFILE = (BASE_DIR / "Dockerfile").read_text()
SERVICES: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())["services"]
HANDBOOK = (BASE_DIR / "docs" / "operations.md").read_text()
OURS = ["prepare", *PARTS]


def test_every_part_of_the_hub_is_a_service() -> None:
    assert [name for name, service in SERVICES.items() if service["image"] == "seller-support-hub"] == OURS


@pytest.mark.parametrize("name", OURS)
def test_a_container_knows_only_variables_of_the_hub_and_demands_its_secrets(name: str) -> None:
    environment: dict[str, str] = SERVICES[name]["environment"]
    assert set(environment) <= set(VARIABLES)
    assert environment["HUB_SECRET_KEY"].startswith("${HUB_SECRET_KEY:?")
    assert "${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]


def test_every_setting_that_is_not_the_images_own_reaches_the_containers() -> None:
    passed_on = set().union(*(SERVICES[name]["environment"] for name in OURS))
    own = {"HUB_HOST", "HUB_DATA_DIR", "HUB_PORT", "HUB_DEBUG"}
    assert passed_on == {name for name in VARIABLES if not name.startswith("HUB_TEST_")} - own


def test_the_proxy_of_the_handbook_holds_bodies_back_and_takes_as_much_as_the_hub() -> None:
    server = re.findall(r"^```nginx\n(.*?)^```", HANDBOOK, flags=re.S | re.M)[0]
    limit = re.findall(r"client_max_body_size (\d+)m;", server)
    assert [int(megabytes) * 2**20 for megabytes in limit] == [FORM_MAX_BYTES]
    assert "proxy_request_buffering on;" in server
    assert re.search(r"client_body_timeout \d+s;", server)


@pytest.mark.parametrize("name", OURS)
def test_a_container_can_write_to_its_data_only_and_has_no_powers(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert (service["volumes"], service["tmpfs"]) == (["data:/data"], ["/tmp"])  # noqa: S108
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


def test_the_image_is_not_run_by_root_and_holds_what_the_hub_is_made_of() -> None:
    assert DOCKERFILE.index("useradd --uid 10001") < DOCKERFILE.index("\nUSER hub\n") < DOCKERFILE.index("\nCMD ")
    kept = {line[1:] for line in (BASE_DIR / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept == {"manage.py", "requirements.lock", "hub", "appeals", "marketplaces", "templates"}
    assert all((BASE_DIR / name).exists() for name in kept)


def test_every_service_that_stays_tells_whether_it_is_well() -> None:
    watched = {name for name, service in SERVICES.items() if "test" in service.get("healthcheck", {})}
    assert watched == {"worker", "beat", "postgres", "redis"}
    assert "\nHEALTHCHECK " in DOCKERFILE  # the image's own, which is that of the web


@pytest.fixture
def container(ready: dict[str, str], postgres_url: str, redis_url: str) -> dict[str, str]:
    """The environment of each container, as far as it is not Docker's."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{ready['PATH']}"
    services = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url, "HUB_SECRET_KEY": "x" * 50}
    return ready | services | {"PATH": path, "HUB_SWEEP_SECONDS": "1"}


def is_healthy(test: str, container: dict[str, str]) -> bool:
    here = test.replace("/data", container["HUB_DATA_DIR"]).replace("$$", "$")
    probe = container | {"HOSTNAME": os.uname().nodename}
    return subprocess.run(here, shell=True, cwd=BASE_DIR, env=probe, capture_output=True, check=False).returncode == 0  # noqa: S602


@pytest.mark.postgres
@pytest.mark.redis
def test_the_commands_of_the_containers_are_a_hub_together(container: dict[str, str]) -> None:
    prepare = SERVICES["prepare"]["command"]
    assert prepare[:2] == ["python", "manage.py"]
    done = manage(container, *prepare[2:])
    assert done.returncode == 0, done.stderr
    with ExitStack() as stack:
        web, worker, beat = (stack.enter_context(Hub(container, SERVICES[name]["command"])) for name in PARTS)
        wait_until(lambda: web.status("/readyz") == 200, f"a sweep has run\n{worker.output}\n{beat.output}")
        assert is_healthy(SERVICES["worker"]["healthcheck"]["test"][1], container)
        assert is_healthy(SERVICES["beat"]["healthcheck"]["test"][1], container)
        probe = json.loads(re.findall(r"HEALTHCHECK.*?CMD (\[.*?\])\n", DOCKERFILE, re.DOTALL)[0])
        assert subprocess.run(probe, env=container, check=False).returncode == 0
        for part in (web, worker, beat):
            part.process.send_signal(signal.SIGTERM)
        assert [part.wait_for_exit() for part in (web, worker, beat)] == [0, 0, 0]
        assert not is_healthy(SERVICES["worker"]["healthcheck"]["test"][1], container)
