"""Makes real workers of the hub as fast as a test kills them: a line read is a Celery worker forked, its pid printed.

    python -m tests.races.nursery <journal>

Their patience is short, so that a round takes seconds: claims end soon, pauses are short, and a server that stalls is
given up. Each worker greets the mail server by its pid, and writes into the journal what the server took of it as soon
as it hears so: "<pid> <monotonic time> <Message-ID>".
"""

import ctypes
import os
import signal
import sys
import time
from datetime import date, timedelta

import django

django.setup()

import celery.bin.celery  # noqa: E402
import celery.concurrency.solo  # noqa: E402
import celery.worker  # noqa: E402, F401
import kombu.transport.redis  # noqa: E402, F401
from django.conf import settings  # noqa: E402
from django.core.mail import EmailMessage  # noqa: E402
from django.core.mail.backends import smtp  # noqa: E402, F401
from django.core.mail.utils import DNS_NAME  # noqa: E402
from django.template.loader import get_template  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import translation  # noqa: E402

from appeals import delivery, planning  # noqa: E402
from appeals.post import Postbox  # noqa: E402
from hub.celery import app  # noqa: E402
from marketplaces.calendars import production_calendar  # noqa: E402
from marketplaces.opening_hours import opening_hours  # noqa: E402

LEASE = timedelta(seconds=6)  # longer than a busy machine needs for one mail
PR_SET_PDEATHSIG = 1


def work() -> None:
    """A worker that dies with the nursery."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(2, 1)  # the nursery alone answers
    DNS_NAME._fqdn = f"{os.getpid()}.example.com"
    quiet = ["--without-mingle", "--without-gossip", "--without-heartbeat", "--loglevel", "ERROR"]
    app.worker_main(["worker", "--pool", "solo", "--hostname", f"w{os.getpid()}@test", *quiet])


def keep_a_journal(path: str) -> None:
    """Whatever becomes of a worker a moment later, it is known that it heard the server's 250."""
    journal, send = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), Postbox.send

    def send_and_note(self: Postbox, message: EmailMessage) -> None:
        send(self, message)
        os.write(journal, f"{os.getpid()} {time.monotonic()} {message.extra_headers['Message-ID']}\n".encode())

    Postbox.send = send_and_note  # type: ignore[method-assign]


def warm_up() -> None:
    """What every worker would read for itself before its first mail."""
    app.loader.import_default_modules()
    production_calendar("RU").is_working_day(date(2026, 1, 1))
    opening_hours("24/7", settings.TIME_ZONE, "RU")
    with translation.override("ru"):
        reverse("admin:index")
        for name in ("digest.html", "digest.txt"):
            get_template(f"emails/{name}")


def main() -> None:
    planning.LEASE = LEASE
    delivery.FIRST_PAUSE, delivery.LONGEST_PAUSE = timedelta(seconds=0.2), timedelta(seconds=1)
    settings.EMAIL_TIMEOUT = 1
    keep_a_journal(sys.argv[1])
    warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        print(pid, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
