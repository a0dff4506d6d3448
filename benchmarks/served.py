"""The hub as it is served, and an empty page beside it that goes through the same server and the same middleware."""

from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver, path

from hub.asgi import application

__all__ = ["application"]


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


get_resolver().url_patterns.insert(0, path("empty/", empty))
