"""The processes of the hub: their command lines, and the tree that keeps them together."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from django.conf import settings

from hub import guardian

PARTS = ("web", "worker", "beat")
_ERROR = re.compile(r"(\[?(\d{4}-\d\d-\d\dT\S+ )?|\{\"level\": \")(ERROR|CRITICAL)\b")


def command(part: str) -> list[str]:
    """The one command line of `part`, for `make up` and for containers alike."""
    return {"web": _web, "worker": _worker, "beat": _beat}[part]()


def _web() -> list[str]:
    """Asked to stop, it answers what it has begun, for as long as whoever stops it waits: `up` 5 s, a container 45."""
    listen = ["--host", settings.HUB_HOST, "--port", str(settings.HUB_PORT)]
    size = ["--workers", str(settings.HUB_WORKERS), "--no-ws"]
    rest = ["--workers-kill-timeout", "30", "--log-config", str(settings.BASE_DIR / "hub" / "granian_logging.json")]
    return [sys.executable, "-m", "granian", "--interface", "asginl", *listen, *size, *rest, "hub.asgi:application"]


def _worker() -> list[str]:
    """Threads on one machine, where SQLite lets one write at a time anyway; processes where Redis is the broker."""
    pool = "prefork" if settings.CELERY_BROKER_URL.startswith("redis") else "threads"
    quiet = ["--without-mingle", "--without-gossip", "--without-heartbeat"]
    return [*_celery(), "worker", "--loglevel", "INFO", "--pool", pool, "--concurrency", "2", *quiet]


def _beat() -> list[str]:
    return [*_celery(), "beat", "--loglevel", "INFO", "--pidfile="]


def _celery() -> list[str]:
    """Without the banner where programs read the log."""
    return [sys.executable, "-m", "celery", *(["--quiet"] if settings.LOG_FORMAT == "json" else []), "--app", "hub"]


class Part:
    """One running part. What it prints goes to its log file; the first lines of errors go to `tell` as well."""

    def __init__(self, name: str, log: Path, tell: Callable[[str], None]) -> None:
        self.name, self.log, self._tell = name, log, tell
        self.last_lines: deque[str] = deque(maxlen=15)
        self.process = subprocess.Popen(  # noqa: S603
            command(name),
            cwd=settings.BASE_DIR,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def how_it_ended(self) -> str:
        code = self.process.wait()
        self._reader.join(timeout=1)
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def _read(self) -> None:
        file = RotatingFileHandler(self.log, maxBytes=5_000_000, backupCount=3, encoding="utf-8")
        for line in self.process.stdout or ():
            text = line.rstrip("\n")
            file.emit(logging.makeLogRecord({"msg": text}))
            self.last_lines.append(text)
            if _ERROR.match(text):
                self._tell(f"{self.name}: {text}")
        file.close()


class ProcessTree:
    """The parts, started together and ended together: `with ProcessTree(...) as tree: tree.start(); tree.watch()`.

    Leaving the block ends every part, and the guardian does so if this process has no time left to leave it.
    """

    def __init__(self, log_folder: Path, tell: Callable[[str], None], lock: int, parent: int | None = None) -> None:
        """`lock` is an open file that the guardian keeps open too, so that it is held until the last part is gone.

        With `parent`, the id of the process that started this one, the tree ends when that process does.
        """
        self.log_folder, self._tell, self._lock, self._parent = log_folder, tell, lock, parent
        self.parts: list[Part] = []
        self.asked_to_stop = False

    def __enter__(self) -> Self:
        self.log_folder.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup stays in force
                signal.signal(number, self._stop_soon)
        self._guardian = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", guardian.__file__],
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=[self._lock],
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        groups = [part.process.pid for part in self.parts]
        guardian.signal_groups(groups, signal.SIGTERM)
        patience = time.monotonic() + guardian.PATIENCE_SECONDS
        while not all(part.has_ended for part in self.parts) and time.monotonic() < patience:
            time.sleep(0.05)
        guardian.signal_groups(groups, signal.SIGKILL)  # also what the leader of a group has left behind
        for part in self.parts:
            part.process.wait()
        self._guardian.kill()
        self._guardian.communicate()

    def start(self) -> None:
        for name in PARTS:
            if self.asked_to_stop:
                return
            part = Part(name, self.log_folder / f"{name}.log", self._tell)
            self.parts.append(part)
            if self._guardian.stdin:
                self._guardian.stdin.write(f"{part.process.pid}\n")
                self._guardian.stdin.flush()

    def ended_part(self) -> Part | None:
        return next((part for part in self.parts if part.has_ended), None)

    def watch(self, until: Callable[[], bool] = lambda: False) -> Part | None:
        """Waits until a part ends by itself (and returns it), we are asked to stop, or `until()` is true."""
        while not self.asked_to_stop and not until():
            if part := self.ended_part():
                return part
            if self._parent and os.getppid() != self._parent:
                self.asked_to_stop = True
            time.sleep(0.2)
        return None

    def _stop_soon(self, number: int, frame: FrameType | None) -> None:
        self.asked_to_stop = True
