"""PostgreSQL, Redis and the parts of the hub, each in processes of the test's own, to be killed and started again."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from hub.settings import BASE_DIR
from tests.hub.running import free_port, wait_until

NOWHERE = "nowhere on this machine"
AGENT = "agent@example.com"
PREPARE = f"""
from django.core.management import call_command
call_command("up", only="prepare")
from hub.models import ApiToken, User
from appeals.models import Membership, Shop
from marketplaces.models import Marketplace
agent = User.objects.create_user("{AGENT}", is_superuser=True)
shop = Shop.objects.create(name="Tea", marketplace=Marketplace.objects.get(slug="ozon"))
Membership.objects.create(shop=shop, user=agent, is_lead=True)
print("MADE", shop.pk, ApiToken.objects.create(user=agent)[1])
"""


def prepare(settings: dict[str, str]) -> tuple[int, str]:
    """A hub with one shop and a program that works for it: the shop's number and the program's token."""
    command = [sys.executable, "manage.py", "shell", "--command", PREPARE]
    made = subprocess.run(command, cwd=BASE_DIR, env=settings, capture_output=True, text=True, check=False)
    assert "MADE" in made.stdout, made.stderr
    shop, token = made.stdout.split("MADE ")[1].split()
    return int(shop), token


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def missing() -> str:
    """What this machine lacks for these tests, or nothing."""
    if programs() is None:
        return "PostgreSQL's initdb"
    if shutil.which("redis-server") is None:
        return "redis-server"
    if os.getuid() == 0 and (shutil.which("setpriv") is None or _postgres() is None):
        return "setpriv and a user postgres: PostgreSQL does not run as root"
    return ""


def _postgres() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


class Postgres:
    """A server on a port and in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir()
        user = _postgres() if os.getuid() == 0 else None
        self._as = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] if user else []
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "--pgdata", str(folder / "data"), "--username", "hub", "--auth", "trust", "--no-sync")
        self.url = f"postgres://hub@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k '' -c max_connections=60"
        self._control("start", "-o", options, "-l", str(self.folder / "log"))

    def crash(self) -> None:
        """As if the machine had lost its power: what was committed has to be found in the log."""
        self._control("stop", "--mode", "immediate")

    def stop(self) -> None:
        self._control("stop", "--mode", "fast")

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "--pgdata", str(self.folder / "data"), "--wait", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str((programs() or Path(NOWHERE)) / program), *arguments]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            answer = connection.execute(query.encode(), values or None)
            return answer.fetchall() if answer.description else []


class Redis:
    """A server that keeps nothing on disk, as in docker-compose.yml."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, cwd="/", stdout=subprocess.DEVNULL)
        with redis.Redis.from_url(self.url) as client:
            wait_until(lambda: _pings(client), "Redis answers")

    def crash(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    def wipe(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


def _pings(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


class Part:
    """One part of the hub under its own command, started again whenever it ends: what `restart:` does in Docker."""

    def __init__(self, name: str, environment: dict[str, str], logs: Path) -> None:
        self.name, self._environment, self.log = name, environment, logs / f"{name}.log"
        self.starts, self._wanted = 0, True
        self._start()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _start(self) -> None:
        self.starts += 1
        with self.log.open("a") as output:
            self._beginning = output.tell()
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--only", self.name],
                cwd=BASE_DIR,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _keep(self) -> None:
        while self._wanted:
            if self.process.poll() is not None:
                _kill_group(self.process.pid)  # what a container would take with it
                self._start()
            time.sleep(0.1)

    def has_said(self, text: str) -> bool:
        """Since it was last started."""
        return text in self.log.read_text()[self._beginning :]

    def kill(self) -> None:
        _kill_group(self.process.pid)

    def kill_child(self) -> None:
        """One of its processes that do the work, if it has any."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if found:
            os.kill(int(found[-1]), signal.SIGKILL)

    def end(self, patience: float = 60) -> int | None:
        """Asked to stop, and not started again; its exit code, or None if it had to be killed."""
        self._wanted = False
        self._thread.join()
        self.process.terminate()
        code: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(patience)
        _kill_group(self.process.pid)
        self.process.wait()
        return code


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


class Disk:
    """A small file system for the media, which can be full. `missing` says why there is none."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._filler = folder, folder / "filler"
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which("mount") else None
        self.missing = "" if done and done.returncode == 0 else (done.stderr.strip() if done else "no mount program")

    def fill(self) -> None:
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def make_room(self) -> None:
        self._filler.unlink(missing_ok=True)

    def unmount(self) -> None:
        if not self.missing:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False)


@contextmanager
def services() -> Iterator[tuple[Postgres, Redis]]:
    folder = Path(tempfile.mkdtemp(prefix="hub-faults-"))
    folder.chmod(0o755)
    database, broker = Postgres(folder / "postgres"), Redis()
    database.start()
    broker.start()
    try:
        yield database, broker
    finally:
        broker.crash()
        with contextlib.suppress(AssertionError):
            database.crash()
        shutil.rmtree(folder, ignore_errors=True)
