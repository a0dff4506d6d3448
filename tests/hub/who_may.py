"""Every address of the admin and of the API, asked by everybody: the rows of docs/who-may.md.

The addresses come from the URL resolver and from the schema of the API, so that a new one cannot be forgotten. Each is
asked for a thing of one shop, with an empty body, and whatever it did is taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.cookies import SimpleCookie
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from hub.models import ApiToken, User
from hub.settings import BASE_DIR
from tests.api_contract.schema import generated

PAGE = BASE_DIR / "docs" / "who-may.md"
WRITING = ("post", "put", "patch", "delete")
PARAMETER = re.compile(r"\(\?P<(?P<word>\w+)>(?:[^()]|\([^()]*\))*\)|<(?:\w+:)?(?P<name>\w+)>")


@dataclass(frozen=True)
class Address:
    """A method and the address as it is written in the code, with the values that stand for its parameters here."""

    method: str
    shown: str
    url: str

    @property
    def is_api(self) -> bool:
        return self.url.startswith("/api/v1/")


def admin_addresses(examples: dict[str, Any]) -> Iterator[Address]:
    """What the URL resolver knows outside the API's versions. KeyError names a parameter without an example."""
    for pattern, name in _patterns(get_resolver()):
        if pattern.startswith("api/v1/") or pattern.startswith("api/^"):
            continue
        shown = PARAMETER.sub(lambda found: f"<{found['word'] or found['name']}>", pattern)
        url = PARAMETER.sub(partial(_example, examples, name), pattern)
        for method in ("get", "post"):
            yield Address(method, "/" + _plain(shown), "/" + _plain(url))


def api_addresses(examples: dict[str, Any]) -> Iterator[Address]:
    """What the schema describes."""
    for path, item in generated()["paths"].items():
        prefix = path.removeprefix("/api/v1/").split("/{")[0]
        given = {"id": examples.get(f"{prefix} id"), "appeal_id": examples["appeal_id"], "slug": examples["slug"]}
        if "/attachments/{id}" in path:
            given["id"] = examples["file"]
        if path.startswith("/api/v1/topics/"):
            given["slug"] = examples["topic"]
        for method in ("get", *WRITING):
            if method in item:
                yield Address(method, path.replace("{", "<").replace("}", ">"), path.format(**given))


def undescribed() -> set[str]:
    """Addresses of the API that the schema does not know."""
    described = {re.sub(r"\{\w+\}", "x", path) for path in generated()["paths"]}
    served = {"/" + _plain(PARAMETER.sub("x", pattern)) for pattern, name in _patterns(get_resolver()) if name}
    return {path for path in served if path.startswith("/api/v1/")} - described


def answers(address: Address, callers: dict[str, Client]) -> list[str]:
    return [_ask(address, caller) for caller in callers.values()]


def callers(people: dict[str, User | None], part: str) -> dict[str, Client]:
    """A browser for each, or a program."""
    found = {name: Client() for name in people}
    for name, user in people.items():
        if user and part == "page":
            found[name].force_login(user)
        elif user:
            found[name].defaults["HTTP_AUTHORIZATION"] = f"Bearer {ApiToken.objects.create(user=user, name='walk')[1]}"
    return found


def row(address: Address, cells: list[str]) -> str:
    return f"| {address.method.upper()} | `{address.shown}` | {' | '.join(cells)} |"


def written(part: str) -> list[str]:
    """The rows of the table about the API, or those about all else."""
    rows = [line for line in PAGE.read_text().splitlines() if re.match(r"\| (GET|POST|PUT|PATCH|DELETE) \|", line)]
    return [line for line in rows if ("`/api/v1/" in line) == (part == "api")]


def _ask(address: Address, client: Client) -> str:
    kept, ask = client.cookies.output(), getattr(client, address.method)
    json: tuple[Any, ...] = () if address.method == "get" or not address.is_api else ({}, "application/json")
    with transaction.atomic():
        answer = ask(address.url, *json)
        if answer.streaming:
            assert b"".join(answer.streaming_content)  # which closes the file
        transaction.set_rollback(True)
    client.cookies = SimpleCookie(kept.replace("Set-Cookie: ", ""))
    return _word(address, answer)


def _word(address: Address, answer: HttpResponse) -> str:
    where = answer.headers.get("Location", "")
    if answer.status_code >= 500:
        raise AssertionError(f"{address} answered {answer.status_code}")
    if answer.status_code == 401 or where.startswith(reverse("admin:login")):
        return "log in"
    if where == reverse("admin:index") and "<" in address.shown:  # so the admin says that there is no such thing
        return "hidden"
    return {403: "no", 404: "hidden", 405: "-"}.get(answer.status_code, "yes")


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from _patterns(one, prefix + str(one.pattern))
        elif isinstance(one, URLPattern):
            yield prefix + str(one.pattern), one.name or ""


def _example(examples: dict[str, Any], name: str, found: re.Match[str]) -> str:
    """What stands for a parameter: a thing of the model whose page it is, or the value for that address or name."""
    parameter, model = found["word"] or found["name"], "_".join(name.split("_")[:2])
    if f"{name} {parameter}" in examples:
        return str(examples[f"{name} {parameter}"])
    of_model = parameter in ("object_id", "id", "pk") and model in examples
    return str(examples[model if of_model else parameter])


def _plain(pattern: str) -> str:
    return pattern.replace("^", "").replace("$", "").replace("\\Z", "")
