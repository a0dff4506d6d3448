"""System checks: settings that each are right alone but do harm together. Each message names the setting to mend."""

import re
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from marketplaces.platform import Platform

EXAMPLES = re.compile("insecure|example|change.?me|demo|secret.?key|letters4|^test", re.IGNORECASE)
_HOST = re.compile(r"\.?[\w-]+(\.[\w-]+)*\.?|\[[0-9a-fA-F:.]+\]|[0-9a-fA-F:]*:[0-9a-fA-F:.]+", re.ASCII)
_OWN_MACHINE = {"localhost", "127.0.0.1", "::1"}


def is_public() -> bool:
    return urlsplit(settings.BASE_URL).hostname not in _OWN_MACHINE


def check_what_strangers_may_see(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.DEBUG and (is_public() or settings.HUB_HOST not in _OWN_MACHINE):
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
    odd = [name for name in settings.ALLOWED_HOSTS if not _HOST.fullmatch(name) and name != "*"]
    if odd:
        found.append(
            Error(
                f"HUB_ALLOWED_HOSTS holds {odd[0]!r}, which is no host name: no request would be answered for it.",
                hint="List names alone, without http:// and without a port, such as hub.example.com.",
                id="hub.E007",
            )
        )
    return found


def check_https(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The web server itself speaks no TLS: a proxy does, and has to be believed when it says so."""
    found: list[CheckMessage] = []
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        found.append(
            Error(
                "HUB_BASE_URL begins with https://, but HUB_TRUSTED_PROXIES names no proxy: every page would lead to"
                " itself for ever, because nobody may say that it was asked for over HTTPS.",
                hint="Set HUB_TRUSTED_PROXIES to the address of the proxy in front of the hub, such as 127.0.0.1.",
                id="hub.E003",
            )
        )
    if is_public() and not settings.HTTPS:
        found.append(
            Warning(
                "HUB_BASE_URL is a public address that begins with http://: passwords travel unencrypted.",
                hint="Put a proxy with TLS in front of the hub, and set HUB_BASE_URL to its https:// address.",
                id="hub.W001",
            )
        )
    everybody = [network for network in settings.TRUSTED_PROXIES if ip_network(network).prefixlen == 0]
    if everybody:
        found.append(
            Error(
                f"HUB_TRUSTED_PROXIES holds {everybody[0]}: everybody could invent the address they come from.",
                hint="List the proxies in front of the hub alone.",
                id="hub.E006",
            )
        )
    return found


def check_secret_key(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Who knows the key can write session data, links to new passwords and more."""
    key = settings.SECRET_KEY
    if not is_public() or (len(key) >= 40 and len(set(key)) >= 12 and not EXAMPLES.search(key)):
        return []
    return [
        Error(
            "HUB_SECRET_KEY is one that others can guess: short, of few letters, or out of an example.",
            hint="Set 50 random characters: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="hub.E005",
        )
    ]


def check_mail(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.EMAIL_BACKEND == "hub.mail.EmlFileBackend":
        if not is_public():
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


ALL = (check_what_strangers_may_see, check_https, check_secret_key, check_mail, check_platform_folders)
