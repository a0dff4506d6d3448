"""The three-way merge in the workplace: "the new release says …, you have …: take / keep"."""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from hub.models import User
from marketplaces import directory
from marketplaces.models import Channel, DirectoryChange, ShippedFact
from tests.marketplaces.directory_files import Folder, channel, platform_text
from tests.marketplaces.workplace import change, filled, listed, save

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
REST = (channel("chat"), channel("post"))


def load(folder: Folder) -> None:
    directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform])


def text_of(client: Client) -> str:
    """The page as a reader reads it."""
    page = client.get(reverse("offers")).content.decode()
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page[page.index('class="hub-page"') :])).split())


def decide(client: Client, verb: str, field: str = "", key: str = "kept") -> Any:
    """Presses a button of the page as it is now."""
    (offer,) = (offer for offer in client.get(reverse("offers")).context["offers"] if offer["fact"].key == key)
    data = {"fact": offer["fact"].pk, "seen": offer["seen"], "verb": verb} | ({"field": field} if field else {})
    return client.post(reverse("offers"), data, follow=True)


@pytest.fixture
def merged(client: Client, editor: User, folder: Folder) -> Channel:
    """Shipped v1; the team edits two facts of one row and deletes another; shipped v2 changes both, drops, adds."""
    folder.write(platform_text(*REST, channel("kept"), channel("other"), channel("gone"), channel("deleted")))
    load(folder)
    client.force_login(editor)
    row = Channel.objects.get(key="kept")
    save(client, row, filled(client, row) | {"address": "https://our.example/kept", "remarks": "Отвечает Анна"})
    save(client, row, filled(client, row) | {"name": "Наше имя"})
    doomed = Channel.objects.get(key="deleted")
    client.post(reverse("admin:marketplaces_channel_delete", args=[doomed.pk]), {"post": "yes"})

    new = channel("kept", address='"https://bazaar.example/new"', name='"Их имя"', name_en='"Their name"')
    other = channel("other", opening_hours='"Mo-Fr 09:00-18:00"')
    folder.write(platform_text(*REST, new, other, channel("deleted"), channel("added")))
    load(folder)
    return row


def test_the_page_says_what_the_release_says_and_what_you_have(client: Client, merged: Channel) -> None:
    text = text_of(client)
    assert (
        "Address The new release says https://bazaar.example/new You have https://our.example/kept Take Keep" in text
    )
    assert "Name The new release says Их имя You have Наше имя Take Keep" in text
    assert re.search(r"Deleted by the team; .* \(1\) Channel: Канал deleted", text)
    assert re.search(r"No longer in the release, and retired \(1\) .*Channel gone", text)
    assert "Канал other" not in text
    assert "Канал added" not in text


def test_the_rows_are_before_and_after_as_the_merge_says(client: Client, merged: Channel) -> None:
    shown = client.get(listed("channel")).context["cl"].result_list
    assert {row.key for row in shown} == {"chat", "post", "kept", "other", "added"}
    page = client.get(change(merged)).context["adminform"].form
    assert page["address"].value() == "https://our.example/kept"
    assert page["name_en"].value() == "Their name"
    assert client.get(listed("channel", "?use=retired")).context["cl"].result_list[0].key == "gone"


def test_one_field_is_taken_and_another_kept(client: Client, merged: Channel) -> None:
    decide(client, "take", "address")
    answer = decide(client, "keep", "name")
    merged.refresh_from_db()
    assert (merged.address, merged.name) == ("https://bazaar.example/new", "Наше имя")
    assert answer.context["offers"] == []
    assert "say the same" in answer.content.decode()
    assert list(DirectoryChange.objects.of("channel", merged.pk).values_list("action", flat=True)[:2]) == [
        "kept",
        "taken",
    ]


def test_all_of_a_row_at_once(client: Client, merged: Channel) -> None:
    decide(client, "take")
    merged.refresh_from_db()
    assert (merged.address, merged.name) == ("https://bazaar.example/new", "Их имя")
    assert merged.remarks == "Отвечает Анна"
    assert not ShippedFact.objects.exclude(offer={}).exists()


def test_what_changed_meanwhile_is_not_decided_blindly(client: Client, merged: Channel) -> None:
    (offer,) = client.get(reverse("offers")).context["offers"]
    Channel.objects.filter(pk=merged.pk).update(address="https://third.example")
    data = {"fact": offer["fact"].pk, "seen": offer["seen"], "verb": "take", "field": "address"}
    answer = client.post(reverse("offers"), data, follow=True)
    assert "nothing was done" in answer.content.decode()
    merged.refresh_from_db()
    assert merged.address == "https://third.example"


def test_the_menu_counts_what_waits(client: Client, merged: Channel) -> None:
    def badge() -> Any:
        groups = client.get(reverse("offers")).context["sidebar_navigation"]
        (item,) = (item for group in groups for item in group["items"] if item["link"] == reverse("offers"))
        return item.get("badge")

    assert badge() == "1"
    decide(client, "keep")
    assert badge() is None


@pytest.mark.parametrize("role", ["viewer", "agent", "lead", ""])
def test_only_editors_decide(client: Client, merged: Channel, role: str) -> None:
    user = User.objects.create_user("somebody@example.com", language="en")
    if role:
        user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    assert client.get(reverse("offers")).status_code == 403
    fact = ShippedFact.objects.exclude(offer={}).get()
    assert client.post(reverse("offers"), {"fact": fact.pk, "verb": "take"}).status_code == 403
    assert reverse("offers") not in client.get(reverse("admin:index")).content.decode()


def test_the_number_of_queries_does_not_grow(
    client: Client, editor: User, folder: Folder, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def bots(address: str) -> list[str]:
        return [channel(f"bot-{number}", address=f'"https://{address}.example"') for number in range(20)]

    folder.write(platform_text(*REST, *bots("old")))
    load(folder)
    Channel.objects.filter(key__startswith="bot").update(address="https://our.example")
    folder.write(platform_text(*REST, *bots("new")))
    load(folder)
    client.force_login(editor)
    client.get(reverse("offers"))  # the first page saves the session, once
    with django_assert_max_num_queries(15):
        assert len(client.get(reverse("offers")).context["offers"]) == 20


def test_the_plan_of_a_load_names_the_values(editor: User, folder: Folder) -> None:
    load(folder)
    Channel.objects.filter(key="chat").update(address="https://our.example")
    new = channel("chat", address='"https://new.example"', instructions='"Жмите"', instructions_en='"Press"')
    folder.write(platform_text(new, channel("post")))
    report = directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform], dry_run=True)
    plan = "\n".join(report.lines())
    assert 'address: you have "https://our.example", the release says "https://new.example"' in plan
    assert 'instructions_en: was "", now "Press"' in plan
    assert not ShippedFact.objects.exclude(offer={}).exists()
