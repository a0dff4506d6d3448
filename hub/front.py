"""Between the web server and Django: a request comes to a thread whole, and an answer leaves it at once.

Threads are few, and one that waits for a slow sender or a slow reader is missing to everybody else. So the event loop
of the process takes a body in first, in memory or in a file, no more of it than is allowed and for no longer; and what
a reader does not take at once waits in a file. A proxy that buffers does the same, for those who have one.
"""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http import HTTPStatus
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO, Any, Final
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ParseError

from hub import failures
from marketplaces.api.parsers import TooLargeError

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
THREADS: Final = 4
PIECE: Final = 1 << 16
BYTES_A_SECOND: Final = 10_000  # whoever sends at this rate is never cut off
IN_MEMORY: Final = 16  # pieces of an answer
REFUSAL: Final = "hub.refusal"


class LateBodyError(APIException):
    status_code = HTTPStatus.REQUEST_TIMEOUT
    default_code = "request_timeout"
    default_detail = _("The body of the request did not arrive in time.")


class ReaderGoneError(Exception):
    """There is nobody left to answer, or nobody who reads."""


class Front:
    """The hub as an ASGI application, around the WSGI application that does the work in THREADS threads."""

    def __init__(self, wsgi: Callable[..., Iterable[bytes]]) -> None:
        self.wsgi = wsgi
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        with SpooledTemporaryFile(max_size=PIECE, dir=str(settings.DATA_DIR)) as body, suppress(ReaderGoneError):
            refusal = await take(scope, receive, body)
            answer = Answer(receive, send, is_last=bool(refusal) and scope["http_version"].startswith("1"))
            environ = environ_of(scope, body, refusal)
            making = loop.run_in_executor(self.threads, answer.make, self.wsgi, environ)
            await answer.deliver(making)
            if isinstance(refusal, TooLargeError):  # whoever is still sending looks for the answer afterwards
                await drain(receive)


async def take(scope: Scope, receive: Receive, body: IO[bytes]) -> APIException | None:
    """Writes what is sent into `body`; or why it was not taken."""
    try:
        await _take(scope, receive, body)
    except APIException as refusal:
        return refusal
    except TimeoutError:
        return LateBodyError()
    except OSError as error:
        return failures.meaning(error) or failures.UnavailableError()
    return None


async def _take(scope: Scope, receive: Receive, body: IO[bytes]) -> None:
    """HUB_BODY_SECONDS to begin with, and a second more for every BYTES_A_SECOND that are there: else TimeoutError.

    Nor is a sender waited for who sends nothing for HUB_BODY_SECONDS: the line may be dead.
    """
    headers = dict(scope["headers"])
    announced = int(headers.get(b"content-length", 0))
    if not announced and b"transfer-encoding" not in headers and scope["http_version"].startswith("1"):
        return
    limit = settings.API_MAX_UPLOAD_BYTES if scope["path"].startswith("/api/") else settings.FORM_MAX_BYTES
    clock = asyncio.get_running_loop().time
    end, size, more = clock() + settings.BODY_SECONDS, 0, True
    while more:
        if max(announced, size) > limit:
            raise TooLargeError
        async with asyncio.timeout_at(min(end + size / BYTES_A_SECOND, clock() + settings.BODY_SECONDS)):
            message = await receive()
        if message["type"] == "http.disconnect":
            raise ParseError(_("The body broke off before its end."))
        size += body.write(message.get("body", b""))
        more = message.get("more_body", False)


async def drain(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(settings.BODY_SECONDS):
            while (await receive()).get("more_body"):
                pass


async def departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def environ_of(scope: Scope, body: IO[bytes], refusal: APIException | None) -> dict[str, Any]:
    (server, port), client = scope["server"], scope["client"]
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server,
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" not in name:  # it would pass for the one with hyphens, which a proxy has seen to
            key, text = f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}", value.decode("latin-1")
            separator = "; " if key == "HTTP_COOKIE" else ", "
            environ[key] = f"{environ[key]}{separator}{text}" if key in environ else text
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if f"HTTP_{key}" in environ:
            environ[key] = environ.pop(f"HTTP_{key}")
    if refusal:
        environ[REFUSAL] = refusal
    elif size := body.tell():
        environ["CONTENT_LENGTH"] = str(size)
        body.seek(0)
    return environ


