"""Many clients that send or read slowly, and one of the usual kind."""

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.hub.running import Hub, manage, wait_until
from tests.hub.test_chunked import FORM, HEAD, Caller

MANY = 64
BODY_SECONDS = 15  # long enough to be asked meanwhile


@pytest.fixture
def caller(ready: dict[str, str]) -> Iterator[Caller]:
    token = manage(ready, "issue_token", "admin@example.com").stdout.strip()
    environment = ready | {"HUB_BODY_SECONDS": str(BODY_SECONDS)}
    with Hub(environment, [sys.executable, "manage.py", "up", "--only", "web"]) as hub:
        wait_until(lambda: hub.status("/healthz") == 200, "the web answers")
        yield Caller(hub.port, token)


def test_others_are_answered_meanwhile_and_a_late_body_is_refused(caller: Caller) -> None:
    _status, shop = caller.post("/api/v1/shops/", b'{"name": "Tea", "marketplace": "ozon"}')
    draft = json.dumps({"shop": shop["id"], "subject": "Money"}).encode()
    _status, appeal = caller.post("/api/v1/appeals/", draft)
    files, content = f"/api/v1/appeals/{appeal['id']}/attachments/", b"line of a file\n" * 1_000_000
    status, file = caller.post(files, HEAD + content + b"\r\n--line--\r\n", FORM)
    assert status == 201

    def begun(request: bytes) -> socket.socket:
        wire = stack.enter_context(socket.create_connection(("127.0.0.1", caller.port), timeout=120))
        names = "".join(f"{name}: {value}\r\n" for name, value in caller.headers.items())
        wire.sendall(request.replace(b"HEADERS", f"Host: localhost\r\n{names}".encode()))
        return wire

    post = b"POST /api/v1/shops/ HTTP/1.1\r\nHEADERSContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    get = f"GET {files}{file['id']}/content/ HTTP/1.1\r\nHEADERS\r\n".encode()
    with ExitStack() as stack:
        senders = [begun(post) for _one in range(MANY)]
        [begun(b"GET /api/v1/me/ HTTP/1.1\r\nX-Slow: ") for _one in range(MANY)]
        readers = [begun(get) for _one in range(MANY)]
        assert caller.get("/api/v1/me/")[0] == 200
        for wire in senders:
            head, _blank, body = wire.makefile("rb").read().partition(b"\r\n\r\n")
            assert head.split()[1] == b"408"
            assert b"connection: close" in head.lower()
            assert json.loads(body)["errors"][0]["code"] == "request_timeout"
        assert readers[0].makefile("rb").readline().split()[1] == b"200"
