"""The files that this release ships, against what was compared by hand with the sources."""

import re
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db.models import Model

from marketplaces import directory, platform
from marketplaces.directory_file import DirectoryFile, read_all
from marketplaces.directory_report import Outcome
from marketplaces.directory_rows import KINDS
from marketplaces.directory_schema import SharedFile, Sourced, SourceFact, StepFact
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def everything() -> tuple[SharedFile, dict[str, DirectoryFile]]:
    shared, files = read_all(directory.SHARED_FILE, [app.directory_path for app in platform.installed()])
    return shared, {file.marketplace.slug: file for file in files}


@pytest.fixture(scope="module")
def shared(everything: tuple[SharedFile, dict[str, DirectoryFile]]) -> SharedFile:
    return everything[0]


@pytest.fixture(scope="module")
def platforms(everything: tuple[SharedFile, dict[str, DirectoryFile]]) -> dict[str, DirectoryFile]:
    return everything[1]


@pytest.fixture(scope="module")
def rows(shared: SharedFile, platforms: dict[str, DirectoryFile]) -> list[Sourced]:
    own = (
        [*file.topics, *file.channels, *file.response_targets, *file.rules, *file.steps] for file in platforms.values()
    )
    return [*shared.topics, *shared.legal_steps, *(row for rows in own for row in rows)]


def test_the_platform_apps_and_their_files_agree(platforms: dict[str, DirectoryFile]) -> None:
    assert {app.slug for app in platform.installed()} == set(platforms)
    assert set(platforms) == {"ozon", "wildberries", "yandex_market", "aliexpress"}


@pytest.mark.parametrize(
    ("slug", "channels", "others"),
    [
        (
            "ozon",
            {"working": 8, "unconfirmed": 8, "disputed": 7, "dead": 1, "historic": 3},
            {"topics": 5, "targets": 7, "rules": 17, "sellers' steps": 12, "buyers' steps": 6},
        ),
        (
            "wildberries",
            {"working": 4, "unconfirmed": 9, "dead": 2},
            {"topics": 5, "rules": 12, "sellers' steps": 10},
        ),
        (
            "yandex_market",
            {"working": 3, "unconfirmed": 7, "disputed": 4},
            {"topics": 3, "rules": 5, "sellers' steps": 9},
        ),
        (
            "aliexpress",
            {"working": 1, "unconfirmed": 3, "dead": 1},
            {"topics": 2, "rules": 2, "sellers' steps": 8},
        ),
    ],
)
def test_counts_of_each_platform(
    platforms: dict[str, DirectoryFile], slug: str, channels: dict[str, int], others: dict[str, int]
) -> None:
    file = platforms[slug]
    assert Counter(channel.state for channel in file.channels) == channels
    counted = Counter(f"{step.audience}' steps" for step in file.steps)
    counted |= Counter(topics=len(file.topics), targets=len(file.response_targets), rules=len(file.rules))
    assert counted == others


def test_shared_topics_and_steps(shared: SharedFile) -> None:
    assert {topic.slug for topic in shared.topics} == {
        "finance",
        "penalties",
        "logistics",
        "returns",
        "assortment",
        "account",
        "technical",
        "api",
        "outage",
        "promotions",
        "advertising",
        "reviews",
        "documents",
    }
    assert {step.key for step in shared.legal_steps} == {
        "operator-complaint",
        "claim",
        "fas",
        "prosecutor",
        "police",
        "court",
    }


def test_no_phone_ships_as_working(platforms: dict[str, DirectoryFile]) -> None:
    phones = [channel for file in platforms.values() for channel in file.channels if channel.kind == "phone"]

    assert len(phones) == 12
    assert {phone.state for phone in phones} == {"disputed", "unconfirmed", "dead"}
    usable = {phone.address for phone in phones if phone.audience in ("sellers", "both") and phone.state != "dead"}
    assert usable == {"", "8 800 234-27-12"}  # a number that is lost, and a disputed one


def test_numbers_and_mails_of_content_farms_are_shown_nowhere_as_usable(platforms: dict[str, DirectoryFile]) -> None:
    text = repr([file.channels for file in platforms.values()])
    for number in ("234-55-66", "234-65-80", "234-55-55", "250-96-39", "974-35-86"):
        assert number not in text
    farmed = {"seller-support@ozon.ru", "seller@ozon.ru", "market@support.yandex.ru"}
    states = {c.state for file in platforms.values() for c in file.channels if c.address in farmed}
    assert states == {"disputed"}


def test_contradicting_addresses_stand_side_by_side_with_one_believed(platforms: dict[str, DirectoryFile]) -> None:
    pairs = {
        (file.marketplace.slug, channel.key, channel.contradicts)
        for file in platforms.values()
        for channel in file.channels
        if channel.contradicts
    }
    assert pairs == {
        ("ozon", "seller-email-farm-pages", "seller-email"),
        ("ozon", "seller-email-private-notes", "seller-email"),
        ("ozon", "phone-federal-other", "phone-federal"),
        ("ozon", "phone-moscow-office", "phone-moscow"),
        ("ozon", "phone-moscow-old", "phone-moscow"),
        ("yandex_market", "general-phone-from-code", "partner-phone"),
        ("yandex_market", "sellers-telegram-from-catalogue", "sellers-telegram"),
        ("yandex_market", "email-from-farm-pages", "email-from-code"),
    }


