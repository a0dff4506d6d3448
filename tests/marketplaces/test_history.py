"""The history of the directory: who did what to a row, field by field, through whichever door."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from hub.models import ApiToken, User
from marketplaces import directory, history, upkeep
from marketplaces.models import Channel, DirectoryChange, Marketplace, ShippedFact, Topic
from marketplaces.models.directory_change import AppendOnlyError
from tests.marketplaces.directory_files import Folder, channel, platform_text
from tests.marketplaces.workplace import change, filled, listed, save

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def lines(row: Any) -> list[tuple[str, Any, dict[str, Any]]]:
    """The latest first."""
    found = DirectoryChange.objects.of(history.kind_of(row).name, row.pk)
    return [(line.action, line.actor, line.changes) for line in found]


def past(client: Client, row: Any) -> str:
    page = client.get(reverse(f"admin:marketplaces_{row._meta.model_name}_history", args=[row.pk]))
    return page.content.decode()


def test_an_edit_by_hand_is_told_field_by_field(client: Client, editor: User, chat: Channel) -> None:
    topic = Topic.objects.create(slug="money", name="Деньги", name_en="Money", source="S1")
    client.force_login(editor)
    save(client, chat, filled(client, chat) | {"address": "https://example.com", "topics": [topic.pk]})
    changes = {"address": ["", "https://example.com"], "topics": [[], [f"#{topic.pk}"]]}
    # the form fills in the zone that was left to the marketplace
    assert lines(chat) == [("changed", editor, changes | {"time_zone": ["", "Europe/Moscow"]})]
    page = past(client, chat)
    assert "Edith" in page
    assert "https://example.com" in page
    assert "Money" in page


def test_saving_without_a_change_leaves_no_line(client: Client, editor: User, chat: Channel) -> None:
    client.force_login(editor)
    save(client, chat, filled(client, chat))
    before = len(lines(chat))
    save(client, chat, filled(client, chat))
    assert len(lines(chat)) == before


def test_save_as_checked_is_one_line_with_the_values(client: Client, editor: User, chat: Channel) -> None:
    client.force_login(editor)
    button = "marketplaces_channel_save_as_checked"
    save(client, chat, filled(client, chat) | {"address": "https://example.com", button: "1"})
    ((action, actor, changes),) = lines(chat)
    assert (action, actor) == ("checked", editor)
    assert {"address", "verified_on"} <= set(changes)


def test_a_check_is_worth_a_line_even_when_the_day_is_the_same(editor: User, chat: Channel) -> None:
    upkeep.check(row=chat, actor=editor, now=NOW)
    upkeep.check(row=chat, actor=editor, now=NOW)
    assert [action for action, _actor, _changes in lines(chat)] == ["checked", "checked"]


def test_who_deletes_or_retires_is_remembered(client: Client, editor: User, chat: Channel) -> None:
    client.force_login(editor)
    client.post(listed("channel"), {"action": "retire", "_selected_action": [chat.pk]})
    client.post(reverse("admin:marketplaces_channel_delete", args=[chat.pk]), {"post": "yes"})
    assert not Channel.objects.exists()
    deleted, retired = DirectoryChange.objects.of("channel", chat.pk)
    assert (deleted.action, deleted.name, deleted.name_en) == ("deleted", "Чат", "Chat")
    assert deleted.changes["name"] == ["Чат", None]
    assert (retired.action, retired.changes["retired"]) == ("retired", [False, True])


def test_the_api_writes_the_same_history(db: None, market: Marketplace) -> None:
    administrator = User.objects.create_superuser("admin@example.com")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.objects.create(administrator)[1]}")
    made = client.post(
        "/api/v1/channels/", {"marketplace": "bazaar", "kind": "chat", "name": "Чат", "address": "https://a.example"}
    )
    row = Channel.objects.get(pk=made.json()["id"])
    answer = client.patch(f"/api/v1/channels/{row.pk}/", {"address": "https://b.example"})
    assert answer.status_code == 200, answer.json()
    client.delete(f"/api/v1/channels/{row.pk}/")
    deleted, changed, created = lines(row)
    assert deleted[:2] == ("deleted", administrator)
    assert changed == ("changed", administrator, {"address": ["https://a.example", "https://b.example"]})
    assert created == ("created", administrator, {})


def test_a_load_writes_what_it_created_and_moved(db: None, folder: Folder) -> None:
    directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform])
    folder.write(platform_text(channel("chat", address='"https://new.example"'), channel("post")))
    directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform])
    row = Channel.objects.get(key="chat")
    moved, created = lines(row)
    assert moved == ("loaded", None, {"address": ["https://bazaar.example/chat", "https://new.example"]})
    assert created == ("loaded", None, {})
    assert len(lines(Channel.objects.get(key="post"))) == 1


def test_what_is_taken_or_kept_is_remembered_with_both_values(editor: User, folder: Folder) -> None:
    directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform])
    Channel.objects.filter(key="chat").update(address="https://our.example", name="Наш чат")
    new = channel("chat", address='"https://new.example"', name='"Их чат"')
    folder.write(platform_text(new, channel("post")))
    directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform])
    fact = ShippedFact.objects.get(kind="channel", key="chat")

    directory.take_offer(fact=fact, now=NOW, actor=editor, fields=["address"])
    assert ShippedFact.objects.get(pk=fact.pk).offer == {"name": "Их чат"}
    directory.keep_own(fact=fact, now=NOW, actor=editor, fields=["name"])

    row = Channel.objects.get(key="chat")
    assert (row.address, row.name) == ("https://new.example", "Наш чат")
    kept, taken = lines(row)[:2]
    assert kept == ("kept", editor, {"name": ["Наш чат", "Их чат"]})
    assert taken == ("taken", editor, {"address": ["https://our.example", "https://new.example"]})


def test_a_value_is_taken_with_its_source_and_a_source_is_not_kept_alone(editor: User, folder: Folder) -> None:
    directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform])
    Channel.objects.filter(key="chat").update(address="https://our.example")
    new = channel("chat", address='"https://new.example"', source='"law"', source_grade='"B"')
    folder.write(platform_text(new, channel("post")))
    directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform])
    fact = ShippedFact.objects.get(kind="channel", key="chat")
    assert set(fact.offer) == {"address", "source", "source_grade"}

    directory.keep_own(fact=fact, now=NOW, actor=editor, fields=["address"])
    assert ShippedFact.objects.get(pk=fact.pk).offer == {}
    ShippedFact.objects.filter(pk=fact.pk).update(offer=fact.offer)
    directory.take_offer(fact=fact, now=NOW, actor=editor, fields=["address"])
    row = Channel.objects.get(key="chat")
    assert (row.address, row.source, row.source_grade) == ("https://new.example", "law", "B")


def test_a_fact_of_a_marketplace_that_is_edited_is_the_editors(
    client: Client, editor: User, market: Marketplace
) -> None:
    market.legal_entity, market.time_zone = "ООО «Базар»", "Europe/Moscow"
    fact = {"source": "S1", "source_grade": "A", "verified_on": "2026-01-01"}
    market.provenance = {"legal_entity": fact, "time_zone": fact}
    market.save()
    client.force_login(editor)
    save(client, market, filled(client, market) | {"legal_entity": "АО «Базар»"})
    ours = market.provenance["legal_entity"]
    assert (ours["source"], ours["verified_by"]) == ("entered by Edith", "Edith")
    assert market.provenance["time_zone"] == fact
    ((action, _actor, changes),) = lines(market)
    assert (action, changes["legal_entity"]) == ("changed", ["ООО «Базар»", "АО «Базар»"])

    client.post(listed("marketplace"), {"action": "check_today", "_selected_action": [market.pk]})
    market.refresh_from_db()
    assert market.provenance["time_zone"]["verified_by"] == "Edith"


def test_a_marketplace_that_somebody_changed_meanwhile_is_not_overwritten(
    client: Client, editor: User, market: Marketplace
) -> None:
    client.force_login(editor)
    opened = filled(client, market)
    save(client, market, opened | {"postal_address": "Москва"})
    answer = client.post(change(market), opened | {"postal_address": "Тверь"})
    assert "Edith" in answer.content.decode()
    market.refresh_from_db()
    assert market.postal_address == "Москва"


def test_the_history_can_only_grow(editor: User, chat: Channel) -> None:
    upkeep.check(row=chat, actor=editor, now=NOW)
    line = DirectoryChange.objects.get()
    for attempt in (line.save, line.delete, DirectoryChange.objects.all().delete):
        with pytest.raises(AppendOnlyError):
            attempt()
    with pytest.raises(AppendOnlyError):
        DirectoryChange.objects.update(action="kept")
    editor.delete()
    assert DirectoryChange.objects.get().actor is None


def test_a_check_of_a_marketplace_by_the_team_is_not_argued_with(editor: User, folder: Folder) -> None:
    directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform])
    upkeep.check(row=Marketplace.objects.get(), actor=editor, now=NOW)
    folder.write(folder.platform.read_text().replace("verified_on = 2026-11-01", "verified_on = 2027-01-10"))
    directory.load(now=NOW, shared_file=folder.shared, files=[folder.platform])
    assert ShippedFact.objects.get(kind="marketplace").offer == {}
    place = Marketplace.objects.get()
    assert place.provenance["legal_entity"]["verified_by"] == "Edith"
    assert place.checked_on == date(2026, 11, 22)
