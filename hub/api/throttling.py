"""How much one program may ask for in a minute. Each web process counts for itself."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class TokenThrottle(SimpleRateThrottle):
    """Counts by token; a person in the browser by account."""

    scope = "token"

    def get_rate(self) -> str:
        return f"{settings.API_REQUESTS_PER_MINUTE}/min"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if not request.user.is_authenticated:
            return None
        ident = getattr(request.auth, "digest", None) or f"user-{request.user.pk}"
        return f"api-throttle-{ident}"
