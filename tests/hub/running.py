"""A hub in processes of its own, as a person starts it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Self

from hub.settings import BASE_DIR

PATIENCE_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {what}"
        time.sleep(0.1)


def forget_figures(port: int) -> None:
    """A web server that is killed leaves its counters in memory, for the next one to clear."""
    for folder in Path("/dev/shm").glob(f"hub-metrics-*-{port}"):  # noqa: S108
        shutil.rmtree(folder, ignore_errors=True)


class Hub:
    """`with Hub(environment, command) as hub:` starts it; at the end nothing of it is left, whatever the test did."""

    def __init__(self, environment: dict[str, str], command: list[str] | None = None) -> None:
        self.mark = uuid.uuid4().hex
        self.port = int(environment["HUB_PORT"])
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command or [sys.executable, "manage.py", "up"],
            cwd=BASE_DIR,
            env=environment | {"STARTED_BY_TEST": self.mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        while left := self.processes():
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        if self.process.stdout:
            self.process.stdout.close()
        forget_figures(self.port)

    def wait_until_open(self) -> None:
        def is_open() -> bool:
            assert self.process.poll() is None, self.output
            return "Open http" in self.output

        wait_until(is_open, f"the address is printed\n{self.output}")

    def wait_for_exit(self, seconds: float = 15) -> int:
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def processes(self, containing: str = "") -> list[int]:
        """The ids of all living processes of this hub whose command line contains a text."""
        return [
            int(folder.name)
            for folder in Path("/proc").iterdir()
            if folder.name.isdecimal()
            and self.mark.encode() in _content(folder / "environ")
            and containing.encode() in _content(folder / "cmdline").replace(b"\0", b" ")
        ]

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile
        return b""
