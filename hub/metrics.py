"""Figures for Prometheus at `/metrics`, for whoever has HUB_METRICS_TOKEN; without that setting there is no such page.

What the web processes of one machine count lies in files, each process has its own. They are in memory where the
system offers it: a full disk must not end a web process that only wants to count. What the database and the broker
know is asked when the figures are: a few queries, each along an index.
"""

import contextlib
import hashlib
import logging
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone


def _folder() -> Path:
    """One for each web server of this machine."""
    memory = Path("/dev/shm")  # noqa: S108
    name = f"{socket.gethostname()}-{settings.HUB_PORT}"
    if os.access(memory, os.W_OK):
        own = hashlib.sha256(str(settings.DATA_DIR).encode()).hexdigest()[:12]
        return memory / f"hub-metrics-{os.getuid()}-{own}-{name}"
    return Path(settings.DATA_DIR / "metrics" / name)


FOLDER: Path = getattr(settings, "METRICS_FOLDER", None) or _folder()
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(FOLDER)  # where the library writes

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values  # noqa: E402
from prometheus_client.core import GaugeMetricFamily, Metric  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402
from prometheus_client.registry import Collector  # noqa: E402

from appeals import reminders  # noqa: E402
from appeals.models import Deadline, Reminder  # noqa: E402
from marketplaces.models import Marketplace  # noqa: E402

values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]  # even if it was loaded before
logger = logging.getLogger(__name__)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
RECENT = timedelta(days=1)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_counted = CollectorRegistry()
REQUESTS = Counter("hub_requests", "Requests answered.", ["method", "status"], registry=_counted)
SECONDS = Histogram(
    "hub_request_seconds",
    "Time to an answer, by the pattern of the address.",
    ["method", "route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=_counted,
)
DATABASE_ERRORS = Counter("hub_database_errors", "Requests that failed for the database.", ["kind"], registry=_counted)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Counts an answered request. Where the counters cannot be written, the answer is worth more."""
    known = method if method in _METHODS else "other"
    with contextlib.suppress(OSError):
        REQUESTS.labels(known, status).inc()
        SECONDS.labels(known, route or "none").observe(seconds)


def database_failed(error: BaseException) -> None:
    with contextlib.suppress(OSError):
        DATABASE_ERRORS.labels(type(error).__name__).inc()


def begin() -> None:
    """Everybody on the machine may write beside FOLDER: one that was put there for us could lead to any file."""
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    if FOLDER.is_symlink() or FOLDER.stat().st_uid != os.getuid():
        raise ImproperlyConfigured(f"{FOLDER} belongs to somebody else: remove it, the web server counts in it.")


def clean() -> None:
    """Counting begins anew with the web server, and leaves nothing behind."""
    shutil.rmtree(FOLDER, ignore_errors=True)


def page(request: HttpRequest) -> HttpResponse:
    token = settings.METRICS_TOKEN
    if not token:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    if not compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(FOLDER))  # type: ignore[no-untyped-call]
    registry.register(Asked())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE)


class Asked(Collector):
    """What is asked of the database and the broker. One that does not answer has no figures: `hub_up` is 0 then."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("hub_up", "Whether the database and the broker answered.", labels=["part"])
        for part, ask in _PARTS.items():
            try:
                found = list(ask())
            except Exception:
                logger.warning("No figures of the %s", part, exc_info=True)
                found = []
            up.add_metric([part], int(bool(found)))
            yield from found
        yield up


def _database() -> Iterator[Metric]:
    yield from (_late(), *_reminders(), *_sweeps())


def _late() -> Metric:
    """Found by the appeals that are late, which have an index of their own."""
    now = timezone.now()
    late = GaugeMetricFamily("hub_late_deadlines", "Running deadlines that are late.", labels=["marketplace"])
    running = Deadline.objects.running().filter(due_at__lt=now, appeal__next_due_at__lt=now)
    counts = running.order_by().values_list("appeal__shop__marketplace__slug").annotate(Count("pk"))
    found = dict.fromkeys(Marketplace.objects.values_list("slug", flat=True), 0) | dict(counts)
    for slug, count in sorted(found.items()):
        late.add_metric([slug], count)
    return late


def _reminders() -> Iterator[Metric]:
    now = timezone.now()
    recent = Reminder.objects.filter(created_at__gte=now - RECENT).order_by().values_list("state")
    found = dict.fromkeys(Reminder.State.values, 0) | dict(recent.annotate(Count("pk")))
    states = GaugeMetricFamily("hub_reminders_of_a_day", "Reminders found in the last 24 hours.", labels=["state"])
    for state, count in sorted(found.items()):
        states.add_metric([state], count)
    yield states
    due = Reminder.objects.filter(state=Reminder.State.PENDING, send_after__lte=now)
    waiting = due.aggregate(count=Count("pk"), since=Min("send_after"))
    yield GaugeMetricFamily("hub_reminders_due", "Reminders that could be sent now.", value=waiting["count"])
    age = (now - waiting["since"]).total_seconds() if waiting["since"] else 0
    yield GaugeMetricFamily("hub_reminders_due_seconds", "How long the oldest of them has waited.", value=age)


def _sweeps() -> Iterator[Metric]:
    last, took = reminders.last_sweep_at(), reminders.last_sweep_took()
    if last and took is not None:
        age = (timezone.now() - last).total_seconds()
        yield GaugeMetricFamily("hub_sweep_age_seconds", "Since the last sweep that went through.", value=age)
        seconds = took.total_seconds()
        yield GaugeMetricFamily("hub_sweep_seconds", "How long the last sweep took.", value=seconds)


def _broker() -> Iterator[Metric]:
    yield GaugeMetricFamily("hub_queue_length", "Tasks that wait for a worker.", value=queue_length())


def queue_length() -> int:
    queue = "celery"
    if not settings.CELERY_BROKER_URL.startswith("redis"):
        folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"])
        return sum(1 for _message in folder.glob(f"*.{queue}.msg"))
    with redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        return int(client.llen(queue))


_PARTS: dict[str, Callable[[], Iterator[Metric]]] = {"database": _database, "broker": _broker}
