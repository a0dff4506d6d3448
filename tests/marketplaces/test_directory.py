"""Shipped facts against the team's own: what a load of the directory changes and what it leaves alone."""

import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplaces import directory, directory_file
from marketplaces.directory_report import Outcome, Report
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, ShippedFact, Source, Topic
from tests.marketplaces.directory_files import Folder, channel, everything, platform_text

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def load(folder: Folder, **options: Any) -> Report:
    return directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform], **options)


def outcomes(report: Report) -> dict[str, Outcome]:
    """Of the rows that were not left alone."""
    changed = [change for change in report.changes if change.outcome is not Outcome.UNCHANGED]
    return {f"{change.kind} {change.key}": change.outcome for change in changed}


def test_a_first_load_creates_every_row_with_its_references(folder: Folder) -> None:
    made = channel(
        "bot", topics='["finance", "bazaar-stalls"]', contradicts='"chat"', first_reply_typical_minutes="10"
    )
    folder.write(platform_text(made, channel("chat"), channel("post")))

    report = load(folder)

    assert set(outcomes(report).values()) == {Outcome.CREATED}
    bot = Channel.objects.get(key="bot")
    assert bot.contradicts == Channel.objects.get(key="chat")
    assert {topic.slug for topic in bot.topics.all()} == {"finance", "bazaar-stalls"}
    assert (bot.first_reply_typical, bot.time_zone, bot.verified_on) == (
        timedelta(minutes=10),
        "Europe/Moscow",
        date(2026, 11, 1),
    )
    assert [channel.key for channel in Channel.objects.all()] == ["bot", "chat", "post"]
    target = ResponseTarget.objects.get()
    assert (target.topic, target.channel) == (Topic.objects.get(slug="finance"), Channel.objects.get(key="chat"))
    repeat, claim = EscalationStep.objects.all()
    assert (repeat.channel, list(claim.requires.all()), claim.channel) == (
        Channel.objects.get(key="chat"),
        [repeat],
        Channel.objects.get(key="post"),
    )
    assert (claim.name, claim.term_amount, claim.letter) == ("Претензия", 30, "claim")
    assert Topic.objects.get(slug="finance").marketplace is None
    assert Topic.objects.get(slug="bazaar-stalls").marketplace == Marketplace.objects.get(slug="bazaar")
    assert Marketplace.objects.get().provenance["legal_entity"]["source"] == "B1"
    assert set(Source.objects.values_list("key", flat=True)) == {"law", "B1"}


def test_a_second_load_changes_nothing(folder: Folder) -> None:
    load(folder)
    before = everything()

    report = load(folder)

    assert outcomes(report) == {}
    assert everything() == before


def test_a_dry_run_tells_the_same_and_writes_nothing(folder: Folder) -> None:
    rehearsal = load(folder, dry_run=True)

    assert not Marketplace.objects.exists()
    assert not ShippedFact.objects.exists()
    assert outcomes(rehearsal) == outcomes(load(folder))


def test_a_three_way_merge_played_through(folder: Folder) -> None:
    """The team edits two facts of one row and deletes another; the release changes, drops and adds some."""
    kept, other, gone, deleted = channel("kept"), channel("other"), channel("gone"), channel("deleted")
    rest = (channel("chat"), channel("post"))
    folder.write(platform_text(*rest, kept, other, gone, deleted))
    load(folder)
    Channel.objects.filter(key="kept").update(address="https://our.example/kept", remarks="Отвечает Анна")
    Channel.objects.get(key="deleted").delete()

    kept2 = channel("kept", address='"https://bazaar.example/new"')
    other2 = channel("other", opening_hours='"Mo-Fr 09:00-18:00"')
    folder.write(platform_text(*rest, kept2, other2, deleted, channel("added")))
    report = load(folder)

    assert outcomes(report) == {
        "channel kept": Outcome.OFFERED,
        "channel other": Outcome.UPDATED,
        "channel deleted": Outcome.DELETED,
        "channel added": Outcome.CREATED,
        "channel gone": Outcome.RETIRED,
    }
    ours = Channel.objects.get(key="kept")
    assert (ours.address, ours.remarks) == ("https://our.example/kept", "Отвечает Анна")
    assert ShippedFact.objects.get(key="kept").offer == {"address": "https://bazaar.example/new"}
    assert Channel.objects.get(key="other").opening_hours == "Mo-Fr 09:00-18:00"
    assert not Channel.objects.filter(key="deleted").exists()
    assert Channel.objects.get(key="gone").retired_at == NOW
    assert Channel.objects.get(key="added").retired_at is None

    before = everything()
    assert outcomes(load(folder)) == {"channel kept": Outcome.OFFERED, "channel deleted": Outcome.DELETED}
    assert everything() == before


