"""What every call of the API has in common, whatever it is about.

The views of `appeals` and `marketplaces` know nothing of it: `hub.api.urls` puts it on each of them by `wired`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.functional import cached_property
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from hub.api.etags import check_if_match, etag
from hub.api.filters import check_parameters
from hub.api.idempotency import HEADER as KEY
from hub.api.idempotency import once
from hub.api.kept import shelf


class Protocol(GenericViewSet[Any]):
    """Answers in the caller's language and zone, and refuses unknown parameters.

    A write is one transaction: its row is locked before its `If-Match` is looked at, and it is done once for each
    `Idempotency-Key`. Where a view says `writes_by_verbs` and the call has neither, the verb's own is enough.
    """

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            timezone.activate(ZoneInfo(request.user.zone_name))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = str(request.method).lower()
        handler = getattr(self, method, None)
        if handler is None:
            return
        check_parameters(self)
        if request.method not in SAFE_METHODS:
            setattr(self, method, partial(self._write, handler))

    def _write(self, handler: Callable[..., Response], request: Request, *args: Any, **kwargs: Any) -> Response:
        do = partial(handler, request, *args, **kwargs)
        if request.method != "DELETE":
            self._read_body(request)
        if not self._must_lock:
            return do()
        with transaction.atomic():
            return once(request, do) if request.method == "POST" else do()

    def _read_body(self, request: Request) -> None:
        """The body, whole, before anything is locked: whoever sends slowly holds up nobody."""
        if self.content_negotiation_class().select_parser(request, self.get_parsers()):
            _body = request.data

    @property
    def _must_lock(self) -> bool:
        """Whether the call is more than a verb that locks for itself."""
        if self.request.method in SAFE_METHODS:
            return False
        held = {KEY, "If-Match"} & self.request.headers.keys()
        return bool(held) or not getattr(self, "writes_by_verbs", False)

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        return rows.select_for_update(of=("self",), no_key=True) if self._must_lock else rows

    def get_serializer(self, *args: Any, **kwargs: Any) -> BaseSerializer[Any]:
        kwargs.setdefault("context", self.get_serializer_context())
        serializer = shelf.lend(self.get_serializer_class(), *args, **kwargs)
        self.lent.append(serializer)
        return serializer

    @cached_property
    def lent(self) -> list[BaseSerializer[Any]]:
        """The serializers that go back to the shelf when the answer stands."""
        return []

    def check_object_permissions(self, request: Request, obj: Any) -> None:
        super().check_object_permissions(request, obj)
        if request.method not in SAFE_METHODS:
            check_if_match(request, obj)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        tag = etag(getattr(getattr(getattr(response, "data", None), "serializer", None), "instance", None))
        if tag:
            final.headers["ETag"] = tag
        while self.lent:
            shelf.take_back(self.lent.pop())
        final.headers["Content-Language"] = translation.get_language() or ""
        return final


def wired(view: type[GenericViewSet[Any]]) -> type[GenericViewSet[Any]]:
    """The view as the API serves it: what answers GET answers HEAD, and `Allow` names what is answered."""
    names = [name for name in view.http_method_names if name not in ("head", "options", "trace")]
    methods = [one for name in names for one in ([name, "head"] if name == "get" else [name])]
    own = {"__doc__": view.__doc__, "__module__": view.__module__, "http_method_names": methods}
    return type(view.__name__, (Protocol, view), own)
