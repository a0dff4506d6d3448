import os
import shutil
from pathlib import Path

import pytest

from tests.hub.running import free_port, manage


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data folder that has been prepared once, and what that printed."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = manage(kept | {"HUB_DATA_DIR": str(folder)}, "up", "--only", "prepare")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture
def ready(environment: dict[str, str], prepared: tuple[Path, str]) -> dict[str, str]:
    """The environment of a hub that has been started before."""
    shutil.copytree(prepared[0], environment["HUB_DATA_DIR"])
    return environment | {"HUB_PORT": str(free_port())}
