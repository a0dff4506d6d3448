"""Is the hub alive, and could it do its work now? For balancers, containers and whoever is on call."""

import logging
import tempfile
from collections.abc import Callable
from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appeals import reminders
from hub import metrics

logger = logging.getLogger(__name__)


class NotReadyError(Exception):
    """A part that the hub needs does not work now."""


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReadyError("migrations are missing: run manage.py migrate")


def check_broker() -> None:
    """Redis answers; or, without Redis, a file can be written into the folder that is the broker."""
    if settings.CELERY_BROKER_URL.startswith("redis"):
        with redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    else:
        folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"ready?")


def check_sweep() -> None:
    """The last search for late deadlines is not older than three rounds, or two minutes where rounds are short."""
    last = reminders.last_sweep_at()
    if last is None:
        raise NotReadyError("no sweep has run yet")
    allowed = max(timedelta(seconds=3 * settings.SWEEP_SECONDS), timedelta(minutes=2))
    if timezone.now() - last > allowed:
        raise NotReadyError(f"the last sweep ran at {last.isoformat()}: are worker and beat running?")


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "migrations": check_migrations,
    "broker": check_broker,
    "sweep": check_sweep,
}


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process lives and answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Every part works (200), or the names of those that do not (503). Reasons go to the log, not to the caller.

    Either way it says how old the last search for late deadlines is: null before the first, or without a database.
    """
    failing = [name for name, check in CHECKS.items() if not _passes(name, check)]
    age = None if "database" in failing else _sweep_age()
    found = {"status": "unavailable" if failing else "ok", "failing": failing, "sweep_age_seconds": age}
    return JsonResponse(found, status=503 if failing else 200)


def _sweep_age() -> int | None:
    try:
        last = reminders.last_sweep_at()
    except DatabaseError:  # its table is not there yet
        return None
    return max(int((timezone.now() - last).total_seconds()), 0) if last else None


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as error:
        logger.warning("Not ready: %s: %s", name, error)
        return False
    return True


PAGES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": healthz,
    "/readyz": readyz,
    "/metrics": metrics.page,
}


class HealthMiddleware:
    """Answers the probes before anything else looks at the request.

    A probe calls by address and over plain HTTP, so it must pass neither the check of host names nor the redirect to
    HTTPS; and it must be answered when sessions cannot be read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        page = PAGES.get(request.path)
        return page(request) if page else self.get_response(request)
