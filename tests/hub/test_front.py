"""What stands between the web server and Django, with a client and an application of the test's own."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from hub.front import IN_MEMORY, PIECE, REFUSAL, THREADS, Front

Environ = dict[str, Any]


class Client:
    """Sends its pieces, one at each call, and then nothing; reads what it is sent, from `reads` on."""

    def __init__(self, *pieces: bytes, whole: bool = True, leaves: bool = False) -> None:
        self.messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        if whole:
            self.messages.append({"type": "http.request", "body": b"", "more_body": False})
        if leaves:
            self.messages.append({"type": "http.disconnect"})
        self.got: list[dict[str, Any]] = []
        self.reads = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        return self.messages.pop(0) if self.messages else await asyncio.Future()

    async def send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        self.got.append(message)

    @property
    def status(self) -> int:
        return int(self.got[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.got[1:])


def scope(method: str = "POST", *headers: tuple[bytes, bytes], path: str = "/api/v1/shops/") -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": list(headers),
        "server": ("127.0.0.1", "8000"),
        "client": ("127.0.0.1", "50000"),
    }


LENGTH, CHUNKED = (b"content-length", b"6"), (b"transfer-encoding", b"chunked")


def asked(client: Client, asking: dict[str, Any]) -> Environ:
    """What Django is asked. Its body is under `read`."""
    seen: Environ = {}

    def wsgi(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        seen.update(environ, read=environ["wsgi.input"].read())
        start("200 OK", [])
        return Closing([b"done"])

    client.reads.set()
    asyncio.run(Front(wsgi)(asking, client.receive, client.send))
    return seen


class Closing:
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks, self.is_closed = iter(chunks), False

    def __iter__(self) -> "Closing":
        return self

    def __next__(self) -> bytes:
        return next(self.chunks)

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("header", [LENGTH, CHUNKED])
def test_a_body_is_there_whole_and_has_a_length(header: tuple[bytes, bytes]) -> None:
    client = Client(b"abc", b"def")
    seen = asked(client, scope("POST", header))
    assert (seen["read"], seen["CONTENT_LENGTH"], REFUSAL in seen) == (b"abcdef", "6", False)
    assert (client.status, client.body) == (200, b"done")


def test_an_empty_chunked_body_is_no_body() -> None:
    seen = asked(Client(), scope("POST", CHUNKED))
    assert (seen["read"], REFUSAL in seen, "CONTENT_LENGTH" in seen) == (b"", False, False)


@pytest.mark.parametrize("header", [LENGTH, CHUNKED])
def test_a_body_that_breaks_off_is_refused(header: tuple[bytes, bytes]) -> None:
    for pieces in ((), (b"abc",)):
        client = Client(*pieces, whole=False, leaves=True)
        assert asked(client, scope("POST", header))[REFUSAL].status_code == 400


def test_a_body_that_does_not_arrive_in_time_is_refused_and_its_connection_ends(settings: Settings) -> None:
    settings.BODY_SECONDS = 0
    client = Client(b"abc", whole=False)
    assert asked(client, scope("POST", LENGTH))[REFUSAL].status_code == 408
    assert (b"connection", b"close") in client.got[0]["headers"]


def test_what_arrives_at_a_fair_rate_has_more_time(settings: Settings) -> None:
    settings.BODY_SECONDS = 0.2

    class Steady(Client):
        async def receive(self) -> dict[str, Any]:
            await asyncio.sleep(0.1)
            return await super().receive()

    client = Steady(*[b"x" * 10_000] * 6)
    assert REFUSAL not in asked(client, scope("POST", CHUNKED))


def test_a_sender_who_falls_silent_is_refused_however_much_has_arrived(settings: Settings) -> None:
    settings.BODY_SECONDS = 0.1
    client, began = Client(b"x" * 300_000, whole=False), time.monotonic()
    assert asked(client, scope("POST", CHUNKED))[REFUSAL].status_code == 408
    assert time.monotonic() - began < 15  # and not the half minute that so much would be worth


@pytest.mark.parametrize(
    ("path", "limit"), [("/api/v1/shops/", "API_MAX_UPLOAD_BYTES"), ("/admin/", "FORM_MAX_BYTES")]
)
def test_no_more_is_taken_than_is_allowed(settings: Settings, path: str, limit: str) -> None:
    setattr(settings, limit, 5)
    announced = Client(b"abc", b"def")
    assert asked(announced, scope("POST", LENGTH, path=path))[REFUSAL].status_code == 413
    assert announced.messages == []  # read to its end all the same, for the sender to see the answer
    assert asked(Client(b"abc", b"def"), scope("POST", CHUNKED, path=path))[REFUSAL].status_code == 413
    assert REFUSAL not in asked(Client(b"abc"), scope("POST", CHUNKED, path=path))


def test_a_header_that_is_there_twice_is_told_from_one_with_a_comma() -> None:
    twice = asked(Client(), scope("GET", (b"idempotency-key", b"a"), (b"idempotency-key", b"b")))
    assert twice["HTTP_IDEMPOTENCY_KEY"] == "a, b"
    assert asked(Client(), scope("GET", (b"cookie", b"a=1"), (b"cookie", b"b=2")))["HTTP_COOKIE"] == "a=1; b=2"


def test_a_header_with_an_underscore_does_not_pass_for_the_one_that_the_proxy_sets() -> None:
    seen = asked(Client(), scope("GET", (b"x_forwarded_proto", b"https"), (b"x-request-id", b"1")))
    assert "HTTP_X_FORWARDED_PROTO" not in seen
    assert seen["HTTP_X_REQUEST_ID"] == "1"


def test_slow_senders_take_no_thread() -> None:
    async def one_among_many() -> int:
        def wsgi(_environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
            start("204 No Content", [])
            return Closing([])

        front, quick = Front(wsgi), Client()
        slow = [Client(b"a", whole=False) for _one in range(16 * THREADS)]
        waiting = [asyncio.create_task(front(scope("POST", LENGTH), one.receive, one.send)) for one in slow]
        await asyncio.sleep(0)
        quick.reads.set()
        await asyncio.wait_for(front(scope("GET"), quick.receive, quick.send), 30)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        return quick.status

    assert asyncio.run(one_among_many()) == 204


def long_answer() -> list[bytes]:
    return [bytes([number]) * PIECE for number in range(3 * IN_MEMORY)]


@pytest.mark.parametrize("kind", ["pieces", "file"])
def test_slow_readers_take_no_thread_and_get_everything(tmp_path: Path, kind: str) -> None:
    """Each answer is longer than what is kept in memory, and is made to its end before its reader takes the first."""
    (tmp_path / "file").write_bytes(b"left out" + b"".join(long_answer()))
    made = threading.Semaphore(0)

    def wsgi(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("X-Kind", kind)])
        if kind == "file":
            file = (tmp_path / "file").open("rb")
            file.seek(len(b"left out"))
            answer: Any = environ["wsgi.file_wrapper"](file, 4096)
            made.release()
        else:
            answer = Closing(counted())
        return answer  # type: ignore[no-any-return]

    def counted() -> Iterable[bytes]:
        yield from long_answer()
        made.release()

    async def many() -> list[Client]:
        front, slow = Front(wsgi), [Client() for _one in range(4 * THREADS)]
        tasks = [asyncio.create_task(front(scope("GET"), one.receive, one.send)) for one in slow]
        for _one in slow:
            assert await asyncio.to_thread(made.acquire, timeout=30)
        for one in slow:
            assert one.got == []
            one.reads.set()
        await asyncio.gather(*tasks)
        return slow

    for client in asyncio.run(many()):
        assert client.got[0]["headers"] == [(b"X-Kind", kind.encode())]
        assert client.body == b"".join(long_answer())
        assert [message["more_body"] for message in client.got[-2:]] == [True, False]


def test_nothing_more_is_made_for_a_reader_who_has_gone(settings: Settings) -> None:
    settings.BODY_SECONDS = 0.1
    answers: list[Closing] = []

    def wsgi(_environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        answers.append(Closing(iter(lambda: b"x" * PIECE, b"")))  # without an end
        return answers[0]

    async def leave() -> None:
        client = Client(leaves=True)
        client.reads.set()
        await asyncio.wait_for(Front(wsgi)(scope("GET"), client.receive, client.send), 30)

    async def stop_reading() -> None:
        client = Client()
        await asyncio.wait_for(Front(wsgi)(scope("GET"), client.receive, client.send), 30)

    for ending in (leave, stop_reading):
        answers.clear()
        asyncio.run(ending())
        assert answers[0].is_closed


def test_the_answer_to_head_has_no_body() -> None:
    client = Client()
    asked(client, scope("HEAD"))
    assert (client.status, client.body) == (200, b"")
