import re
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection, send_mail
from pytest_django.fixtures import Settings

from hub.environment import POSTGRESQL, VARIABLES, Environment
from hub.settings import BASE_DIR
from tests.hub.running import free_port, manage


@pytest.fixture
def read(tmp_path: Path) -> Environment:
    """The environment as it stands when a value is asked for, with relative folders under `tmp_path`."""
    return Environment(tmp_path)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_what_is_not_set_or_empty_has_its_default(read: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {name: read(name) for name in VARIABLES} == {name: known.default for name, known in VARIABLES.items()}
    monkeypatch.setenv("HUB_PORT", "")
    assert read("HUB_PORT") == 8000


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("HUB_PORT", "65535", 65535),
        ("HUB_DEBUG", "on", True),
        ("HUB_DEBUG", "FALSE", False),
        ("HUB_ALLOWED_HOSTS", "a.example.com, b.example.com,", ["a.example.com", "b.example.com"]),
        ("HUB_TIME_ZONE", "Asia/Vladivostok", "Asia/Vladivostok"),
        ("HUB_ADMIN_PASSWORD", "$tarts-with-a-dollar", "$tarts-with-a-dollar"),
    ],
)
def test_values_have_their_type(
    read: Environment, monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any
) -> None:
    monkeypatch.setenv(name, text)
    assert read(name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HUB_PORT", "http"),
        ("HUB_PORT", "0"),
        ("HUB_PORT", "65536"),
        ("HUB_SWEEP_SECONDS", "0"),
        ("HUB_WORKERS", "-1"),
        ("HUB_DEBUG", "maybe"),
        ("HUB_TIME_ZONE", "Moscow"),
        ("HUB_BASE_URL", "hub.example.com"),
        ("DATABASE_URL", "postgres://user@127.0.0.1:port/hub"),
        ("DATABASE_URL", "postgres://user:pa#ss@127.0.0.1/hub"),
        ("DATABASE_URL", "mysql://user@127.0.0.1/hub"),
        ("REDIS_URL", "127.0.0.1:6379"),
        ("REDIS_URL", "redis://127.0.0.1:port"),
        ("REDIS_URL", "redis://127.0.0.1:6379/hub"),
        ("HUB_MAIL_FROM", "hub"),
        ("HUB_MAIL_FROM", "Hub <hub@>"),
        ("HUB_ADMIN_EMAIL", "administrator"),
        ("EMAIL_URL", "smtp://"),
        ("EMAIL_URL", "smtps://mail.example.com:465"),
        ("EMAIL_URL", "smtp+tls://user:pa#ss@mail.example.com"),
    ],
)
def test_a_value_that_cannot_be_used_is_a_sentence_that_names_the_variable(
    read: Environment, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ImproperlyConfigured, match=f"^{name}: .+[.]$"):
        read(name)


