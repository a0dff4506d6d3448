"""How long a backup and a restore take, how large they are and how much memory they need; every row is compared.

    python benchmarks/backup.py [appeals]

Fills a scratch hub on PostgreSQL (beside the database of HUB_TEST_DATABASE_URL) with 100,000 appeals, each with a
file of 8 KiB, two deadlines, four events and a reminder. Then `manage.py backup`; `restore` into an empty PostgreSQL
database and into an empty SQLite one, each with an empty folder; and a backup of SQLite and its restore. After each
restore every row and every file is compared with the hub that was saved. Everything is removed at the end. It
also saves the same rows with Django's `dumpdata`, the way that is there without us.
Last figures, 2 cores: see docs/operations.md, "Backup".
"""

import filecmp
import json
import os
import random
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from tempfile import mkdtemp

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))
SERVER = os.environ.get("HUB_TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
NOW = datetime(2026, 10, 14, 12, 0, tzinfo=UTC)
FILE_BYTES = 8192
BATCH = 5000
WORDS = "заказ товар склад отчёт деньги акт баллы покупатель доставка удержание ответ".split()  # noqa: SIM905


def fill(count: int) -> None:
    """Runs in a process of its own: rows and files of a hub that has been in use."""
    import django  # noqa: PLC0415

    django.setup()
    from appeals.models import Shop  # noqa: PLC0415
    from hub.models import User  # noqa: PLC0415
    from marketplaces.models import Marketplace  # noqa: PLC0415

    user = User.objects.create_user("agent@example.com", full_name="Анна")
    shop = Shop.objects.create(name="Чай и чашки", marketplace=Marketplace.objects.get(slug="ozon"))
    chance = random.Random(1)
    for first in range(1, count + 1, BATCH):
        _batch(range(first, min(first + BATCH, count + 1)), shop.pk, user.pk, chance)


def _batch(numbers: range, shop: int, user: int, chance: random.Random) -> None:
    from django.conf import settings  # noqa: PLC0415
    from django.db import transaction  # noqa: PLC0415

    from appeals.models import Appeal, Attachment, Deadline, Event, Reminder  # noqa: PLC0415

    at = NOW - timedelta(days=30)
    terms = {"amount": 3, "unit": "working_days", "opening_hours": "24/7", "time_zone": "UTC", "country": "RU"}
    with transaction.atomic():
        appeals = Appeal.objects.bulk_create(
            Appeal(
                shop_id=shop,
                assignee_id=user,
                subject=f"Обращение {number}: {_text(chance, 4)}",
                body=_text(chance, 60),
                order_numbers=[f"{number}-1"],
                status="waiting",
                created_at=at,
                submitted_at=at,
            )
            for number in numbers
        )
        clocks = Deadline.objects.bulk_create(
            Deadline(appeal=one, kind=kind, started_at=at, due_at=NOW + timedelta(microseconds=one.pk), **terms)
            for one in appeals
            for kind in ("first_reply", "answer")
        )
        Event.objects.bulk_create(
            Event(appeal=one, kind=kind, at=at, recorded_at=at, text=_text(chance, 25), data={"n": one.pk})
            for one in appeals
            for kind in ("created", "submitted", "message", "edited")
        )
        Reminder.objects.bulk_create(
            Reminder(
                deadline=clock,
                due_at=clock.due_at,
                rung_at=NOW,
                role="assignee",
                address="agent@example.com",
                user_id=user,
                state="sent",
                sent_at=NOW,
                created_at=NOW,
                send_after=NOW,
                message_id=f"<{uuid.UUID(int=chance.getrandbits(128))}@hub>",
            )
            for clock in clocks[::2]
        )
        Attachment.objects.bulk_create(
            Attachment(
                appeal=one,
                file=_file(Path(settings.MEDIA_ROOT), one.pk, chance),
                name=f"акт {one.pk}.pdf",
                content_type="application/pdf",
                size=FILE_BYTES,
                sha256="",
                uploaded_by_id=user,
                created_at=at,
            )
            for one in appeals
        )


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words))


def _file(media: Path, appeal: int, chance: random.Random) -> str:
    name = f"attachments/{appeal}/{uuid.UUID(int=chance.getrandbits(128)).hex}"
    path = media / name
    path.parent.mkdir(parents=True)
    path.write_bytes(chance.randbytes(FILE_BYTES))
    return name


