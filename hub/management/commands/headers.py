"""What the hub says about itself with every page: the headers, for who checks an installation."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

SKIPPED = {"Content-Length", "X-Request-ID", "Expires", "Last-Modified", "Content-Language", "Vary"}


class Command(BaseCommand):
    help = (
        "Prints the headers of every page that has a fixed address, as somebody who is not logged in gets them; pages"
        " with the same headers are told together. Name addresses to see only these."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", nargs="*")

    def handle(self, *args: Any, address: list[str], **options: Any) -> None:
        found: dict[str, list[str]] = {}
        for one in address or addresses():
            answer = _ask(one)
            found.setdefault(_told(answer), []).append(f"{answer.status_code} {one}")
        for headers, pages in found.items():
            self.stdout.write("\n".join(pages) + f"\n{headers}\n")


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


def _ask(address: str) -> HttpResponseBase:
    """As the proxy asks it."""
    host = settings.BASE_URL.partition("://")[2]
    client = Client(raise_request_exception=False, headers={"Host": host, "Accept-Language": settings.LANGUAGE_CODE})
    sender = settings.TRUSTED_PROXIES[0].partition("/")[0] if settings.TRUSTED_PROXIES else "127.0.0.1"
    proto = {"HTTP_X_FORWARDED_PROTO": "https"} if settings.HTTPS else {}
    return client.get(address, REMOTE_ADDR=sender, **proto)  # type: ignore[arg-type]


def _told(answer: HttpResponseBase) -> str:
    lines = [f"    {name}: {value}" for name, value in answer.headers.items() if name not in SKIPPED | {"Location"}]
    cookies = [f"    {str(cookie).replace(cookie.value, '...')}" for cookie in answer.cookies.values()]
    return "\n".join(sorted(lines) + cookies)
