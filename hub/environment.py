"""The environment of the hub: every variable it reads, with its type, its default and what it is for.

`hub.settings` reads values from here and nowhere else. A value that cannot be used stops the start with one sentence
that names the variable; so does a `HUB_` variable that nobody reads, because it is nearly always a misspelling.
"""

import contextlib
import os
import re
import secrets
import tempfile
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured

# The server plans a statement once for a connection, not at each call: that is a third of the time of a small one
POSTGRESQL = {"connect_timeout": 5, "server_side_binding": True, "prepare_threshold": 5}


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
    "HUB_STALE_AFTER_DAYS": Variable(int, 90, "Days after which a fact that nobody checked is marked stale, 1-3650."),
    "HUB_SWEEP_SECONDS": Variable(int, 60, "Seconds between two searches for late deadlines, 1-3600."),
    "HUB_WORKERS": Variable(int, 1, "Web server processes started by `manage.py up`, 1-64."),
    "HUB_ADMIN_EMAIL": Variable(str, "", "Log-in of the first administrator. Empty: admin@example.com."),
    "HUB_ADMIN_PASSWORD": Variable(str, "", "Password of the first administrator. Empty: random, printed once."),
    "HUB_BODY_SECONDS": Variable(int, 30, "Seconds a body may take to arrive, and one more per 10 kB; 1-3600."),
    "HUB_API_REQUESTS_PER_MINUTE": Variable(int, 1200, "API calls that one token may make in a minute, 1-1000000."),
    "HUB_TRUSTED_PROXIES": Variable(
        list, [], "Addresses or networks of the proxies whose X-Forwarded- headers count."
    ),
    "HUB_REQUIRE_2FA": Variable(bool, False, "Administrators must log in with a second step, a one-time code."),
    "HUB_SESSION_IDLE_MINUTES": Variable(int, 720, "Minutes without a page after which a session ends, 5-43200."),
    "HUB_SESSION_HOURS": Variable(int, 168, "Hours after the log-in at which a session ends in any case, 1-8760."),
    "HUB_LOG_FORMAT": Variable(str, "text", "text: lines for people. json: one JSON object a line, for programs."),
    "HUB_METRICS_TOKEN": Variable(str, "", "Key to the figures at /metrics, 16 characters or more. Empty: no page."),
    "HUB_MEDIA_URL": Variable(str, "", "s3://key:secret@host/bucket?region=name. Empty: files are in HUB_DATA_DIR."),
    "HUB_TEST_DATABASE_URL": Variable(str, "", "PostgreSQL of the tests. Empty: the standard local port, if open."),
    "HUB_TEST_REDIS_URL": Variable(str, "", "Redis of the tests. Empty: the standard local port, if open."),
    "DATABASE_URL": Variable(str, "", "postgres://user:password@host:port/name. Empty: SQLite in HUB_DATA_DIR."),
    "REDIS_URL": Variable(str, "", "redis://host:port/number. Empty: the Celery broker is a folder in HUB_DATA_DIR."),
    "EMAIL_URL": Variable(str, "", "smtp://, smtp+tls:// or smtp+ssl://user:password@host:port. Empty: .eml files."),
}

_RANGES = {
    "HUB_PORT": (1, 65535),
    "HUB_STALE_AFTER_DAYS": (1, 3650),
    "HUB_SWEEP_SECONDS": (1, 3600),
    "HUB_WORKERS": (1, 64),
    "HUB_SESSION_IDLE_MINUTES": (5, 43_200),
    "HUB_SESSION_HOURS": (1, 8760),
    "HUB_BODY_SECONDS": (1, 3600),
    "HUB_API_REQUESTS_PER_MINUTE": (1, 1_000_000),
}
_SCHEMES = {
    "DATABASE_URL": ("postgres", "postgresql", "psql", "sqlite"),
    "REDIS_URL": ("redis", "rediss"),
    "EMAIL_URL": ("smtp", "smtp+tls", "smtp+ssl"),
    "HUB_BASE_URL": ("http", "https"),
    "HUB_MEDIA_URL": ("s3", "s3+http"),
}
_MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
_CHOICES = {"HUB_LOG_FORMAT": ("text", "json")}
_MAIL_ADDRESSES = ("HUB_MAIL_FROM", "HUB_ADMIN_EMAIL")
_MAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_FALSE = ("false", "off", "no", "n", "0")


