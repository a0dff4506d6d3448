"""Makes real workers of the hub as fast as a test kills them: a line read is a Celery worker forked, its pid printed.

    python -m tests.races.nursery

Their patience is short, so that a round takes seconds: claims end soon, pauses are short, and a server that stalls is
given up.
"""

import ctypes
import os
import signal
import sys
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402

from appeals import delivery, planning  # noqa: E402
from hub.celery import app  # noqa: E402

LEASE = timedelta(seconds=4)
PR_SET_PDEATHSIG = 1


def work() -> None:
    """A worker that dies with the nursery."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(2, 1)  # the nursery alone answers
    quiet = ["--without-mingle", "--without-gossip", "--without-heartbeat", "--loglevel", "ERROR"]
    app.worker_main(["worker", "--pool", "solo", "--hostname", f"w{os.getpid()}@test", *quiet])


def main() -> None:
    planning.LEASE = LEASE
    delivery.FIRST_PAUSE, delivery.LONGEST_PAUSE = timedelta(seconds=0.2), timedelta(seconds=1)
    settings.EMAIL_TIMEOUT = 1
    app.loader.import_default_modules()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        print(pid, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