def print_rows() -> None:
    """Runs in a process of its own: every row of every table, in one spelling."""
    import django  # noqa: PLC0415

    django.setup()
    from django.apps import apps  # noqa: PLC0415

    from hub.backup import rows  # noqa: PLC0415

    for label, model in rows.copied(apps).items():
        names = [field.attname for field in rows.columns(model)]
        for row in model._base_manager.order_by("pk").values_list(*names).iterator(chunk_size=2000):
            print(label, json.dumps(json.loads(rows.line(row)), sort_keys=True))


class Hub:
    """A scratch hub: an empty data folder, and a database that is there but empty."""

    def __init__(self, folder: Path, name: str, *, postgres: bool) -> None:
        self.data, self._database = folder / name, f"hub_bench_{os.getpid()}_{name}" if postgres else ""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
        self.environment = kept | {"HUB_DATA_DIR": str(self.data), "DJANGO_SETTINGS_MODULE": "hub.settings"}
        self.environment.pop("DATABASE_URL", None)
        if postgres:
            self._server(f"CREATE DATABASE {self._database}")
            self.environment["DATABASE_URL"] = SERVER.rpartition("/")[0] + f"/{self._database}"

    def _server(self, statement: str) -> None:
        import psycopg  # noqa: PLC0415

        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(statement.encode())

    def remove(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        if self._database:
            self._server(f"DROP DATABASE IF EXISTS {self._database} WITH (FORCE)")

    def run(self, label: str, *arguments: str) -> None:
        """A command in a process of its own: seconds, and the most memory that it had."""
        began = time.monotonic()
        process = subprocess.Popen([sys.executable, *arguments], cwd=BASE, env=self.environment, stdout=-3)
        _pid, status, used = os.wait4(process.pid, 0)
        assert status == 0, f"{arguments} failed"
        took = time.monotonic() - began
        print(f"{label}: {took:.1f} s, {used.ru_maxrss // 1024} MB of memory at most", flush=True)

    def rows(self) -> "subprocess.Popen[str]":
        command = [sys.executable, __file__, "--rows"]
        return subprocess.Popen(command, cwd=BASE, env=self.environment, stdout=subprocess.PIPE, text=True)


def compare(saved: Hub, restored: Hub) -> None:
    """Row by row and file by file."""
    count = 0
    with saved.rows() as one, restored.rows() as other:
        for mine, theirs in zip_longest(one.stdout or (), other.stdout or ()):
            assert mine == theirs, f"{mine}\nis now\n{theirs}"
            count += 1
    assert (one.returncode, other.returncode) == (0, 0)
    names = sorted(_files(saved))
    assert names == sorted(_files(restored))
    folders = str(saved.data / "media"), str(restored.data / "media")
    _same, different, failed = filecmp.cmpfiles(*folders, names, shallow=False)
    assert (different, failed) == ([], [])
    print(f"  compared: {count:,} rows and {len(names):,} files are the same", flush=True)


def _files(hub: Hub) -> Iterator[str]:
    media = hub.data / "media"
    return (str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())


def main(appeals: int) -> None:
    folder = Path(mkdtemp(prefix="hub-backup-"))
    source = Hub(folder, "source", postgres=True)
    same, sqlite = Hub(folder, "same", postgres=True), Hub(folder, "sqlite", postgres=False)
    second = Hub(folder, "second", postgres=False)
    first, next_file, rival = str(folder / "first.tar"), str(folder / "second.tar"), str(folder / "rival.json")
    try:
        source.run("prepare", "manage.py", "up", "--only", "prepare")
        source.run(f"fill with {appeals:,} appeals", __file__, "--fill", str(appeals))
        source.run("PostgreSQL: backup", "manage.py", "backup", first)
        print(f"  {Path(first).stat().st_size:,} bytes")
        source.run("PostgreSQL: dumpdata, rows without files", "manage.py", "dumpdata", "--output", rival)
        print(f"  {Path(rival).stat().st_size:,} bytes")
        same.run("PostgreSQL: restore", "manage.py", "restore", first)
        compare(source, same)
        sqlite.run("SQLite: restore of the same file", "manage.py", "restore", first)
        compare(source, sqlite)
        sqlite.run("SQLite: backup", "manage.py", "backup", next_file)
        second.run("SQLite: restore", "manage.py", "restore", next_file)
        compare(sqlite, second)
    finally:
        for hub in (source, same, sqlite, second):
            hub.remove()
        shutil.rmtree(folder)


if __name__ == "__main__":
    if "--fill" in sys.argv:
        fill(int(sys.argv[2]))
    elif "--rows" in sys.argv:
        print_rows()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
