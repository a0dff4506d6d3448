"""Bodies without a length, sent piece by piece to a web server of its own, are read like any other."""

import http.client
import json
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hub.running import Hub, manage, wait_until

PIECE = 10_000
FORM = "multipart/form-data; boundary=line"
HEAD = b'--line\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'


class Caller:
    """A program that does not say beforehand how much it sends."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.headers = port, {"Authorization": f"Bearer {token}"}

    def post(self, path: str, body: bytes, kind: str = "application/json") -> tuple[int, Any]:
        pieces = (body[start : start + PIECE] for start in range(0, len(body), PIECE))
        return self._ask("POST", path, pieces, {"Content-Type": kind})

    def get(self, path: str) -> tuple[int, Any]:
        return self._ask("GET", path, None, {})

    def count(self, path: str) -> int:
        return len(self.get(path)[1]["results"])

    def break_off(self, path: str, body: bytes, kind: str = "application/json") -> bytes:
        """A body that ends before its last piece; the first line of the answer."""
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked", f"Content-Type: {kind}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as wire:
            piece = f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""
            wire.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + piece)
            wire.shutdown(socket.SHUT_WR)
            return wire.makefile("rb").readline()

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            wire.request(method, path, body, self.headers | headers, encode_chunked=body is not None)
            answer = wire.getresponse()
            return answer.status, json.load(answer)
        finally:
            wire.close()


@pytest.fixture
def caller(ready: dict[str, str]) -> Iterator[Caller]:
    token = manage(ready, "issue_token", "admin@example.com").stdout.strip()
    with Hub(ready, [sys.executable, "manage.py", "up", "--only", "web"]) as hub:
        wait_until(lambda: hub.status("/healthz") == 200, "the web answers")
        yield Caller(hub.port, token)


def test_what_is_sent_in_pieces_is_read_whole_or_refused(caller: Caller) -> None:
    status, shop = caller.post("/api/v1/shops/", b'{"name": "Tea", "marketplace": "ozon"}')
    assert (status, shop["name"]) == (201, "Tea")
    draft = {"shop": shop["id"], "subject": "Money", "body": "ы" * PIECE}
    status, appeal = caller.post("/api/v1/appeals/", json.dumps(draft).encode())
    assert (status, appeal["body"]) == (201, draft["body"])

    text = json.dumps(draft | {"body": "x" * 1_000_000}).encode()
    assert caller.post("/api/v1/appeals/", text)[0] == 413
    assert caller.post("/api/v1/appeals/", b"a=b", "application/x-www-form-urlencoded")[0] == 415
    assert caller.break_off("/api/v1/appeals/", json.dumps(draft).encode()[:PIECE]).split()[1] == b"400"
    assert caller.count("/api/v1/appeals/") == 1
    # Whoever hangs up before the first byte has not said that it went out
    assert caller.break_off(f"/api/v1/appeals/{appeal['id']}/submit/", b"").split()[1] == b"400"
    assert caller.count("/api/v1/appeals/?status=draft") == 1

    files, content = f"/api/v1/appeals/{appeal['id']}/attachments/", b"line of a file\n" * PIECE
    status, file = caller.post(files, HEAD + content + b"\r\n--line--\r\n", FORM)
    assert (status, file["size"]) == (201, len(content))
    assert caller.break_off(files, HEAD + content, FORM).split()[1] == b"400"
    assert caller.post(files, HEAD + b"x" * (22 << 20), FORM)[0] == 413
    assert caller.count(files) == 1
