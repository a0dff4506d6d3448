from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from marketplaces.directory_export import export
from marketplaces.models import Marketplace


class Command(BaseCommand):
    help = "Writes what the directory knows of a marketplace as a directory.toml."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the marketplace, ozon for example")

    def handle(self, *args: Any, **options: Any) -> None:
        known = list(Marketplace.objects.values_list("slug", flat=True))
        if options["slug"] not in known:
            raise CommandError(f"no such marketplace: {options['slug']}. Known: {', '.join(known) or 'none'}.")
        self.stdout.write(export(slug=options["slug"], now=timezone.now()), ending="")
