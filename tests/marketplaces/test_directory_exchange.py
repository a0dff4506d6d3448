"""A marketplace as a `directory.toml`: what is exported can be read again, here and elsewhere."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from hub.models import User
from marketplaces import directory, history
from marketplaces.directory_export import export
from marketplaces.directory_file import DirectoryFileError, read_directory, read_shared
from marketplaces.directory_import import import_text
from marketplaces.directory_report import Outcome
from marketplaces.models import (
    Channel,
    DirectoryChange,
    EscalationStep,
    Marketplace,
    ResponseTarget,
    Rule,
    ShippedFact,
    Source,
    Topic,
)

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
PLATFORMS = ["aliexpress", "ozon", "wildberries", "yandex_market"]
MODELS: list[Any] = [Rule, EscalationStep, ResponseTarget, Channel, Topic, Marketplace, Source, ShippedFact]


@pytest.fixture
def shipped(editor: User) -> None:
    directory.load(now=NOW)


def changed(text: str, editor: User, **options: Any) -> dict[str, Outcome]:
    report = import_text(text=text, name="given.toml", now=NOW, actor=editor, **options)
    changes = [change for change in report.changes if change.outcome is not Outcome.UNCHANGED]
    return {f"{change.kind} {change.key}": change.outcome for change in changes}


def values(slug: str) -> dict[tuple[str, str], Any]:
    """All that is known of a marketplace, by kind and key."""
    rows: list[Any] = [Marketplace.objects.get(slug=slug)]
    for model in MODELS[:5]:
        rows += model.objects.filter(marketplace__slug=slug)
    return {(history.kind_of(row).name, getattr(row, "key", slug)): history.values_of(row) for row in rows}


@pytest.mark.parametrize("slug", PLATFORMS)
def test_what_is_exported_passes_the_checks_and_changes_nothing_here(
    shipped: None, editor: User, slug: str, tmp_path: Path
) -> None:
    text = export(slug=slug, now=NOW)
    (tmp_path / "out.toml").write_text(text)
    read_directory(tmp_path / "out.toml", read_shared(directory.SHARED_FILE))
    assert changed(text, editor) == {}
    assert export(slug=slug, now=NOW) == text


@pytest.mark.parametrize("slug", PLATFORMS)
def test_another_installation_reads_the_same(shipped: None, editor: User, slug: str) -> None:
    text, before = export(slug=slug, now=NOW), values(slug)
    for model in MODELS:
        model.objects.all().delete()
    directory.load(now=NOW, files=[])  # what all platforms share
    assert set(changed(text, editor).values()) == {Outcome.CREATED}
    assert values(slug) == before


def test_what_the_team_entered_comes_back_as_its_own(shipped: None, editor: User, tmp_path: Path) -> None:
    ozon = Marketplace.objects.get(slug="ozon")
    words = {"marketplace": ozon, "source": "наш звонок, 5 мая", "source_grade": "B", "verified_on": date(2026, 5, 5)}
    topic = Topic.objects.create(slug="ozon-fines", name="Штрафы", examples=["Штраф"], good_appeal="Так", **words)
    own = Channel.objects.create(
        kind="chat",
        name='Наш "чат"\\ с\nпереносом \x7f',
        address="https://ozon.example/chat",
        state="working",
        first_reply_typical=timedelta(minutes=5),
        contradicts=Channel.objects.get(marketplace=ozon, key="seller-chat"),
        **words,
    )
    own.topics.add(topic)
    special = {"priority": "urgent", "is_complex": True}
    ResponseTarget.objects.create(kind="answer", topic=topic, channel=own, amount=2, unit="hours", **special, **words)
    text = export(slug="ozon", now=NOW)
    (tmp_path / "out.toml").write_text(text)
    read_directory(tmp_path / "out.toml", read_shared(directory.SHARED_FILE))
    before = export(slug="ozon", now=NOW)

    assert changed(text, editor) == {}
    edited = text.replace("https://ozon.example/chat", "https://ozon.example/new")
    assert changed(edited, editor) == {f"channel #{own.pk}": Outcome.UPDATED}
    own.refresh_from_db()
    assert (own.address, own.key, own.source) == ("https://ozon.example/new", "", "наш звонок, 5 мая")
    own.address = "https://ozon.example/chat"
    own.save()
    assert export(slug="ozon", now=NOW) == before


def test_rows_of_another_installation_are_not_taken_for_ours(shipped: None, editor: User, settings: Any) -> None:
    ozon = Marketplace.objects.get(slug="ozon")
    own = Channel.objects.create(
        marketplace=ozon, kind="chat", name="Наш", source="S1w", address="https://a.example", state="working"
    )
    text = export(slug="ozon", now=NOW).replace("https://a.example", "https://theirs.example")
    settings.SECRET_KEY = "another installation with a key of its own"
    assert set(changed(text, editor).values()) == {Outcome.CREATED}
    own.refresh_from_db()
    assert own.address == "https://a.example"
    assert Channel.objects.filter(marketplace=ozon, address="https://theirs.example").count() == 1


def test_an_import_is_an_edit_with_its_author_and_releases_are_still_offered(shipped: None, editor: User) -> None:
    text = export(slug="ozon", now=NOW)
    row = Channel.objects.get(marketplace__slug="ozon", key="seller-chat")
    facts = list(ShippedFact.objects.order_by("pk").values())
    assert changed(text.replace(row.address, "https://ours.example"), editor) == {
        "channel seller-chat": Outcome.UPDATED
    }
    line = DirectoryChange.objects.of("channel", row.pk)[0]
    assert (line.action, line.actor) == ("imported", editor)
    assert line.changes == {"address": [row.address, "https://ours.example"]}
    assert list(ShippedFact.objects.order_by("pk").values()) == facts


def test_what_the_file_does_not_mention_stays(shipped: None, editor: User) -> None:
    text = export(slug="aliexpress", now=NOW)
    start = text.index("[[rules]]") if "[[rules]]" in text else text.index("[[escalation_steps]]")
    before = values("aliexpress")
    assert changed(text[:start], editor) == {}
    assert values("aliexpress") == before


def test_a_file_that_does_not_go_with_what_the_team_has_is_refused_whole(shipped: None, editor: User) -> None:
    ozon = Marketplace.objects.get(slug="ozon")
    text = export(slug="ozon", now=NOW)
    clash = f"""
