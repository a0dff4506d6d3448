from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from appeals import recompute
from marketplaces.models import Marketplace


class Command(BaseCommand):
    help = "Brings running deadlines up to the directory and the production calendar as they are now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--marketplace", metavar="SLUG", help="only the deadlines of this marketplace")
        parser.add_argument("--dry-run", action="store_true", help="say what would move, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        run = recompute.preview if options["dry_run"] else recompute.apply
        effect = run(now=timezone.now(), marketplace_id=self._marketplace(options["marketplace"]))
        would = "would " if options["dry_run"] else ""
        self.stdout.write(
            f"{effect.examined} running deadlines: {effect.moved} {would}move,"
            f" {effect.become_late} {would}become late by it, {effect.no_longer_late} {would}be late no longer"
        )

    def _marketplace(self, slug: str | None) -> int | None:
        if slug is None:
            return None
        try:
            return Marketplace.objects.get(slug=slug).pk
        except Marketplace.DoesNotExist as error:
            known = ", ".join(Marketplace.objects.values_list("slug", flat=True))
            raise CommandError(f"--marketplace: no such marketplace: {slug}. Known: {known or 'none'}.") from error