def test_ozons_targets_are_the_published_figures(platforms: dict[str, DirectoryFile]) -> None:
    targets = [(t.kind, t.named, t.amount, t.unit, t.source_grade) for t in platforms["ozon"].response_targets]

    assert targets == [
        ("first_reply", {"channel": "seller-chat"}, 30, "minutes", "C"),
        ("answer", {}, 24, "hours", "D"),
        ("answer", {"topic": "technical", "priority": "urgent"}, 8, "hours", "D"),
        ("answer", {"topic": "finance"}, 3, "working_days", "D"),
        ("answer", {"is_complex": True}, 5, "working_days", "D"),
        ("answer", {"topic": "finance", "is_complex": True}, 5, "working_days", "D"),
        ("our_reply", {}, 24, "hours", "C"),
    ]


def test_opening_hours_are_those_that_a_source_states(platforms: dict[str, DirectoryFile]) -> None:
    hours = {(slug, c.opening_hours) for slug, file in platforms.items() for c in file.channels}

    assert {expression for _slug, expression in hours} == {"", "24/7", "Mo-Su 08:00-20:00"}
    assert [slug for slug, expression in hours if expression == "Mo-Su 08:00-20:00"] == ["aliexpress"]


@pytest.mark.parametrize("slug", ["ozon", "wildberries", "yandex_market", "aliexpress"])
def test_a_sellers_path_ends_outside_the_platform(platforms: dict[str, DirectoryFile], slug: str) -> None:
    steps = {step.key: step for step in platforms[slug].steps}

    complaint, claim, court = steps["operator-complaint"], steps["claim"], steps["court"]
    assert (complaint.term_amount, complaint.term_unit, complaint.letter) == (15, "calendar_days", "complaint")
    assert (complaint.available_from, complaint.state) == (date(2026, 10, 1), "unconfirmed")
    assert (claim.term_amount, claim.term_unit, claim.letter) == (30, "calendar_days", "claim")
    assert court.requires == ["operator-complaint", "claim"]
    assert {"fas", "prosecutor", "police"} <= set(steps)


def test_the_first_step_of_a_path_is_to_ask_the_platform_again(platforms: dict[str, DirectoryFile]) -> None:
    for file in platforms.values():
        assert (file.steps[0].takes_place, file.steps[0].letter) == ("platform", "follow_up")


def test_every_row_was_compared_with_its_sources(
    rows: list[Sourced], shared: SharedFile, platforms: dict[str, DirectoryFile]
) -> None:
    facts = [fact for file in platforms.values() for fact in file.marketplace.provenance.values()]
    sources: dict[str, SourceFact] = dict(shared.sources)
    for file in platforms.values():
        sources |= file.sources

    assert {row.verified_on for row in [*rows, *facts]} == {date(2026, 11, 22)}
    assert {key for row in [*rows, *facts] for key in row.source_keys} == set(sources)  # each cited, none unused


def test_nothing_is_called_working_on_the_word_of_anonymous_pages_alone(rows: list[Sourced]) -> None:
    working = [row for row in rows if getattr(row, "state", "") == "working"]
    assert working
    assert not [row for row in working if row.source_grade == "D"]


def test_texts_are_russian_and_english(rows: list[Sourced]) -> None:
    for row in rows:
        for english in (name for name in type(row).model_fields if name.endswith("_en")):
            texts = [getattr(row, english.removesuffix("_en")), getattr(row, english)]
            russian, translated = (" ".join(text) if isinstance(text, list) else text for text in texts)
            if len(russian) > 60:
                assert re.search("[а-яё]{3}", russian), russian
                assert re.search("[a-z]{3} [a-z]{2}", translated), translated


@pytest.mark.django_db
def test_what_is_loaded_passes_the_checks_of_the_admin() -> None:
    """Lengths, choices, expressions, ties among targets: SQLite alone would let them all in."""
    directory.load(now=NOW)

    for kind in KINDS:
        rows: list[Any] = list(kind.model._default_manager.all())
        assert rows
        for row in rows:
            row.full_clean()


@pytest.mark.django_db
def test_loading_the_shipped_files_again_changes_nothing() -> None:
    first = directory.load(now=NOW)
    again = directory.load(now=NOW)

    assert {change.outcome for change in first.changes} == {Outcome.CREATED}
    assert {change.outcome for change in again.changes} == {Outcome.UNCHANGED}
    assert len(again.changes) == len(first.changes) == sum(count(kind.model) for kind in KINDS)
    assert (count(Marketplace), count(Channel), count(ResponseTarget), count(EscalationStep)) == (4, 61, 7, 45)


def count(model: type[Model]) -> int:
    return model._default_manager.count()


def test_a_step_and_its_channel_do_not_promise_more_than_is_known(platforms: dict[str, DirectoryFile]) -> None:
    """Within a platform's support a step is working only where its channel is."""
    for file in platforms.values():
        states = {channel.key: channel.state for channel in file.channels}
        inside: list[StepFact] = [step for step in file.steps if step.takes_place == "platform" and step.channel]
        for step in inside:
            assert step.state != "working" or states[step.channel] == "working", (file.marketplace.slug, step.key)
