"""`manage.py backup` and `restore`: everything comes back, row by row and byte by byte, or nothing is changed."""

import gzip
import io
import json
import re
import shutil
import subprocess
import tarfile
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command, load_command_class
from django.core.management.base import BaseCommand
from django.db import connection, transaction
from pytest_django.fixtures import Settings

import hub
from appeals import lifecycle
from appeals.models import Appeal, Attachment, Event, Shop
from hub.backup import BackupError, archive, check, dump, load, rows
from hub.models import User
from hub.settings import BASE_DIR
from marketplaces.models import Marketplace
from tests.hub.running import manage

both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
NOW = datetime(2026, 10, 14, 12, 0, 0, 123456, tzinfo=UTC)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
Contents = dict[str, list[Any]]


@pytest.fixture
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def appeal(media: Path) -> Appeal:
    """One appeal with all that a row can hold: a file, JSON, money, microseconds, line ends and emoji."""
    agent = User.objects.create_user("agent@example.com", "secret", full_name="Анна")
    market = Marketplace.objects.create(slug="bazaar", name="Базар")
    shop = Shop.objects.create(name="Чай, «чашки» и 🫖", marketplace=market)
    appeal = lifecycle.create(
        actor=agent,
        now=NOW,
        shop=shop,
        subject="Деньги\tза\\возврат",
        body="строка\r\nещё \u2028 \\N \\. 🫖",
        order_numbers=["1-1", "ы"],
        amount_at_stake=Decimal("1234.50"),
    )
    lifecycle.attach(appeal=appeal, actor=agent, now=NOW, file=ContentFile(PICTURE), name="счёт.png")
    return lifecycle.submit(appeal=appeal, actor=agent, now=NOW)


def all_rows() -> Contents:
    return {
        label: list(model._base_manager.order_by("pk").values_list(*(field.attname for field in rows.columns(model))))
        for label, model in rows.copied(apps).items()
    }


def all_files(media: Path) -> dict[str, bytes]:
    return {str(path.relative_to(media)): path.read_bytes() for path in media.rglob("*") if path.is_file()}


def lose_everything(media: Path) -> None:
    with transaction.atomic():
        rows.clear(rows.tables(apps).values())
    shutil.rmtree(media)


@both
def test_everything_comes_back_and_new_rows_get_new_numbers(
    database: str, appeal: Appeal, media: Path, tmp_path: Path
) -> None:
    before, files, file = all_rows(), all_files(media), tmp_path / "hub.tar"
    written = dump(file)
    assert written.rows["appeals.appeal"] == written.files == 1
    assert file.stat().st_mode & 0o777 == 0o600
    lose_everything(media)

    assert load(file) == written

    assert connection.vendor == database
    assert all_rows() == before
    assert all_files(media) == files
    assert list(files.values()) == [PICTURE]
    assert User.objects.get().check_password("secret")
    again = lifecycle.create(actor=None, now=NOW, shop=Shop.objects.get(), subject="Next")
    assert again.pk > appeal.pk


@both
def test_what_is_there_is_replaced_only_if_asked(database: str, appeal: Appeal, media: Path, tmp_path: Path) -> None:
    before, files, file = all_rows(), all_files(media), tmp_path / "hub.tar"
    dump(file)
    lifecycle.attach(appeal=appeal, actor=None, now=NOW, file=ContentFile(b"later"), name="later.txt")
    next(path for path in media.rglob("*") if path.is_file() and path.read_bytes() == PICTURE).write_bytes(b"bad")
    with pytest.raises(BackupError, match="not empty"):
        load(file)
    assert Attachment.objects.count() == 2

    load(file, replace=True)

    assert all_rows() == before
    assert all_files(media) == files


