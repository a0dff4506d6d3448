"""What every request goes through: whom to believe about its origin, how old its session may be, and its headers."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from hub import csp

GetResponse = Callable[[HttpRequest], HttpResponse]
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT")
SINCE, SEEN = "hub_since", "hub_seen"
SEEN_NOTED_EVERY_SECONDS = 60


class ProxyMiddleware:
    """`REMOTE_ADDR` becomes the address of the person, told by the proxies in HUB_TRUSTED_PROXIES and by nobody else.

    From any other sender the X-Forwarded- headers are dropped: what they say about address and HTTPS is invented.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sender = request.META.get("REMOTE_ADDR", "")
        if is_trusted(sender):
            request.META["REMOTE_ADDR"] = client_address(sender, request.META.get(FORWARDED[0], ""))
        else:
            for name in FORWARDED:
                request.META.pop(name, None)
        return self.get_response(request)


def read_address(text: str) -> IPv4Address | IPv6Address:
    """ValueError for what is none. A server that listens on `::` writes IPv4 as IPv6: ::ffff:10.0.0.5."""
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def is_trusted(address: str) -> bool:
    try:
        known = read_address(address)
    except ValueError:
        return False
    return any(known in ip_network(network) for network in settings.TRUSTED_PROXIES)


def client_address(sender: str, forwarded: str) -> str:
    """The first address from the right that is no proxy of ours. What cannot be read ends the search: everything to
    the left of it may be invented."""
    found = sender
    for text in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
        try:
            found = str(read_address(text))
        except ValueError:
            return found
        if not is_trusted(found):
            return found
    return found


class SessionMiddleware:
    """Ends a session that nobody used for HUB_SESSION_IDLE_MINUTES, and every session after HUB_SESSION_HOURS.

    It stands before the one that finds the user, who is nobody then. A page is noted at most once a minute, so that
    reading pages costs no writes.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session, now = request.session, timezone.now().timestamp()
        if SESSION_KEY in session:
            if is_over(session, now):
                session.flush()
            elif now - session.get(SEEN, 0) >= SEEN_NOTED_EVERY_SECONDS:
                session[SEEN] = now
                session.setdefault(SINCE, now)
        return self.get_response(request)


def is_over(session: SessionBase, now: float) -> bool:
    idle, age = now - session.get(SEEN, now), now - session.get(SINCE, now)
    return bool(idle > settings.SESSION_IDLE.total_seconds() or age > settings.SESSION_LONGEST.total_seconds())


class HeadersMiddleware:
    """The headers that no library sets, and the strictest policy for all that is no page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "private, no-store")  # after the log-out, "back" shows nothing
        if not _is_page(response):
            response.headers.setdefault("Content-Security-Policy", csp.NO_PAGE)
        return response


def _is_page(response: HttpResponse) -> bool:
    """What is sent to be saved is no page of ours, whatever it is."""
    saved = response.headers.get("Content-Disposition", "").startswith("attachment")
    return not saved and response.headers.get("Content-Type", "").startswith("text/html")