class Answer:
    """One answer, on its way from the thread that makes it to the reader.

    The thread never waits: what the reader has not taken yet is kept, IN_MEMORY pieces of it and then in a file.
    """

    def __init__(self, receive: Receive, send: Send, *, is_last: bool) -> None:
        """`is_last` on its connection: what else comes there belongs to a body that was refused."""
        self.receive, self.send = receive, send
        self.closing = [(b"connection", b"close")] if is_last else []
        self.loop, self.news = asyncio.get_running_loop(), asyncio.Event()
        self.pieces: deque[bytes] = deque()
        self.file: IO[bytes] | None = None
        self.position = 0  # in the file
        self.departure: asyncio.Future[None] | None = None
        self.is_over = False

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers] + self.closing

    def make(self, wsgi: Callable[..., Any], environ: dict[str, Any]) -> bytes:
        """In a thread: keeps all of the answer but its last piece, and returns that. Short ones have no other."""
        kept, size = [], 0
        with closing(wsgi(environ, self.start)) as chunks:
            if environ["REQUEST_METHOD"] == "HEAD" or (isinstance(chunks, FileWrapper) and self._keep_file(chunks)):
                return b""
            for chunk in chunks:
                kept.append(chunk)
                size += len(chunk)
                if size >= PIECE:
                    self._keep(b"".join(kept))
                    kept, size = [], 0
        return b"".join(kept)

    def _keep(self, piece: bytes) -> None:
        if self.is_over:
            raise ReaderGoneError
        if not self.file and len(self.pieces) < IN_MEMORY:
            self.pieces.append(piece)
        else:
            self.file = self.file or TemporaryFile(dir=str(settings.DATA_DIR))  # noqa: SIM115 -- `deliver` closes it
            self.file.write(piece)
            self.file.flush()
        self.loop.call_soon_threadsafe(self.news.set)

    def _keep_file(self, chunks: FileWrapper) -> bool:
        """A file is read where it is, whoever closes it meanwhile; not so what only looks like one."""
        try:
            self.file = os.fdopen(os.dup(chunks.filelike.fileno()), "rb")
        except (AttributeError, OSError):
            return False
        self.position = chunks.filelike.tell()
        return True

    async def deliver(self, making: asyncio.Future[bytes]) -> None:
        """Sends what is there as long as there is more."""
        making.add_done_callback(lambda _made: self.news.set())
        try:
            is_made = False
            while not is_made:
                await self.news.wait()
                self.news.clear()
                is_made, file = making.done(), self.file  # in this order: what is in the file comes after all pieces
                while self.pieces:
                    await self._send(self.pieces.popleft())
                while file and (piece := os.pread(file.fileno(), PIECE, self.position)):
                    self.position += len(piece)
                    await self._send(piece)
            last = making.result()
            if self.departure:
                await self._send(last, more=False)
            else:
                await self._begin()
                await self.send({"type": "http.response.body", "body": last})
        finally:
            self.is_over = True
            if not making.done():
                await asyncio.wait([making])
            making.exception()  # it may have been told that the reader has gone
            if self.departure:
                self.departure.cancel()
            if self.file:
                self.file.close()

    async def _begin(self) -> None:
        await self.send({"type": "http.response.start", "status": self.status, "headers": self.headers})

    async def _send(self, piece: bytes, *, more: bool = True) -> None:
        """One of several pieces."""
        try:
            async with asyncio.timeout(settings.BODY_SECONDS):
                if not self.departure:
                    await self._begin()
                    self.departure = self.loop.create_task(departure(self.receive))
                await asyncio.sleep(0)  # so that a departure is noticed between pieces that wait for nothing
                if self.departure.done():
                    raise ReaderGoneError
                await self.send({"type": "http.response.body", "body": piece, "more_body": more})
        except TimeoutError as error:
            raise ReaderGoneError from error


class RefusalMiddleware:
    """Answers what was not taken in, in the words of the reader, and with all that goes with an answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refusal: APIException | None = request.META.get(REFUSAL)
        return failures.refusal(request, refusal) if refusal else self.get_response(request)
