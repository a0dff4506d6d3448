"""System checks: settings that each are right alone but do harm together. Each message names the setting to mend."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from marketplaces.platform import Platform

_OWN_MACHINE = {"localhost", "127.0.0.1", "::1"}


def _is_public() -> bool:
    return urlsplit(settings.BASE_URL).hostname not in _OWN_MACHINE


def check_what_strangers_may_see(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.DEBUG and (_is_public() or settings.HUB_HOST not in _OWN_MACHINE):
        found.append(
            Error(
                "HUB_DEBUG is on, and other machines can reach the hub: tracebacks would show them its data.",
                hint="Unset HUB_DEBUG, or keep HUB_HOST and HUB_BASE_URL on this machine.",
                id="hub.E001",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "HUB_ALLOWED_HOSTS lets every host name through: forged links could be sent in its mails.",
                hint="List the names that people open, such as hub.example.com.",
                id="hub.E002",
            )
        )
    return found


def check_https(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    secure_links = settings.BASE_URL.startswith("https://")
    if settings.SESSION_COOKIE_SECURE and not secure_links:
        return [
            Error(
                "HUB_HTTPS is on, but HUB_BASE_URL begins with http://: nobody could log in there.",
                hint="Set HUB_BASE_URL to the https:// address that people open.",
                id="hub.E003",
            )
        ]
    if secure_links and not settings.SESSION_COOKIE_SECURE:
        return [
            Warning(
                "HUB_BASE_URL begins with https://, but HUB_HTTPS is off: cookies may travel unencrypted.",
                hint="Set HUB_HTTPS=true; the proxy in front of the hub has to send X-Forwarded-Proto.",
                id="hub.W001",
            )
        ]
    return []


def check_mail(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.EMAIL_BACKEND == "hub.mail.EmlFileBackend":
        if not _is_public():
            return []
        return [
            Warning(
                "EMAIL_URL is not set: reminders are written into files, and reach nobody.",
                hint="Set EMAIL_URL=smtp+tls://user:password@mail.example.com:587",
                id="hub.W002",
            )
        ]
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost") and settings.EMAIL_HOST not in _OWN_MACHINE:
        return [
            Warning(
                "HUB_MAIL_FROM is hub@localhost, which mail servers refuse or treat as spam.",
                hint="Set HUB_MAIL_FROM to an address that the server of EMAIL_URL may send for.",
                id="hub.W003",
            )
        ]
    return []


def check_platform_folders(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A new marketplace's folder without its directory file would be passed over in silence."""
    folders = (path.parent for path in (settings.BASE_DIR / "marketplaces").glob("*/apps.py"))
    return [
        Error(
            f"marketplaces/{folder.name} has an apps.py but no {Platform.directory_file}, so it is no platform app.",
            hint=f"Write {folder.name}/{Platform.directory_file}; docs/adding-a-marketplace.md says how.",
            id="hub.E004",
        )
        for folder in sorted(folders)
        if not (folder / Platform.directory_file).exists()
    ]


ALL = (check_what_strangers_may_see, check_https, check_mail, check_platform_folders)
