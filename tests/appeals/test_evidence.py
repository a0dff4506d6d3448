"""The pack for a lawyer: the same bytes each time, hashes that verify, and nothing for strangers."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from docx import Document

from appeals import evidence, lifecycle, reminders, undo
from appeals.models import Appeal, Attachment, Event, Reminder
from hub.models import User
from tests.appeals.conftest import moscow

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
NOW = moscow("2026-10-20 12:00")


@pytest.fixture
def matter(sent: Appeal, agent: User) -> list[Appeal]:
    """An appeal with a file and a stock phrase, and the one that continues it."""
    attach(sent, agent, PNG, "Снимок: «оплата»?.png")
    lifecycle.edit(appeal=sent, actor=agent, now=moscow("2026-10-05 11:00"), body="По отчёту 15 000 ₽ не пришли.")
    lifecycle.record_reply(
        appeal=sent, actor=agent, now=moscow("2026-10-06 10:00"), kind="brush_off", text="Всё верно.\r\nСправка."
    )
    again = lifecycle.create(
        actor=agent, now=moscow("2026-10-12 10:00"), shop=sent.shop, subject="Повторно", previous=sent
    )
    lifecycle.submit(appeal=again, actor=agent, now=moscow("2026-10-12 10:00"), external_number="31400001")
    return list(Appeal.objects.select_related("shop__marketplace", "topic", "channel").order_by("pk"))


def attach(appeal: Appeal, agent: User, content: bytes, name: str) -> None:
    file = ContentFile(content, name=name)
    lifecycle.attach(appeal=appeal, actor=agent, now=moscow("2026-10-05 10:30"), file=file, name=name)


def packed(appeals: list[Appeal]) -> bytes:
    file = BytesIO()
    evidence.write(appeals, file)
    return file.getvalue()


def opened(pack: bytes) -> tuple[ZipFile, dict[str, Any]]:
    archive = ZipFile(BytesIO(pack))
    assert archive.testzip() is None
    return archive, json.loads(archive.read("manifest.json"))


def test_two_packs_of_the_same_data_are_the_same_bytes(matter: list[Appeal]) -> None:
    with translation.override("en"), timezone.override("Asia/Vladivostok"):
        first = packed(matter)
    with translation.override("ru"):
        assert packed(matter[::-1]) == first


def test_taking_a_pack_is_noted_and_does_not_change_the_next_one(matter: list[Appeal], agent: User) -> None:
    packs = []
    for now in (NOW, NOW + timedelta(days=3)):
        with evidence.take(appeals=matter, actor=agent, now=now) as file:
            packs.append(file.read())
    assert packs[0] == packs[1]
    assert Event.objects.filter(kind="exported", actor=agent).count() == 2 * len(matter)


def test_every_file_is_in_the_manifest_with_a_hash_that_verifies(matter: list[Appeal]) -> None:
    archive, manifest = opened(packed(matter))
    entries = {one["path"]: one for one in manifest["entries"]}
    assert {*archive.namelist()} == {*entries, "manifest.json"}
    for path, entry in entries.items():
        content = archive.read(path)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["size"], entry["sha256"])
    [file] = [one for one in entries.values() if one["kind"] == "file"]
    assert file["sha256"] == file["sha256_when_added"] == hashlib.sha256(PNG).hexdigest()
    listed = re.findall(r"^([0-9a-f]{64})  (.+)$", archive.read("manifest.txt").decode("utf-8-sig"), re.MULTILINE)
    assert {path: digest for digest, path in listed} == {
        path: one["sha256"] for path, one in entries.items() if path != "manifest.txt"
    }


def test_it_holds_the_chronology_the_texts_whole_and_the_files(matter: list[Appeal]) -> None:
    archive, manifest = opened(packed(matter))
    first, again = (appeal.pk for appeal in matter)
    texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist() if name.endswith(".txt")}
    assert "По отчёту 15 000 ₽ не пришли." in texts[f"texts/No{first}-0-appeal.txt"]
    [reply] = [text for name, text in texts.items() if name.endswith("-reply.txt")]
    assert reply.endswith("Всё верно.\nСправка.\n")
    assert "06.10.2026 10:00, маркетплейс" in reply
    assert archive.read(f"files/No{first}/01-Снимок_ «оплата»_.png") == PNG
    document = Document(BytesIO(archive.read("chronology.docx")))
    cells = "\n".join(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    assert "31400001" in cells
    assert "Всё верно." in cells
    assert "3\u00a0рабочих дня (test)" in cells
    assert [one["number"] for one in manifest["appeals"]] == [first, again]


def test_entries_carry_the_time_of_what_they_hold(matter: list[Appeal]) -> None:
    archive, _manifest = opened(packed(matter))
    [reply] = [info for info in archive.infolist() if info.filename.endswith("-reply.txt")]
    assert reply.date_time == (2026, 10, 6, 10, 0, 0)
    assert all(info.date_time < (2026, 10, 20) for info in archive.infolist())


def test_reminders_that_were_sent_stand_in_it_with_their_message_ids(sent: Appeal, agent: User) -> None:
    reminders.sweep(moscow("2026-10-13 09:00"))
    row = Reminder.objects.filter(deadline__appeal=sent).first()
    assert row is not None
    row.state, row.sent_at, row.message_id = "sent", moscow("2026-10-13 09:01"), "<reminder.1@example.com>"
    row.save()
    archive, _manifest = opened(packed([sent]))
    mail = archive.read(f"mail/No{sent.pk}-reminders.txt").decode("utf-8-sig")
    assert "13.10.2026 09:01 — agent@example.com" in mail
    assert "Message-ID: <reminder.1@example.com>" in mail


def test_a_file_that_is_gone_is_named_and_the_rest_is_there(matter: list[Appeal]) -> None:
    attachment = matter[0].attachments.get()
    Path(attachment.file.path).unlink()
    archive, manifest = opened(packed(matter))
    [missing] = manifest["missing"]
    assert missing["path"].startswith(f"files/No{matter[0].pk}/01-")
    assert missing["sha256_when_added"] == attachment.sha256
    assert missing["path"] not in archive.namelist()
    assert missing["path"] in archive.read("manifest.txt").decode("utf-8-sig")
    assert "chronology.docx" in archive.namelist()


def test_a_file_that_was_changed_in_the_storage_is_pointed_at(matter: list[Appeal]) -> None:
    Path(matter[0].attachments.get().file.path).write_bytes(b"something else")
    archive, _manifest = opened(packed(matter))
    assert "НЕ тот файл" in archive.read("manifest.txt").decode("utf-8-sig")


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("отчёт.pdf", "отчёт.pdf"),
        ("../../etc/passwd", "_._etc_passwd"),
        ("C:\\scan?.png", "C_scan_.png"),
        ("CON.txt", "_CON.txt"),
        ("a\x00b\nc.txt", "a_b_c.txt"),
        ("...", "file"),
        ("д" * 300 + ".pdf", "д" * 96 + ".pdf"),
        ("scan.pdf. ", "scan.pdf"),
    ],
)
def test_names_of_files_are_made_safe(given: str, safe: str) -> None:
    assert evidence.safe_name(given) == safe


def test_files_of_one_name_stand_side_by_side(sent: Appeal, agent: User) -> None:
    for _again in range(2):
        attach(sent, agent, PNG, "Scan.png")
    archive, _manifest = opened(packed([sent]))
    assert sorted(name for name in archive.namelist() if name.startswith("files/")) == [
        f"files/No{sent.pk}/01-Scan.png",
        f"files/No{sent.pk}/02-Scan.png",
    ]


def test_a_large_file_is_never_whole_in_memory(sent: Appeal, agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    attach(sent, agent, b"\x89PNG\r\n\x1a\n" + b"\x00" * 300_000, "big.png")
    asked: list[int] = []

    class Watched(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size or -1)
            return super().read(size)

    def opener(attachment: Attachment) -> Callable[[], Watched]:
        return lambda: Watched(Path(attachment.file.path).read_bytes())

    monkeypatch.setattr(evidence, "_opener", opener)
    archive, _manifest = opened(packed([sent]))
    assert archive.getinfo(f"files/No{sent.pk}/01-big.png").file_size == 300_008
    assert len(asked) >= 5
    assert 0 < max(asked) <= 64 * 1024


def test_a_draft_without_anything_has_a_pack_too(draft: Appeal) -> None:
    archive, manifest = opened(packed([draft]))
    assert manifest["as_of"] == draft.created_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    assert f"texts/No{draft.pk}-0-appeal.txt" in archive.namelist()


@pytest.fixture
def ours(client: Client, agent: User) -> Client:
    agent.groups.add(Group.objects.get(name="agent"))
    client.force_login(agent)
    return client


def test_the_page_gives_the_pack_of_one_appeal_or_of_the_matter(ours: Client, matter: list[Appeal]) -> None:
    url = reverse("admin:appeals_appeal_evidence", args=[matter[0].pk])
    assert url in ours.get(matter[0].get_absolute_url()).content.decode()
    for query, count in (({}, 1), ({"matter": "1"}, 2)):
        answer = ours.get(url, query)
        assert answer.headers["Content-Type"] == "application/zip"
        _archive, manifest = opened(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
        assert len(manifest["appeals"]) == count
    assert "evidence-matter-" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("query", ["", "?matter=1"])
def test_a_stranger_gets_nothing(client: Client, matter: list[Appeal], query: str) -> None:
    stranger = User.objects.create_user("stranger@example.com")
    stranger.groups.add(Group.objects.get(name="agent"))
    client.force_login(stranger)
    answer = client.get(reverse("admin:appeals_appeal_evidence", args=[matter[0].pk]) + query)
    assert answer.status_code == 404
    assert not Event.objects.filter(kind="exported").exists()


def test_the_earliest_time_of_a_zip_is_kept_to(matter: list[Appeal]) -> None:
    Appeal.objects.filter(pk=matter[0].pk).update(submitted_at=datetime(1970, 1, 1, tzinfo=UTC))
    old = Appeal.objects.select_related("shop__marketplace").get(pk=matter[0].pk)
    archive, _manifest = opened(packed([old]))
    assert archive.getinfo(f"texts/No{old.pk}-0-appeal.txt").date_time == (1980, 1, 1, 0, 0, 0)


def test_what_was_noted_by_mistake_is_there_and_says_so(sent: Appeal, agent: User) -> None:
    at = moscow("2026-10-06 10:00")
    lifecycle.record_reply(appeal=sent, actor=agent, now=at, kind="answer", text="Не то окно.")
    undo.undo(appeal=sent, actor=agent, now=at + timedelta(minutes=1))
    archive, _manifest = opened(packed([Appeal.objects.select_related("shop__marketplace").get(pk=sent.pk)]))
    [reply] = [archive.read(name).decode("utf-8-sig") for name in archive.namelist() if name.endswith("-reply.txt")]
    assert reply.startswith("Маркетплейс ответил: ответ по существу (отменено)")
