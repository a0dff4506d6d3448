"""The environment of the hub: every variable it reads, with its type, its default and what it is for.

`hub.settings` reads values from here and nowhere else. A value that cannot be used stops the start with one sentence
that names the variable; so does a `HUB_` variable that nobody reads, because it is nearly always a misspelling.
"""

import os
import secrets
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured


class Variable(NamedTuple):
    cast: type
    default: Any
    meaning: str


VARIABLES: dict[str, Variable] = {
    "HUB_SECRET_KEY": Variable(str, "", "Signing key. Empty: a random one is made once and kept in HUB_DATA_DIR."),
    "HUB_DEBUG": Variable(bool, False, "Show tracebacks in the browser. Never in production."),
    "HUB_DATA_DIR": Variable(str, "var", "Folder of everything that the hub writes."),
    "HUB_HOST": Variable(str, "127.0.0.1", "Address that the web server listens on."),
    "HUB_PORT": Variable(int, 8000, "Port that the web server listens on, 1-65535."),
    "HUB_BASE_URL": Variable(str, "", "Address that people open; links in mails start with it. Empty: host and port."),
    "HUB_ALLOWED_HOSTS": Variable(list, ["localhost", "127.0.0.1", "[::1]"], "Host names answered, comma separated."),
    "HUB_TIME_ZONE": Variable(str, "Europe/Moscow", "Time zone of new users and of people not logged in."),
    "HUB_MAIL_FROM": Variable(str, "hub@localhost", "Sender of the reminders."),
    "HUB_SWEEP_SECONDS": Variable(int, 60, "Seconds between two searches for late deadlines, 1-3600."),
    "HUB_WORKERS": Variable(int, 1, "Web server processes started by `manage.py up`, 1-64."),
    "HUB_ADMIN_EMAIL": Variable(str, "", "Log-in of the first administrator. Empty: admin@example.com."),
    "HUB_ADMIN_PASSWORD": Variable(str, "", "Password of the first administrator. Empty: random, printed once."),
    "HUB_HTTPS": Variable(bool, False, "The hub is served over HTTPS: secure cookies, redirect and HSTS."),
    "HUB_TEST_DATABASE_URL": Variable(str, "", "PostgreSQL of the tests. Empty: the standard local port, if open."),
    "HUB_TEST_REDIS_URL": Variable(str, "", "Redis of the tests. Empty: the standard local port, if open."),
    "DATABASE_URL": Variable(str, "", "postgres://user:password@host:port/name. Empty: SQLite in HUB_DATA_DIR."),
    "REDIS_URL": Variable(str, "", "redis://host:port/number. Empty: the Celery broker is a folder in HUB_DATA_DIR."),
    "EMAIL_URL": Variable(str, "", "smtp://, smtp+tls:// or smtp+ssl://user:password@host:port. Empty: .eml files."),
}

_RANGES = {"HUB_PORT": (1, 65535), "HUB_SWEEP_SECONDS": (1, 3600), "HUB_WORKERS": (1, 64)}
_SCHEMES = {
    "DATABASE_URL": ("postgres", "postgresql", "psql", "sqlite"),
    "REDIS_URL": ("redis", "rediss", "unix"),
    "EMAIL_URL": ("smtp", "smtps", "smtp+tls", "smtp+ssl"),
    "HUB_BASE_URL": ("http", "https"),
}


class Environment:
    """Typed, checked values of VARIABLES. Raises ImproperlyConfigured with the variable's name and the mend."""

    def __init__(self, base_dir: Path) -> None:
        self.base_dir = base_dir
        self.env = environ.Env()
        self._refuse_unknown()

    def __call__(self, name: str) -> Any:
        variable = VARIABLES[name]
        if not os.environ.get(name):
            return variable.default
        try:
            value = self.env.get_value(name, cast=variable.cast)
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(
                f"{name}: {os.environ[name]!r} is not of type {variable.cast.__name__}."
            ) from error
        if variable.cast is bool and os.environ[name].lower() not in {*environ.Env.BOOLEAN_TRUE_STRINGS, *_FALSE}:
            raise ImproperlyConfigured(f"{name}: {os.environ[name]!r} is neither true nor false.")
        self._check(name, value)
        return value

    def _check(self, name: str, value: Any) -> None:
        if name in _RANGES:
            low, high = _RANGES[name]
            if not low <= value <= high:
                raise ImproperlyConfigured(f"{name}: {value} is not between {low} and {high}.")
        if name in _SCHEMES and value.split("://")[0] not in _SCHEMES[name]:
            raise ImproperlyConfigured(f"{name}: the address must start with one of: {', '.join(_SCHEMES[name])}.")
        if name == "HUB_TIME_ZONE" and value not in available_timezones():
            raise ImproperlyConfigured(f"{name}: {value!r} is no IANA time zone such as Europe/Moscow.")

    @staticmethod
    def _refuse_unknown() -> None:
        unknown = sorted(name for name in os.environ if name.startswith("HUB_") and name not in VARIABLES)
        if unknown:
            known = ", ".join(name for name in VARIABLES if name.startswith("HUB_"))
            raise ImproperlyConfigured(f"{unknown[0]}: no such setting. The hub knows {known}.")

    @property
    def data_dir(self) -> Path:
        """The data folder, made if it is missing."""
        folder = self.base_dir / Path(self("HUB_DATA_DIR")).expanduser()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):
                raise PermissionError
        except OSError as error:
            raise ImproperlyConfigured(f"HUB_DATA_DIR: {folder} is not a folder that the hub can write to.") from error
        return folder

    def secret_key(self) -> str:
        """HUB_SECRET_KEY, or a random key of this installation, made once and kept in the data folder."""
        if key := self("HUB_SECRET_KEY"):
            if len(key) < 32:
                raise ImproperlyConfigured("HUB_SECRET_KEY: at least 32 characters are needed.")
            return str(key)
        path = self.data_dir / "secret_key"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(descriptor, "w") as file:
            key = secrets.token_urlsafe(50)
            file.write(key)
        return key

    def database(self) -> dict[str, Any]:
        """PostgreSQL as DATABASE_URL names it, otherwise SQLite in WAL mode.

        SQLite takes its write lock at BEGIN (`IMMEDIATE`), so that two writers queue instead of failing half way.
        """
        if self("DATABASE_URL"):
            config: dict[str, Any] = self.env.db_url("DATABASE_URL")
        else:
            config = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(self.data_dir / "hub.sqlite3")}
        if config["ENGINE"].endswith("sqlite3"):
            config["OPTIONS"] = {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
            }
        else:
            config |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
            config["OPTIONS"] = {"connect_timeout": 5} | config.get("OPTIONS", {})
        return config

    def email(self) -> dict[str, Any]:
        """Django's EMAIL_ settings from EMAIL_URL; without one, each mail becomes an .eml file in the data folder."""
        if not self("EMAIL_URL"):
            return {"EMAIL_BACKEND": "hub.mail.EmlFileBackend", "EMAIL_FILE_PATH": str(self.data_dir / "mail")}
        return dict(self.env.email_url("EMAIL_URL")) | {"EMAIL_TIMEOUT": 20}

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self("HUB_TIME_ZONE"))


_FALSE = ("false", "off", "no", "n", "0")
