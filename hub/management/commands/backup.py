from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub import backup


class Command(BaseCommand):
    help = "Saves the database and the files of the appeals into one file, and reads it again to see that it is whole."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the file to make; it must not be there yet")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            summary = backup.dump(file.expanduser().absolute())
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{file}: {summary}.")
        if summary.missing:
            self.stderr.write(f"WARNING: {summary.missing} files of appeals are not on the file storage.")
