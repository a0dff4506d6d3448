from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from hub import terminal
from marketplaces import directory
from marketplaces.directory_file import DirectoryFileError


class Command(BaseCommand):
    help = "Brings the directory in step with the files of this release, keeping what the team edited."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(terminal.language()):
            try:
                report = directory.load(now=timezone.now(), dry_run=options["dry_run"])
            except DirectoryFileError as error:
                raise CommandError(_("Nothing was loaded.") + f"\n{error}") from error
            for line in report.lines():
                self.stdout.write(line)
