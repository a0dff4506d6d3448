"""What has to be right before the parts of the hub run, stage by stage.

Each stage raises ImproperlyConfigured with one sentence that names the variable to set, or returns what it did.
"""

import errno
import fcntl
import hashlib
import io
import secrets
import socket
from collections import Counter
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import IO

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from django.utils import timezone, translation
from redis.exceptions import RedisError

from appeals import recompute
from appeals.tasks import recompute_deadlines
from hub import checks, health
from hub.demo import PASSWORD, PEOPLE
from hub.models import User
from hub.terminal import gettext as _
from hub.terminal import language
from marketplaces import directory
from marketplaces.directory_file import DirectoryFileError
from marketplaces.directory_report import Outcome


def lock_data_folder() -> IO[str]:
    """Holds the data folder for this process tree: a second hub on it would do everything twice."""
    file = (settings.DATA_DIR / "up.lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ImproperlyConfigured(
            f"HUB_DATA_DIR: another hub runs on {settings.DATA_DIR}; stop it, or set another folder."
        ) from error
    return file


def check_port() -> None:
    host, port = settings.HUB_HOST, settings.HUB_PORT
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ImproperlyConfigured(_why_not_listen(host, port, error)) from error


def _why_not_listen(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"HUB_PORT: port {port} of {host} is taken by another program; set another one, such as {port + 1}."
    if error.errno == errno.EACCES:
        return f"HUB_PORT: this user may not listen on port {port}; set one above 1023."
    return f"HUB_HOST: cannot listen on {host}: {error.strerror}."


def check_services() -> None:
    """The database and the broker answer."""
    try:
        connection.ensure_connection()
    except Error as error:
        ours = Path(connection.settings_dict["NAME"]).parent == settings.DATA_DIR
        name = "HUB_DATA_DIR" if ours else "DATABASE_URL"
        raise ImproperlyConfigured(f"{name}: the database cannot be opened: {_first_line(error)}") from error
    if settings.CELERY_BROKER_URL.startswith("redis"):
        try:
            health.check_broker()
        except (RedisError, ValueError) as error:
            raise ImproperlyConfigured(f"REDIS_URL: no Redis to use there: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def mail() -> str:
    """Where mail goes. A mail server that does not answer is told, but stops nothing: reminders wait for it."""
    if settings.EMAIL_BACKEND == "hub.mail.EmlFileBackend":
        return _(".eml files in %(folder)s (set EMAIL_URL to send)") % {"folder": settings.EMAIL_FILE_PATH}
    address = (settings.EMAIL_HOST, settings.EMAIL_PORT)
    try:
        socket.create_connection(address, timeout=3).close()
    except OSError as error:
        words = {"address": f"{address[0]}:{address[1]}", "error": error}
        return _("WARNING: %(address)s (EMAIL_URL) does not answer now: %(error)s") % words
    return f"{address[0]}:{address[1]}"


def migrate() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    call_command("migrate", interactive=False, verbosity=0)
    applied = _("%(database)s, migrations applied: %(count)d")
    return applied % {"database": connection.display_name, "count": len(plan)} if plan else connection.display_name


def load_directory() -> str:
    try:
        report = directory.load(now=timezone.now())
    except DirectoryFileError as error:
        raise CommandError(f"The directory cannot be loaded: {error}") from error
    total = sum(report.counts().values(), Counter[Outcome]())
    with translation.override(language()):
        told = "; ".join(f"{outcome.label}: {count}" for outcome, count in total.items())
    if not {Outcome.CREATED, Outcome.UPDATED, Outcome.RETIRED} & set(total):
        return told
    return told + follow_directory()


def follow_directory() -> str:
    """Deadlines that run follow a directory that has changed: counted now, moved by the worker in the background."""
    effect = recompute.preview(now=timezone.now())
    if not effect.moved:
        return ""
    recompute_deadlines.delay()
    moving = _("running deadlines that move by it in the background: %(moved)d, that become late: %(late)d")
    return "; " + moving % {"moved": effect.moved, "late": effect.become_late}


def static_files() -> str:
    """Collects the files that browsers load, unless none has changed since the last time."""
    files = [Path(storage.path(name)) for finder in get_finders() for name, storage in finder.list([])]
    states = sorted(f"{path} {path.stat().st_mtime_ns}" for path in files)
    fingerprint = hashlib.sha256("\n".join(states).encode()).hexdigest()
    marker = Path(settings.STATIC_ROOT) / ".collected"
    if not marker.exists() or marker.read_text() != fingerprint:
        call_command("collectstatic", interactive=False, verbosity=0)
        marker.write_text(fingerprint)
    return _("files: %(count)d") % {"count": len(files)}


def first_administrator() -> str:
    """Makes an administrator where there is none. A password that nobody chose is in the answer, and nowhere else."""
    if User.objects.filter(is_superuser=True, is_active=True).exists():
        return _("is there already")
    email = settings.HUB_ADMIN_EMAIL or "admin@example.com"
    if User.objects.filter(email__iexact=email).exists():
        raise ImproperlyConfigured(f"HUB_ADMIN_EMAIL: {email} is a user already, but no active administrator.")
    password = settings.HUB_ADMIN_PASSWORD or secrets.token_urlsafe(12)
    User.objects.create_superuser(email, password)
    said = _("as in HUB_ADMIN_PASSWORD") if settings.HUB_ADMIN_PASSWORD else password
    return _("%(email)s, password %(password)s") % {"email": email, "password": said}


def refuse_demo(wanted: bool) -> None:
    """The demonstration's password stands in the documentation: on a public address it opens the hub to everybody."""
    if not checks.is_public():
        return
    known = User.objects.filter(email__in=PEOPLE, is_active=True)
    if wanted or any(user.check_password(PASSWORD) for user in known):
        raise ImproperlyConfigured(
            f"HUB_BASE_URL: {settings.BASE_URL} is public, and the made-up people of the demonstration have a password"
            " that everybody knows. Start the demonstration on this machine only, the real hub on its own database."
        )


def demo() -> str:
    report = io.StringIO()
    call_command("demo", stdout=report)
    return report.getvalue().strip()


def web_answers() -> bool:
    """The web server answers its probe."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HUB_HOST, settings.HUB_HOST)  # noqa: S104
    request = HTTPConnection(host, settings.HUB_PORT, timeout=5)
    try:
        request.request("GET", "/healthz")
        return request.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        request.close()


def address_to_open() -> str:
    return settings.BASE_URL + reverse("admin:index")
