import gc
import logging
import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_after_setup, setup_logging
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
TRANSPORT_ALIASES["folder"] = "hub.broker:Transport"
app = Celery("hub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_djangos_logging(**kwargs: Any) -> None:
    """Celery sets up no logging of its own where somebody listens here; LOGGING of the settings stays as it is."""
    logging.captureWarnings(settings.LOG_FORMAT == "json")


@beat_init.connect
def sweep_at_once(**kwargs: Any) -> None:
    """Beat itself would wait for a whole interval, and after an outage some people have waited long enough."""
    app.send_task("appeals.tasks.sweep", expires=settings.SWEEP_SECONDS)


@celeryd_after_setup.connect
def look_for_cycles_less_often(**kwargs: Any) -> None:
    """As in hub.wsgi: a mail makes thousands of objects and no cycles. Before the processes of the pool are forked."""
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
