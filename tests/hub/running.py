"""A hub in processes of its own, as a person starts it."""

import contextlib
import os
import secrets
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

PATIENCE_SECONDS = 300  # where much else runs, a first start alone takes more than a minute


def free_port() -> int:
    """Not one of those that the system itself deals out, which another program may have before the hub asks for it."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


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
        self._data_folder = environment["HUB_DATA_DIR"]
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

    def wait_for_exit(self, seconds: float = PATIENCE_SECONDS) -> int:
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

    def is_at_work(self) -> bool:
        """On SQLite: whether one of its processes has the database open, as it has for a request or a task only."""
        data = (Path(self._data_folder) / "hub.sqlite3").resolve()
        return any(data in _opened(pid) for pid in self.processes())

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0


def _opened(pid: int) -> set[Path]:
    try:
        return {one.readlink() for one in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:  # it ended meanwhile, or closed a file
        return set()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile
        return b""
