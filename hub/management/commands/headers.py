"""What the hub says about itself with every page: the headers, for who checks an installation."""

import logging
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from hub.models import User

SKIPPED = {"Content-Length", "X-Request-ID", "Expires", "Last-Modified", "Content-Language", "Vary"}


class Command(BaseCommand):
    help = (
        "Prints the headers of every page that has a fixed address, as somebody who is not logged in gets them, or as"
        " the person of --as; pages with the same headers are told together. Name addresses to see only these."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", nargs="*")
        parser.add_argument("--as", dest="user", metavar="EMAIL", help="nothing of this log-in is kept")

    def handle(self, *args: Any, address: list[str], user: str | None = None, **options: Any) -> None:
        found: dict[str, list[str]] = {}
        logging.disable()  # their lines would stand among the answers, and these requests belong in no log
        try:
            self._ask_all(found, address, user)
        finally:
            logging.disable(logging.NOTSET)
        for headers, pages in found.items():
            self.stdout.write("\n".join(pages) + f"\n{headers}\n")

    def _ask_all(self, found: dict[str, list[str]], address: list[str], user: str | None) -> None:
        with transaction.atomic():
            entered = _entered(user) if user else None
            for one in address or addresses():
                answer = _ask(entered or _client(), one)
                found.setdefault(_told(answer), []).append(f"{answer.status_code} {one}")
            transaction.set_rollback(True)


def addresses() -> Iterator[str]:
    """The addresses without parameters, from the resolver."""
    return (f"/{path}" for path in _fixed(get_resolver()) if not set("<(") & set(path))


def _fixed(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        path = prefix + str(one.pattern).removeprefix("^").removesuffix("$")
        if isinstance(one, URLResolver):
            yield from _fixed(one, path)
        elif isinstance(one, URLPattern):
            yield path


def _client() -> Client:
    host = settings.BASE_URL.partition("://")[2]
    return Client(raise_request_exception=False, headers={"Host": host, "Accept-Language": settings.LANGUAGE_CODE})


def _entered(email: str) -> Client:
    """Somebody who has given a code, too."""
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is None:
        raise CommandError(f"Nobody with the address {email} works here.")
    client = _client()
    client.force_login(user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = TOTPDevice.objects.get_or_create(user=user)[0].persistent_id
    session.save()
    return client


def _ask(client: Client, address: str) -> HttpResponseBase:
    """As the proxy asks it. Whatever the page did is taken back."""
    sender = settings.TRUSTED_PROXIES[0].partition("/")[0] if settings.TRUSTED_PROXIES else "127.0.0.1"
    proto = {"HTTP_X_FORWARDED_PROTO": "https"} if settings.HTTPS else {}
    with transaction.atomic():
        answer = client.get(address, REMOTE_ADDR=sender, **proto)  # type: ignore[arg-type]
        transaction.set_rollback(True)
    return answer


def _told(answer: HttpResponseBase) -> str:
    lines = [f"    {name}: {value}" for name, value in answer.headers.items() if name not in SKIPPED | {"Location"}]
    cookies = [f"    {str(cookie).replace(cookie.value, '...')}" for cookie in answer.cookies.values()]
    return "\n".join(sorted(lines) + cookies)