[[response_targets]]
key = "another"
kind = "our_reply"
priority = "urgent"
is_complex = true
amount = 3
unit = "hours"
source = "{text.split("[sources.")[1].split("]")[0]}"
source_grade = "{text.split('grade = "')[1][0]}"
verified_on = 2026-11-01
"""
    same = {"kind": "our_reply", "priority": "urgent", "is_complex": True}
    ResponseTarget.objects.create(marketplace=ozon, amount=1, unit="hours", source="Анна", **same)
    before = values("ozon")
    with pytest.raises(DirectoryFileError, match=r"given\.toml:1: response_target\["):
        changed(text + clash, editor)
    assert values("ozon") == before


def test_the_command_writes_the_file_and_knows_the_marketplaces(shipped: None) -> None:
    out = StringIO()
    call_command("export_directory", "wildberries", stdout=out)
    assert out.getvalue() == export(slug="wildberries", now=NOW)
    with pytest.raises(CommandError, match="aliexpress, ozon"):
        call_command("export_directory", "amazon")


def upload(client: Client, text: str) -> Any:
    file = SimpleUploadedFile("ozon.toml", text.encode())
    return client.post(reverse("directory-upload"), {"file": file})


def test_the_page_shows_the_plan_and_writes_it_after_the_word(client: Client, shipped: None, editor: User) -> None:
    client.force_login(editor)
    answer = client.get(reverse("directory-download", args=["ozon"]))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ozon.toml"'
    row = Channel.objects.get(marketplace__slug="ozon", key="seller-chat")
    was = row.address
    shown = upload(client, answer.content.decode().replace(was, "https://ours.example"))
    (planned,) = shown.context["plan"]
    assert planned["fields"] == [("Address", was, "https://ours.example")]
    row.refresh_from_db()
    assert row.address == was

    data = {name: shown.context[name] for name in ("name", "text", "seen")}
    Channel.objects.filter(pk=row.pk).update(address="https://third.example")
    assert "nothing was done" in client.post(reverse("directory-upload"), data).content.decode()
    Channel.objects.filter(pk=row.pk).update(address=was)
    client.post(reverse("directory-upload"), data)
    row.refresh_from_db()
    assert row.address == "https://ours.example"


def test_a_broken_file_is_shown_line_by_line(client: Client, shipped: None, editor: User) -> None:
    client.force_login(editor)
    text = export(slug="ozon", now=NOW).replace('kind = "chat"', 'kind = "pigeon"', 1)
    shown = upload(client, text)
    (problem,) = shown.context["problems"]
    assert text.splitlines()[problem.line - 1] == 'kind = "pigeon"'
    assert "pigeon" in shown.content.decode()
    assert "directory.toml:" not in shown.content.decode()


@pytest.mark.parametrize("role", ["viewer", "agent", "lead", ""])
def test_only_editors_exchange_files(client: Client, shipped: None, role: str) -> None:
    user = User.objects.create_user("somebody@example.com")
    if role:
        user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    assert client.get(reverse("directory-download", args=["ozon"])).status_code == 403
    assert client.get(reverse("directory-upload")).status_code == 403
    assert client.post(reverse("directory-upload"), {"text": "schema = 1"}).status_code == 403