def test_an_offer_can_be_taken(folder: Folder) -> None:
    load(folder)
    Channel.objects.filter(key="chat").update(address="https://our.example", source="наш звонок")
    folder.write(
        platform_text(channel("chat", address='"https://new.example"', topics='["finance"]'), channel("post"))
    )
    load(folder)
    fact = ShippedFact.objects.get(kind="channel", key="chat")
    version = Channel.objects.get(key="chat").version

    directory.take_offer(fact=fact, now=NOW)

    row = Channel.objects.get(key="chat")
    assert (row.address, row.version) == ("https://new.example", version + 1)
    assert ShippedFact.objects.get(pk=fact.pk).offer == {}
    assert outcomes(load(folder)) == {"channel chat": Outcome.KEPT}  # the source, which the release has not changed


def test_an_offer_turned_down_comes_back_only_when_the_file_changes_again(folder: Folder) -> None:
    load(folder)
    Channel.objects.filter(key="chat").update(address="https://our.example")
    folder.write(platform_text(channel("chat", address='"https://second.example"'), channel("post")))
    load(folder)

    directory.keep_own(fact=ShippedFact.objects.get(key="chat"), now=NOW)
    assert outcomes(load(folder)) == {"channel chat": Outcome.KEPT}
    assert Channel.objects.get(key="chat").address == "https://our.example"

    folder.write(platform_text(channel("chat", address='"https://third.example"'), channel("post")))
    assert outcomes(load(folder)) == {"channel chat": Outcome.OFFERED}
    assert ShippedFact.objects.get(key="chat").offer == {"address": "https://third.example"}


def test_the_source_stays_with_the_value_that_the_team_keeps(folder: Folder) -> None:
    load(folder)
    Channel.objects.filter(key="chat").update(address="https://our.example")
    changed = channel(
        "chat", address='"https://new.example"', source='"law"', source_grade='"B"', verified_on="2027-01-10"
    )
    folder.write(platform_text(changed, channel("post")))

    load(folder)

    row = Channel.objects.get(key="chat")
    assert (row.source, row.source_grade, row.verified_on) == ("B1", "A", date(2026, 11, 1))
    offer = {"address": "https://new.example", "source": "law", "source_grade": "B", "verified_on": "2027-01-10"}
    assert ShippedFact.objects.get(key="chat").offer == offer
    before = everything()
    load(folder)
    assert everything() == before


def test_a_check_by_the_team_is_not_undone_and_not_argued_with(folder: Folder) -> None:
    load(folder)
    Channel.objects.filter(key="chat").update(verified_on=date(2026, 12, 1))
    folder.write(platform_text(channel("chat", verified_on="2027-01-10"), channel("post")))

    assert outcomes(load(folder)) == {}
    assert Channel.objects.get(key="chat").verified_on == date(2026, 12, 1)


def test_a_row_that_the_team_moved_away_from_and_the_file_now_agrees_with_is_unchanged(folder: Folder) -> None:
    load(folder)
    Channel.objects.filter(key="chat").update(address="https://new.example")
    folder.write(platform_text(channel("chat", address='"https://new.example"'), channel("post")))

    assert outcomes(load(folder)) == {}


def test_what_comes_back_into_the_file_is_no_longer_retired(folder: Folder) -> None:
    with_bot = platform_text(channel("chat"), channel("post"), channel("bot"))
    folder.write(with_bot)
    load(folder)
    folder.write(platform_text(channel("chat"), channel("post")))
    load(folder)
    assert outcomes(load(folder)) == {}  # told once

    folder.write(with_bot)
    assert outcomes(load(folder)) == {"channel bot": Outcome.UPDATED}
    assert Channel.objects.get(key="bot").retired_at is None


def test_links_to_topics_and_steps_are_merged_like_any_field(folder: Folder) -> None:
    load(folder)
    Channel.objects.get(key="post").topics.add(Topic.objects.create(slug="ours", name="Наше", source="Анна"))
    linked = [channel("chat", topics='["finance"]'), channel("post", topics='["finance"]')]
    folder.write(platform_text(*linked).replace('requires = ["repeat"]\n', ""))

    report = load(folder)

    assert outcomes(report) == {
        "channel chat": Outcome.UPDATED,
        "channel post": Outcome.OFFERED,
        "escalation_step claim": Outcome.UPDATED,
    }
    assert [topic.slug for topic in Channel.objects.get(key="chat").topics.all()] == ["finance"]
    assert [topic.slug for topic in Channel.objects.get(key="post").topics.all()] == ["ours"]
    assert not EscalationStep.objects.get(key="claim").requires.exists()


