"""The hub as it is served, and an empty page beside it that goes through the same server and the same middleware."""

import os

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
application = get_wsgi_application()

from hub.urls import urlpatterns


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns.insert(0, path("empty/", empty))
