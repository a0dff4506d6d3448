"""A program that logs appeals without a pause, and repeats every call under its key until it has an answer."""

import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

AGAIN = {503, 507}  # what the API's documentation says to try again
LONG_AGO = timedelta(days=40)


@dataclass
class Ledger:
    """What the hub has acknowledged, by a mark of ours that each thing bears."""

    appeals: dict[str, int] = field(default_factory=dict)
    submitted: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    gone: Counter[str] = field(default_factory=Counter)

    @property
    def acknowledged(self) -> int:
        return len(self.appeals) + len(self.submitted) + len(self.events) + len(self.files)


class Integration:
    """`with Integration(...) as client:` works in threads until the block ends, which waits for what it began."""

    def __init__(self, url: str, token: str, shop: int, assignee: str, threads: int = 3) -> None:
        self._url, self._token, self._shop, self._assignee = url, token, shop, assignee
        self.ledger = Ledger()
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._work) for _number in range(threads)]

    def __enter__(self) -> "Integration":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self._one_appeal()
            except LookupError as error:
                with self._lock:
                    self.ledger.unexplained.append(str(error))

    def _one_appeal(self) -> None:
        """Draft, sent long ago, brushed off, a file, and our answer: late from the first moment on."""
        mark = f"Case {uuid.uuid4().int % 10**12}"
        appeal = self._call("appeals/", {"shop": self._shop, "subject": mark, "assignee": self._assignee})["id"]
        self._note(lambda book: book.appeals.update({mark: appeal}))
        at = (datetime.now(UTC) - LONG_AGO).isoformat()
        self._call(f"appeals/{appeal}/submit/", {"at": at})
        self._note(lambda book: book.submitted.add(mark))
        for verb, more in (("replies", {"kind": "brush_off"}), ("messages", {})):
            text = f"{verb} {uuid.uuid4()}"
            self._call(f"appeals/{appeal}/{verb}/", {"text": text, **more})
            self._note(lambda book, text=text: book.events.add(text))
        self._attach(appeal)

    def _attach(self, appeal: int) -> None:
        name, content = f"{uuid.uuid4()}.txt", f"Note {uuid.uuid4()}\n".encode() * 200
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        self._call(f"appeals/{appeal}/attachments/", body, f"multipart/form-data; boundary={boundary}")
        self._note(lambda book: book.files.update({name: hashlib.sha256(content).hexdigest()}))

    def _note(self, write: Any) -> None:
        with self._lock:
            write(self.ledger)

    def _call(self, path: str, body: Any, kind: str = "application/json") -> dict[str, Any]:
        """The hub's answer. LookupError for one that no retry mends."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/api/v1/{path}", content, method="POST")  # noqa: S310
        request.add_header("Authorization", f"Bearer {self._token}")
        request.add_header("Content-Type", kind)
        request.add_header("Idempotency-Key", uuid.uuid4().hex)
        for answer in self._answers(request, path):
            return answer
        raise LookupError(f"{path}: no answer within two minutes")

    def _answers(self, request: urllib.request.Request, path: str) -> Iterator[dict[str, Any]]:
        give_up = time.monotonic() + 120
        while time.monotonic() < give_up:
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                    found: dict[str, Any] = json.load(answer)
                    status = answer.status
                self._note(lambda book, status=status: book.answers.update([status]))
                yield found
            except urllib.error.HTTPError as error:
                with error:
                    self._refused(path, error)
                time.sleep(0.3)  # sooner than it asks: the test has no time
            except (OSError, ValueError) as error:  # refused, cut off, or half an answer
                name = type(error).__name__
                self._note(lambda book, name=name: book.gone.update([name]))
                time.sleep(0.3)

    def _refused(self, path: str, error: urllib.error.HTTPError) -> None:
        self._note(lambda book: book.answers.update([error.code]))
        if error.code not in AGAIN or "Retry-After" not in error.headers:
            raise LookupError(f"{path}: {error.code} {error.read(500).decode()}") from error
