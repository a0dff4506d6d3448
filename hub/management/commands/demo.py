from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone, translation

from hub import demo
from marketplaces.models import Marketplace


class Command(BaseCommand):
    help = "Fills an empty hub with a made-up team, its shops and its appeals."

    def handle(self, *args: Any, **options: Any) -> None:
        if not Marketplace.objects.exists():
            raise CommandError("The directory is empty: run load_directory first.")
        if not demo.is_empty():
            self.stdout.write("demo: the hub holds work already, nothing is added")
            return
        with translation.override("ru"), transaction.atomic():
            count = demo.fill(now=timezone.now())
        self.stdout.write(f"demo: {count} appeals, {len(demo.SHOPS)} shops, {len(demo.PEOPLE)} people")
        self.stdout.write(f"demo: log in as {', '.join(demo.PEOPLE)}; password {demo.PASSWORD}")
