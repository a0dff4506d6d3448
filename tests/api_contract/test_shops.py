"""Shops and who works for them."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from appeals.models import Membership, Shop
from hub.models import User
from marketplaces.models import Marketplace
from tests.api_contract.conftest import call_as

SHOPS = "/api/v1/shops/"


def test_whoever_adds_a_shop_leads_it(api: APIClient, market: Marketplace, agent: User, colleague: User) -> None:
    body = {
        "name": "ООО Чай",
        "marketplace": "bazaar",
        "seller_id": "77",
        "legal_name": "ООО «Чай»",
        "inn": "7701234567",
        "ogrn": "1027700000000",
        "postal_address": "Москва",
        "members": ["Colleague@example.com"],
    }
    answer = api.post(SHOPS, body)
    assert answer.status_code == 201, answer.json()
    shop = answer.json()
    assert shop == {"id": shop["id"], **body, "members": ["agent@example.com", "colleague@example.com"]}
    assert Membership.objects.get(is_lead=True).user == agent
    assert api.get(f"{SHOPS}{shop['id']}/").json() == shop
    assert call_as(colleague).get(SHOPS).json()["results"] == [shop]


def test_an_agent_neither_adds_a_shop_nor_changes_one(shop: Shop, colleague: User) -> None:
    shop.members.add(colleague)
    theirs = call_as(colleague)
    assert theirs.post(SHOPS, {"name": "x", "marketplace": "bazaar"}).status_code == 403
    assert theirs.patch(f"{SHOPS}{shop.pk}/", {"name": "x"}).status_code == 403
    assert Shop.objects.get().name == "Tea and Cups"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "Tea and Cups"),
        ("marketplace", "nowhere"),
        ("inn", "123"),
        ("inn", "٧٧٠١٢٣٤٥٦٧"),
        ("ogrn", "x"),
        ("members", ["nobody@example.com"]),
        ("members", "agent@example.com"),
        ("members", [5]),
    ],
)
def test_a_shop_that_cannot_be_is_refused_by_field(api: APIClient, shop: Shop, field: str, value: Any) -> None:
    answer = api.post(SHOPS, {"name": "x", "marketplace": "bazaar", field: value})
    assert answer.status_code == 400, answer.json()
    expected = "non_field_errors" if value == "Tea and Cups" else field
    assert answer.json()["errors"][0]["attr"].startswith(expected)
    assert Shop.objects.count() == 1


def test_members_are_written_by_those_who_lead_and_by_administrators(
    api: APIClient, admin_api: APIClient, shop: Shop, agent: User, colleague: User
) -> None:
    at = f"{SHOPS}{shop.pk}/"
    both = [agent.email, colleague.email]
    colleague.groups.set(agent.groups.all())
    assert api.patch(at, {"members": both}).json()["members"] == both
    theirs = call_as(colleague)
    assert theirs.patch(at, {"name": "New"}).json()["name"] == "New"
    assert theirs.patch(at, {"members": [colleague.email]}).status_code == 403
    assert theirs.patch(at, {"members": both}).status_code == 200, "nothing changes"
    assert admin_api.patch(at, {"members": [agent.email]}).json()["members"] == [agent.email]
    assert theirs.get(at).status_code == 404


def test_somebody_who_leads_must_stay(api: APIClient, shop: Shop, colleague: User) -> None:
    answer = api.patch(f"{SHOPS}{shop.pk}/", {"members": [colleague.email]})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "members"
    assert Membership.objects.get().is_lead


def test_a_shop_stays_on_its_marketplace(api: APIClient, shop: Shop) -> None:
    Marketplace.objects.create(slug="other", name="Other")
    assert api.patch(f"{SHOPS}{shop.pk}/", {"marketplace": "other"}).status_code == 400
    assert api.patch(f"{SHOPS}{shop.pk}/", {"marketplace": "bazaar"}).status_code == 200


def test_shops_are_not_deleted(api: APIClient, shop: Shop) -> None:
    assert api.delete(f"{SHOPS}{shop.pk}/").status_code == 405