@pytest.mark.parametrize("url", ["postgres://user@127.0.0.1", "sqlite://"])
def test_a_database_address_that_names_no_database_is_refused(
    read: Environment, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL: "):
        read.database()


def test_the_parts_of_a_database_address_are_decoded(read: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://hub:p%23s%2Fw@db.example.com:5433/hub?sslmode=require")
    database = read.database()
    assert (database["PASSWORD"], database["PORT"], database["NAME"]) == ("p#s/w", 5433, "hub")
    assert database["OPTIONS"] == POSTGRESQL | {"sslmode": "require"}
    monkeypatch.setenv("DATABASE_URL", "postgres://hub@db.example.com/hub?server_side_binding=false")
    assert read.database()["OPTIONS"]["server_side_binding"] is False


def test_a_misspelt_variable_stops_the_start_in_one_line(environment: dict[str, str]) -> None:
    done = manage(environment | {"HUB_PROT": "8001"}, "check")
    assert done.returncode == 1
    assert done.stderr.startswith("Configuration error: HUB_PROT: no such setting. The hub knows HUB_SECRET_KEY, ")
    assert done.stderr.count("\n") == 1


def test_every_variable_is_in_the_operators_handbook() -> None:
    lines = (BASE_DIR / "docs" / "operations.md").read_text().splitlines()
    table = [line for line in lines if re.match(r"\| `[A-Z]", line)]
    expected = [
        f"| `{name}` | {known.cast.__name__} | {_default(known.default)} | {known.meaning} |"
        for name, known in VARIABLES.items()
    ]
    assert table == expected, "put this into docs/operations.md:\n" + "\n".join(expected)


def _default(value: Any) -> str:
    text = ",".join(value) if isinstance(value, list) else str(value)
    return f"`{text}`" if text else ""


def test_the_data_folder_is_for_its_owner_only(read: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", "new/data")
    assert read.data_dir == read.base_dir / "new" / "data"
    assert read.data_dir.stat().st_mode & 0o777 == 0o700


def test_an_installation_keeps_the_key_that_it_made(read: Environment) -> None:
    key = read.secret_key()
    assert len(key) > 60
    assert read.secret_key() == key
    assert (read.data_dir / "secret_key").stat().st_mode & 0o777 == 0o600
    assert len(list(read.data_dir.iterdir())) == 1


def test_a_short_key_is_refused(read: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SECRET_KEY", "short")
    with pytest.raises(ImproperlyConfigured, match=r"^HUB_SECRET_KEY: at least 32"):
        read.secret_key()


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"HUB_HOST": "0.0.0.0", "HUB_PORT": "9000"}, "http://127.0.0.1:9000"),  # noqa: S104
        ({"HUB_HOST": "::"}, "http://[::1]:8000"),
        ({"HUB_BASE_URL": "https://hub.example.com/"}, "https://hub.example.com"),
    ],
)
def test_the_address_of_links_is_one_that_a_browser_can_open(
    read: Environment, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], address: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert read.base_url() == address


def test_the_hub_lives_at_the_root_of_its_address(read: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_BASE_URL", "https://example.com/hub")
    with pytest.raises(ImproperlyConfigured, match=r"^HUB_BASE_URL: "):
        read.base_url()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://127.0.0.1:1025", {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": 1025}),
        ("smtp://mail.example.com", {"EMAIL_PORT": 25}),
        ("smtp+tls://mail.example.com", {"EMAIL_PORT": 587, "EMAIL_USE_TLS": True}),
        ("smtp+ssl://mail.example.com", {"EMAIL_PORT": 465, "EMAIL_USE_SSL": True}),
        ("smtp://me%40example.com:p%2Fw@h:25", {"EMAIL_HOST_USER": "me@example.com", "EMAIL_HOST_PASSWORD": "p/w"}),
    ],
)
def test_mail_settings_follow_the_address(
    read: Environment, monkeypatch: pytest.MonkeyPatch, url: str, expected: dict[str, Any]
) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    settings = read.email()
    assert settings["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert {name: settings[name] for name in expected} == expected


class Inbox(Message):
    def __init__(self) -> None:
        super().__init__()
        self.subjects: list[str] = []

    def handle_message(self, message: Any) -> None:
        self.subjects.append(message["Subject"])


def test_mail_reaches_the_server_of_the_address(
    read: Environment, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{server.port}")
    for name, value in read.email().items():
        setattr(settings, name, value)
    server.start()
    try:
        assert send_mail("Late", "Three days.", "hub@example.com", ["agent@example.com"]) == 1
    finally:
        server.stop()
    assert inbox.subjects == ["Late"]


def test_without_a_server_each_mail_is_a_whole_eml_file(read: Environment, tmp_path: Path, settings: Settings) -> None:
    for name, value in read.email().items():
        setattr(settings, name, value)
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    mails = [
        EmailMessage(f"Срок {number}", "Ответа нет.", "hub@example.com", ["agent@example.com"]) for number in "12"
    ]
    assert get_connection().send_messages(mails) == 2
    files = sorted((tmp_path / "mail").iterdir())
    assert [path.suffix for path in files] == [".eml", ".eml"]
    read_back = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    assert {str(mail["Subject"]) for mail in read_back} == {"Срок 1", "Срок 2"}
    assert b"\r\n\r\n" in files[0].read_bytes()
