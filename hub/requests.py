"""What every request leaves behind: its id in the answer, one line in the log, and its time in the figures."""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from django.utils.log import log_response

from hub import logs, metrics

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]
PROBES = {"/healthz", "/readyz", "/metrics"}


class RequestMiddleware:
    """The outermost: what the others answer, and what they refuse, has passed through here."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        metrics.begin()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        own = logs.request_id(request.headers.get(logs.HEADER))
        token, began = logs.REQUEST_ID.set(own), time.perf_counter()
        try:
            response = self.get_response(request)
            response.headers[logs.HEADER] = own
            self._note(request, response, time.perf_counter() - began)
            if response.status_code >= HTTPStatus.BAD_REQUEST:  # Django would do so afterwards, without the id
                log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
            return response
        finally:
            logs.REQUEST_ID.reset(token)

    @staticmethod
    def _note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        """Of the address its path alone: what people search for is nobody's business."""
        match = request.resolver_match
        route = match.route if match else ""
        metrics.observe(str(request.method), route, response.status_code, seconds)
        if request.path in PROBES:
            return
        user = getattr(request, "user", None)
        details = {
            "method": request.method,
            "path": logs.without_key(escape_uri_path(request.path)),  # escaped, its line feeds end no line
            "route": route,
            "status": response.status_code,
            "ms": round(1000 * seconds, 1),
            "user": getattr(user, "pk", None),
        }
        logger.info("%(method)s %(path)s %(status)s %(ms)s ms", details, extra=details)