@pytest.mark.parametrize("answer", ["", "yes"])
def test_the_command_asks_before_it_replaces(
    appeal: Appeal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    file = tmp_path / "hub.tar"
    call_command("backup", str(file), stdout=StringIO())
    Event.objects.create(appeal=appeal, kind="edited", at=NOW, recorded_at=NOW)
    monkeypatch.setattr("builtins.input", lambda: answer or connection.settings_dict["NAME"])
    restored = not answer
    if restored:
        call_command("restore", str(file), "--replace", stdout=StringIO())
    else:
        with pytest.raises(CommandError, match="Nothing was changed"):
            call_command("restore", str(file), "--replace", stdout=StringIO())
    assert Event.objects.filter(kind="edited").exists() is not restored


def parts(file: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(file) as tar:
        return [(part, (tar.extractfile(part) or io.BytesIO()).read()) for part in tar]


def rewrite(file: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    """The same tar with parts changed or left out."""
    before = parts(file)
    with tarfile.open(file, "w") as tar:
        for part, content in before:
            if (changed := change(part.name, content)) is not None:
                part.size = len(changed)
                tar.addfile(part, io.BytesIO(changed))


def spoil(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("spoiled", ["manifest.json", "tables/appeals.appeal/", "media/", "SHA256SUMS", "end.json"])
def test_a_damaged_part_is_named_and_nothing_is_changed(
    appeal: Appeal, media: Path, tmp_path: Path, spoiled: str
) -> None:
    file = tmp_path / "hub.tar"
    dump(file)
    rewrite(file, lambda name, content: spoil(content) if name.startswith(spoiled) else content)
    before, files = all_rows(), all_files(media)
    with pytest.raises(BackupError, match=re.escape(spoiled)):
        load(file, replace=True)
    assert (all_rows(), all_files(media)) == (before, files)


def test_a_file_that_is_cut_anywhere_is_refused(appeal: Appeal, tmp_path: Path) -> None:
    file, cut = tmp_path / "hub.tar", tmp_path / "cut.tar"
    dump(file)
    whole = file.read_bytes()
    content = len(whole.rstrip(b"\0"))  # what follows is padding
    for length in [*range(0, content, content // 40), content - 1]:
        cut.write_bytes(whole[:length])
        with pytest.raises(BackupError):
            check(cut)
    cut.write_bytes(whole[: whole.index(PICTURE) + 100])
    with pytest.raises(BackupError, match="media/attachments"):
        check(cut)


def test_a_part_left_out_or_added_is_named(appeal: Appeal, tmp_path: Path) -> None:
    file = tmp_path / "hub.tar"
    dump(file)
    rewrite(file, lambda name, content: None if name.startswith("media/") else content)
    with pytest.raises(BackupError, match=r"damaged|not there"):
        check(file)


@pytest.mark.parametrize("content", [b"", b"no tar", b"\0" * 10240])
def test_another_file_is_no_backup(db: None, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(BackupError, match=r"is no backup|beginning"):
        check(tmp_path / "other")
    with pytest.raises(BackupError, match="cannot be read"):
        check(tmp_path / "nowhere")


def resealed(file: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A whole backup with another manifest."""
    old = parts(file)
    manifest = json.loads(old[0][1])
    change(manifest)
    del manifest["format"]
    path = tmp_path / "resealed.tar"
    with path.open("wb") as output, archive.Writer(output) as made:
        made.begin(manifest)
        for part, content in old[1:-2]:
            made.add_bytes(part.name, content)
        end = json.loads(old[-1][1])
        made.summary = archive.Summary(end["rows"], end["files"], end["file_bytes"], end["missing"])
        made.close()
    return path


def test_a_backup_of_a_newer_release_is_refused(appeal: Appeal, tmp_path: Path) -> None:
    file = tmp_path / "hub.tar"
    dump(file)
    newer = resealed(file, tmp_path, lambda manifest: manifest["migrations"].append(["appeals", "9999_later"]))
    with pytest.raises(BackupError, match=r"newer release.*appeals\.9999_later"):
        load(newer, replace=True)


def test_a_backup_of_an_older_release_does_not_replace(appeal: Appeal, tmp_path: Path) -> None:
    file = tmp_path / "hub.tar"
    dump(file)
    older = resealed(file, tmp_path, lambda manifest: manifest["migrations"].remove(["appeals", "0008_saved_view"]))
    with pytest.raises(BackupError, match="older release"):
        load(older, replace=True)


@both
def test_a_restore_that_fails_half_way_leaves_everything_as_it_was(
    database: str, appeal: Appeal, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hub.tar"
    dump(file)
    lifecycle.attach(appeal=appeal, actor=None, now=NOW, file=ContentFile(b"later"), name="later.txt")
    before, files = all_rows(), all_files(media)
    monkeypatch.setattr(connection, "check_constraints", lambda: connection.cursor().execute("SELECT nonsense"))
    with pytest.raises(BackupError, match="does not take it"):
        load(file, replace=True)
    monkeypatch.undo()
    assert all_rows() == before
    assert all_files(media) == files


def test_a_file_that_cannot_be_put_back_is_named_and_the_others_are_put_back(
    appeal: Appeal, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hub.tar"
    for name in ("b.txt", "c.txt"):
        lifecycle.attach(appeal=appeal, actor=None, now=NOW, file=ContentFile(b"kept"), name=name)
    dump(file)
    first, *others = [str(kept.file.name) for kept in Attachment.objects.order_by("file")]
    for kept in others:
        (media / kept).write_bytes(b"ours")
    delete = default_storage.delete

    def stuck(name: str) -> None:
        if name == first and broken:
            raise PermissionError(13, "Permission denied", name)
        delete(name)

    broken: list[bool] = []
    monkeypatch.setattr(default_storage, "delete", stuck)

    def fail() -> None:
        broken.append(True)
        connection.cursor().execute("nonsense")

    monkeypatch.setattr(connection, "check_constraints", fail)
    with pytest.raises(BackupError, match="does not take it") as error:
        load(file, replace=True)
    assert first in str(error.value)
    assert "replaced/" in str(error.value)
    assert [(media / kept).read_bytes() for kept in others] == [b"ours"] * len(others)


def test_a_file_that_is_gone_is_told_and_the_rest_is_saved(appeal: Appeal, media: Path, tmp_path: Path) -> None:
    shutil.rmtree(media)
    told = StringIO()
    call_command("backup", str(tmp_path / "hub.tar"), stdout=StringIO(), stderr=told)
    assert "1 files of appeals are not on the file storage" in told.getvalue()
    assert check(tmp_path / "hub.tar")[1].missing == 1


def test_a_backup_replaces_no_file_and_leaves_no_half_of_one(
    appeal: Appeal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "saved" / "hub.tar"
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("backup", str(file))
    file.parent.mkdir()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.Writer, "add_bytes", full)
    with pytest.raises(BackupError, match="No space left"):
        dump(file)
    assert list(file.parent.iterdir()) == []
    file.touch()
    with pytest.raises(BackupError, match="there already"):
        dump(file)


def test_the_standard_tools_can_check_it(appeal: Appeal, tmp_path: Path) -> None:
    dump(tmp_path / "hub.tar")
    subprocess.run(["tar", "xf", "hub.tar"], cwd=tmp_path, check=True)
    done = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"appeals.appeal/000001.jsonl.gz: OK" in done.stdout


def contents(file: Path) -> Contents:
    """Every row of a backup by table."""
    found: Contents = {}
    for part, content in parts(file):
        if part.name.startswith("tables/"):
            lines = gzip.decompress(content).splitlines()
            found.setdefault(part.name.split("/")[1], []).extend(json.loads(line) for line in lines)
    return found


@pytest.mark.postgres
def test_a_hub_moves_from_sqlite_to_postgresql_and_back(
    ready: dict[str, str], postgres_url: str, tmp_path: Path
) -> None:
    def command(environment: dict[str, str], *arguments: str) -> str:
        done = manage(environment, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    first, second = str(tmp_path / "first.tar"), str(tmp_path / "second.tar")
    command(ready, "backup", first)
    moved = ready | {"DATABASE_URL": postgres_url, "HUB_DATA_DIR": str(tmp_path / "moved")}
    assert "Restored: " in command(moved, "restore", first)
    command(moved, "backup", second)
    assert len(contents(Path(first))["marketplaces.channel"]) > 10
    assert contents(Path(first)) == contents(Path(second))
    assert "Restored: " in command(ready | {"HUB_DATA_DIR": str(tmp_path / "back")}, "restore", second)


def test_a_backup_tells_the_release() -> None:
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())
    assert hub.__version__ == project["project"]["version"]


def test_both_commands_are_found_and_say_what_they_do() -> None:
    for name in ("backup", "restore"):
        found: BaseCommand = load_command_class("hub", name)
        assert "files" in found.help
