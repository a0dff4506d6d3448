"""The hub's settings for tests: nothing from the environment of whoever runs them, the language of their terminal
neither, nothing written outside a temporary folder. Only the addresses of services for tests are taken over."""

import atexit
import os
import secrets
import shutil
import tempfile

from hub.environment import VARIABLES

_KEPT = {"HUB_TEST_DATABASE_URL", "HUB_TEST_REDIS_URL"}
for _name in list(os.environ):
    if (_name in VARIABLES or _name.startswith(("HUB_", "LANG", "LC_"))) and _name not in _KEPT:
        del os.environ[_name]
os.environ["LANG"] = "C.UTF-8"
os.environ["HUB_DATA_DIR"] = tempfile.mkdtemp(prefix="hub-tests-")
os.environ["HUB_SECRET_KEY"] = secrets.token_urlsafe(50)

from hub.settings import *  # noqa: E402, F403
from hub.settings import DATA_DIR, DATABASES, STATIC_ROOT, STORAGES  # noqa: E402


@atexit.register
def _remove_data_dir(owner: int = os.getpid()) -> None:
    if os.getpid() == owner:  # a forked test process must not take the folder away
        shutil.rmtree(DATA_DIR, ignore_errors=True)


DATABASES["default"]["TEST"] = {
    "NAME": str(DATA_DIR / "test.sqlite3")
}  # a file, so that threads meet as in production
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT.mkdir()
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; no password here guards anything
METRICS_FOLDER = DATA_DIR / "metrics"