class Environment:
    """Typed, checked values of VARIABLES. Raises ImproperlyConfigured with the variable's name and the mend."""

    def __init__(self, base_dir: Path) -> None:
        self.base_dir = base_dir
        self.env = environ.Env()
        self._refuse_unknown()

    def __call__(self, name: str) -> Any:
        variable, text = VARIABLES[name], os.environ.get(name, "").strip()
        if not text:
            return variable.default
        value = text if variable.cast is str else self._cast(name, text)
        self._check(name, value)
        return value

    def _cast(self, name: str, text: str) -> Any:
        cast = VARIABLES[name].cast
        if cast is list:
            return [part.strip() for part in text.split(",") if part.strip()]
        if cast is bool and text.lower() not in {*environ.Env.BOOLEAN_TRUE_STRINGS, *_FALSE}:
            raise ImproperlyConfigured(f"{name}: {text!r} is neither true nor false.")
        try:
            return self.env.parse_value(text, cast)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {text!r} is not a number.") from error

    def _check(self, name: str, value: Any) -> None:
        if name in _RANGES:
            low, high = _RANGES[name]
            if not low <= value <= high:
                raise ImproperlyConfigured(f"{name}: {value} is not between {low} and {high}.")
        if name in _SCHEMES:
            self._check_address(name, value)
        if name == "HUB_TRUSTED_PROXIES":
            for text in value:
                self._check_network(text)
        if name in _CHOICES and value not in _CHOICES[name]:
            raise ImproperlyConfigured(f"{name}: {value!r} is none of {', '.join(_CHOICES[name])}.")
        if name in _MAIL_ADDRESSES and not _MAIL_ADDRESS.fullmatch(parseaddr(value)[1]):
            raise ImproperlyConfigured(f"{name}: {value!r} is no mail address such as hub@example.com.")
        if name == "HUB_METRICS_TOKEN" and len(value) < 16:
            raise ImproperlyConfigured(f"{name}: at least 16 characters are needed.")
        if name == "HUB_TIME_ZONE" and value not in available_timezones():
            raise ImproperlyConfigured(f"{name}: {value!r} is no IANA time zone such as Europe/Moscow.")

    @staticmethod
    def _check_network(text: str) -> None:
        try:
            ip_network(text)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"HUB_TRUSTED_PROXIES: {text!r} is no address or network such as 10.0.0.5 or 172.16.0.0/12."
            ) from error

    @staticmethod
    def _check_address(name: str, value: str) -> None:
        scheme, separator, _ = value.partition("://")
        if not separator or scheme not in _SCHEMES[name]:
            forms = ", ".join(f"{known}://" for known in _SCHEMES[name])
            raise ImproperlyConfigured(f"{name}: the address must start with one of {forms}.")
        try:
            parts = urlsplit(value)
            complete = parts.port != 0 and bool(parts.hostname or name == "DATABASE_URL")
        except ValueError:
            complete = False
        if not complete:
            raise ImproperlyConfigured(
                f"{name}: the address needs the form {scheme}://host:port; in a password, write # / @ as %23 %2F %40."
            )
        if name == "REDIS_URL" and not re.fullmatch(r"/?|/\d+/?", parts.path, re.ASCII):
            raise ImproperlyConfigured(
                f"REDIS_URL: after the port comes the number of a database, such as {scheme}://host:port/0."
            )

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
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # letters and money: for nobody else
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
        if not path.exists():
            self._make_secret_key(path)
        return path.read_text().strip()

    @staticmethod
    def _make_secret_key(path: Path) -> None:
        """The file appears whole or not at all: several processes may be starting, and all must read the same key."""
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix="secret_key-") as file:  # readable by us alone
            file.write(secrets.token_urlsafe(50))
            file.flush()
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(file.name)

    def base_url(self) -> str:
        """What people type to open the hub, without a slash at the end."""
        if address := self("HUB_BASE_URL").rstrip("/"):
            if urlsplit(address).path or urlsplit(address).query:
                raise ImproperlyConfigured(
                    "HUB_BASE_URL: only scheme, host and port, such as https://hub.example.com."
                )
            return str(address)
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self("HUB_HOST"), self("HUB_HOST"))  # noqa: S104
        return f"http://[{host}]:{self('HUB_PORT')}" if ":" in host else f"http://{host}:{self('HUB_PORT')}"

    def database(self) -> dict[str, Any]:
        """PostgreSQL as DATABASE_URL names it, otherwise SQLite in WAL mode.

        SQLite takes its write lock at BEGIN (`IMMEDIATE`), so that two writers queue instead of failing half way.
        """
        if self("DATABASE_URL"):
            config = self._database_from_url()
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
            config["OPTIONS"] = POSTGRESQL | config.get("OPTIONS", {})
            config["OPTIONS"]["server_side_binding"] = str(config["OPTIONS"]["server_side_binding"]).lower() == "true"
        return config

    def _database_from_url(self) -> dict[str, Any]:
        config: dict[str, Any] = self.env.db_url_config(self("DATABASE_URL"))
        if config["NAME"] in ("", ":memory:"):
            raise ImproperlyConfigured("DATABASE_URL: no database is named; postgres://user:password@host:port/name.")
        return config

    def email(self) -> dict[str, Any]:
        """Django's EMAIL_ settings from EMAIL_URL; without one, each mail becomes an .eml file in the data folder."""
        url = self("EMAIL_URL")
        if not url:
            return {"EMAIL_BACKEND": "hub.mail.EmlFileBackend"}
        config = self.env.email_url_config(url)
        port = config["EMAIL_PORT"] or _MAIL_PORTS[url.partition("://")[0]]
        return dict(config) | {"EMAIL_PORT": port, "EMAIL_TIMEOUT": 20}
