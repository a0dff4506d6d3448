from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from hub import backup, startup


class Command(BaseCommand):
    help = "Brings back what `backup` saved: rows and files, into an empty database or in place of what is there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that `backup` has made")
        parser.add_argument("--check", action="store_true", help="only read the file and tell whether it is whole")
        parser.add_argument("--replace", action="store_true", help="lose what the database holds now; asks first")
        parser.add_argument("--yes", action="store_true", help="with --replace: do not ask")

    def handle(self, *args: Any, file: Path, check: bool, replace: bool, yes: bool, **options: Any) -> None:
        path = file.expanduser().absolute()
        try:
            if check:
                self._check(path)
            else:
                self._restore(path, replace, yes)
        except backup.BackupError as error:
            raise CommandError(str(error)) from error

    def _check(self, path: Path) -> None:
        manifest, summary = backup.check(path)
        self.stdout.write(f"Made {manifest['made_at']} by hub {manifest['hub']} on {manifest['database']}.")
        self.stdout.write(f"The file is whole: {summary}.")

    def _restore(self, path: Path, replace: bool, yes: bool) -> None:
        with startup.lock_data_folder():  # no hub of this folder may run meanwhile
            startup.check_services()
            if replace and not yes:
                self._ask()
            summary = backup.load(path, replace=replace, tell=self.stdout.write)
        self.stdout.write(f"Restored: {summary}.")

    def _ask(self) -> None:
        name = connection.settings_dict["NAME"]
        self.stdout.write(f"Everything in the database {name} and its files will be lost. Type its name to go on:")
        if input().strip() != str(name):
            raise CommandError("Nothing was changed.")
