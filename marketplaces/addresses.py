"""Addresses of channels as links that open: a page, a letter, a call. All else is text to copy."""

import re
from urllib.parse import quote, urlsplit

from marketplaces.models import Channel

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,20}")
CALLED = (Channel.Kind.PHONE, Channel.Kind.HOTLINE)


def link(channel: Channel) -> str:
    """A http, https, mailto or tel address for the channel's own; empty where that is none, whoever entered what."""
    address = channel.address.strip()
    if _MAIL.fullmatch(address):
        return f"mailto:{quote(address, safe='@')}"
    if channel.kind in CALLED and _PHONE.fullmatch(address):
        return f"tel:{re.sub('[^0-9+]', '', address)}"
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme in ("mailto", "tel") or (parts.scheme in ("http", "https") and parts.netloc):
        return address if not re.search(r"\s", address) else ""
    return ""
