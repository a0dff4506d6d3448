import secrets
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

LOCAL, PUBLIC = "http://127.0.0.1:8000", "https://hub.example.com"


def found() -> list[str]:
    return [str(message.id) for message in run_checks() if str(message.id).startswith("hub.")]


@pytest.fixture(autouse=True)
def sound(settings: Settings) -> Settings:
    """A public hub with nothing to complain of."""
    settings.BASE_URL, settings.HTTPS, settings.ALLOWED_HOSTS = PUBLIC, True, ["hub.example.com"]
    settings.TRUSTED_PROXIES, settings.SECRET_KEY = ["10.0.0.5"], secrets.token_urlsafe(50)
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "mail.example.com"
    settings.DEFAULT_FROM_EMAIL = "hub@example.com"
    return settings


def test_a_sound_hub_passes() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DEBUG": True}, ["hub.E001"]),
        ({"DEBUG": True, "HUB_HOST": "0.0.0.0", "BASE_URL": LOCAL, "HTTPS": False}, ["hub.E001"]),  # noqa: S104
        ({"DEBUG": True, "BASE_URL": LOCAL, "HTTPS": False}, []),
        ({"ALLOWED_HOSTS": ["*"]}, ["hub.E002"]),
        ({"ALLOWED_HOSTS": ["http://hub.example.com"]}, ["hub.E007"]),
        ({"ALLOWED_HOSTS": ["hub.example.com:443"]}, ["hub.E007"]),
        ({"ALLOWED_HOSTS": [".example.com", "10.0.0.5", "[::1]", "::1", "hub-2"]}, []),
        ({"TRUSTED_PROXIES": []}, ["hub.E003"]),
        ({"TRUSTED_PROXIES": ["10.0.0.5", "0.0.0.0/0"]}, ["hub.E006"]),
        ({"TRUSTED_PROXIES": ["::/0"]}, ["hub.E006"]),
        ({"HTTPS": False, "BASE_URL": "http://hub.example.com"}, ["hub.W001"]),
        ({"SECRET_KEY": "x" * 50}, ["hub.E005"]),
        ({"SECRET_KEY": "django-insecure-3b1f0a9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f"}, ["hub.E005"]),
        ({"SECRET_KEY": "x" * 50, "BASE_URL": LOCAL, "HTTPS": False}, []),
        ({"EMAIL_BACKEND": "hub.mail.EmlFileBackend"}, ["hub.W002"]),
        ({"EMAIL_BACKEND": "hub.mail.EmlFileBackend", "BASE_URL": LOCAL, "HTTPS": False}, []),
        ({"DEFAULT_FROM_EMAIL": "hub@localhost"}, ["hub.W003"]),
        ({"DEFAULT_FROM_EMAIL": "hub@localhost", "EMAIL_HOST": "127.0.0.1"}, []),
    ],
)
def test_settings_that_do_harm_together_are_told(
    sound: Settings, changes: dict[str, object], expected: list[str]
) -> None:
    for name, value in changes.items():
        setattr(sound, name, value)
    assert found() == expected


def test_a_platform_folder_without_a_directory_file_is_told(sound: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "marketplaces" / "fifth"
    folder.mkdir(parents=True)
    (folder / "apps.py").touch()
    sound.BASE_DIR = tmp_path
    assert found() == ["hub.E004"]