def test_one_fact_of_a_marketplace_follows_while_another_stays_the_teams(folder: Folder) -> None:
    load(folder)
    Marketplace.objects.update(legal_entity="ООО «Базар Плюс»")
    text = folder.platform.read_text()
    folder.write(text.replace("ООО «Базар»", "АО «Базар»").replace('"Базар"', '"Большой базар"'))

    assert outcomes(load(folder)) == {"marketplace bazaar": Outcome.OFFERED}
    row = Marketplace.objects.get()
    assert (row.name, row.legal_entity) == ("Большой базар", "ООО «Базар Плюс»")
    assert ShippedFact.objects.get(kind="marketplace").offer == {"legal_entity": "АО «Базар»"}


def test_a_topic_that_the_team_had_first_is_adopted_and_stays_as_it_is(folder: Folder) -> None:
    ours = Topic.objects.create(slug="finance", name="Деньги", source="Анна")

    assert outcomes(load(folder))["topic finance"] is Outcome.OFFERED
    ours.refresh_from_db()
    assert (ours.key, ours.name) == ("finance", "Деньги")
    assert ShippedFact.objects.get(kind="topic", key="finance").offer["name"] == "Финансы"
    assert ResponseTarget.objects.get().topic == ours


def test_a_new_row_about_what_the_team_deleted_is_left_out(folder: Folder) -> None:
    load(folder)
    ResponseTarget.objects.all().delete()
    EscalationStep.objects.all().delete()
    Channel.objects.get(key="chat").delete()
    folder.write(folder.platform.read_text().replace('key = "answer"', 'key = "answer-again"'))

    assert outcomes(load(folder))["response_target answer-again"] is Outcome.DELETED
    assert not ResponseTarget.objects.exists()


def test_a_platform_that_was_taken_away_is_retired_and_comes_back(folder: Folder) -> None:
    load(folder)
    directory.load(now=NOW, shared_file=folder.shared, files=[])

    assert Marketplace.objects.get().retired_at == NOW
    assert not Channel.objects.current().exists()
    assert Topic.objects.get(slug="finance").retired_at is None

    load(folder)
    assert Marketplace.objects.get().retired_at is None
    assert Channel.objects.current().count() == 2


def test_a_broken_file_changes_nothing(folder: Folder) -> None:
    load(folder)
    before = everything()
    folder.write(platform_text(channel("chat", address='"https://new.example"'), channel("post", kind='"pigeon"')))

    with pytest.raises(directory_file.DirectoryFileError, match=r"bazaar\.toml:\d+: channels\[post\]\.kind: "):
        load(folder)
    assert everything() == before


def test_the_number_of_queries_does_not_grow_with_the_rows(folder: Folder) -> None:
    load(folder)

    def queries(count: int) -> int:
        bots = [channel(f"bot-{number}", topics='["finance"]') for number in range(count)]
        folder.write(platform_text(channel("chat"), channel("post"), *bots))
        with CaptureQueriesContext(connection) as captured:
            load(folder)
        return len(captured)

    assert queries(1) == queries(12) == queries(30)


@pytest.mark.parametrize(("spoken", "other"), [("ru_RU.UTF-8", re.compile("[a-z]{4}")), ("C", re.compile("[а-яё]"))])
def test_the_command_speaks_one_language_that_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, db: None, spoken: str, other: re.Pattern[str]
) -> None:
    monkeypatch.setenv("LC_ALL", spoken)
    out = StringIO()
    call_command("load_directory", "--dry-run", stdout=out)
    told = re.sub(r"^\w+:", "", out.getvalue(), flags=re.MULTILINE)
    assert len(told.splitlines()) > 4
    assert not other.search(told), told


def test_the_command_reports_and_refuses_in_clear_lines(monkeypatch: pytest.MonkeyPatch, folder: Folder) -> None:
    out = StringIO()
    call_command("load_directory", "--dry-run", stdout=out)
    assert "ozon: created " in out.getvalue()
    assert not Marketplace.objects.exists()

    folder.shared.write_text("schema = 1\nsources = 3\n")
    monkeypatch.setattr(directory, "load", lambda **options: directory_file.read_shared(folder.shared))
    with pytest.raises(CommandError, match=r"shared\.toml:2: sources: "):
        call_command("load_directory")
