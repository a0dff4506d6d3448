import contextlib
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from hub import metrics, startup, supervisor
from hub.terminal import gettext as _

WEB_MUST_ANSWER_IN_SECONDS = 90


class Command(BaseCommand):
    help = (
        "Prepares the data folder and the database, then runs the whole hub (web, worker and beat) until Ctrl-C."
        " Containers run one part each, with --only."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only",
            choices=["prepare", *supervisor.PARTS],
            help="prepare the data and end; or become this one part, on data that are prepared",
        )
        parser.add_argument("--demo", action="store_true", help="fill an empty database with a believable team")
        parser.add_argument(
            "--stop-with-parent", action="store_true", help="stop when the process that started this one is gone"
        )

    def handle(self, *args: Any, only: str | None, demo: bool, stop_with_parent: bool, **options: Any) -> None:
        parent = os.getppid() if stop_with_parent else None
        try:
            if only in supervisor.PARTS:
                become(only)
            with startup.lock_data_folder() as lock:
                self._prepare(demo, listening=only is None)
                if only is None:
                    self._run(supervisor.ProcessTree(settings.DATA_DIR / "log", self._tell, lock.fileno(), parent))
        except KeyboardInterrupt:
            self._tell(_("Stopped."))
            sys.exit(130)

    def _prepare(self, demo: bool, listening: bool) -> None:
        self._tell(_("Seller support hub"))
        self._stage(_("data folder"), lambda: str(settings.DATA_DIR))
        if listening:
            startup.check_port()
        startup.check_services()
        self._stage(_("database"), startup.migrate)
        startup.refuse_demo(demo)
        self._stage(_("directory"), startup.load_directory)
        self._stage(_("static files"), startup.static_files)
        self._stage(_("administrator"), startup.first_administrator)
        if demo:
            self._stage(_("demonstration"), startup.demo)
        self._stage(_("mail"), startup.mail)
        connection.close()

    def _run(self, tree: supervisor.ProcessTree) -> None:
        with tree:
            logs = _("%(parts)s; their logs are in %(folder)s")
            words = {"parts": ", ".join(supervisor.PARTS), "folder": tree.log_folder}
            self._stage(_("processes"), lambda: logs % words)
            metrics.clean()
            tree.start()
            ended = tree.watch(until=web_answers_in_time())
            if not ended and not tree.asked_to_stop:
                self._tell(_("Ctrl-C ends everything. Open %(address)s") % {"address": startup.address_to_open()})
                ended = tree.watch()
            if ended:
                self._tell_crash(ended)
        metrics.clean()
        if ended:
            sys.exit(1)
        self._tell(_("Stopped."))

    def _tell_crash(self, part: supervisor.Part) -> None:
        words = {"name": part.name, "how": part.how_it_ended(), "log": part.log}
        self.stderr.write(_("The %(name)s process ended by itself (%(how)s), so everything ends.") % words)
        self.stderr.write(_("Its last lines, from %(log)s:") % words)
        for line in part.last_lines:
            self.stderr.write(f"  {line}")

    def _stage(self, name: str, work: Callable[[], str]) -> None:
        """One line of progress: the name while the stage is at work, then what it did."""
        self._tell(f"  {name:<15}", ending="")
        try:
            result = work()
        except BaseException:
            self._tell("")
            raise
        self._tell(result.replace("\n", f"\n{'':17}"))

    def _tell(self, text: str, ending: str = "\n") -> None:
        """Nobody may be reading any more; that is no reason to stop."""
        with contextlib.suppress(OSError):
            self.stdout.write(text, ending=ending)
            self.stdout.flush()


def become(part: str) -> NoReturn:
    """Replaces this process by `part`, so that it gets the signals of its container itself."""
    if part == "web":
        startup.static_files()
        metrics.clean()
    os.chdir(settings.BASE_DIR)
    arguments = supervisor.command(part)
    os.execv(arguments[0], arguments)  # noqa: S606


def web_answers_in_time() -> Callable[[], bool]:
    deadline = time.monotonic() + WEB_MUST_ANSWER_IN_SECONDS

    def answers() -> bool:
        if time.monotonic() > deadline:
            raise CommandError(f"The web server did not answer within {WEB_MUST_ANSWER_IN_SECONDS} seconds.")
        return startup.web_answers()

    return answers
