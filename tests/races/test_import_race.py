"""A button that is pressed twice does its work once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from appeals import lifecycle
from appeals.models import Appeal, Event, Membership, Shop
from hub.models import User
from marketplaces.models import Marketplace

IMPORT = "admin:appeals_appeal_import"

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def user() -> User:
    user = User.objects.create_user("agent@example.com")
    user.groups.add(Group.objects.get(name="agent"))
    shop = Shop.objects.create(name="Tea", marketplace=Marketplace.objects.create(slug="bazaar", name="Базар"))
    Membership.objects.create(shop=shop, user=user)
    return user


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def pressed_twice(client: Client, address: str, form: dict[str, str]) -> list[tuple[int, str]]:
    """What both presses are answered: the status, and where they lead."""
    together = Barrier(2)

    def press(_number: int) -> tuple[int, str]:
        browser = Client()
        browser.cookies = client.cookies
        together.wait(timeout=30)
        try:
            answer = browser.post(address, form)
            return answer.status_code, answer.headers.get("Location", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as presses:
        return sorted(presses.map(press, range(2)))


def test_a_table_that_is_brought_in_twice_at_once_stands_there_once(client: Client) -> None:
    table = SimpleUploadedFile("past.csv", b"shop,subject\nTea,One\nTea,Two\n")
    assert not client.post(reverse(IMPORT), {"file": table}).context["problems"]
    answers = pressed_twice(client, reverse(IMPORT), {"confirm": "1"})
    assert [status for status, _address in answers] == [302, 404]
    assert Appeal.objects.count() == 2


def test_what_is_noted_on_many_by_two_presses_is_noted_once(client: Client, user: User) -> None:
    now = timezone.now()
    appeals = [
        lifecycle.submit(
            appeal=lifecycle.create(actor=user, now=now, shop=Shop.objects.get(), subject="Tea"), actor=user, now=now
        )
        for _number in range(2)
    ]
    address = reverse("admin:appeals_appeal_many", args=["message"])
    ids = "-".join(str(one.pk) for one in appeals)
    first, second = pressed_twice(client, f"{address}?ids={ids}", {"text": "Once", "token": "one"})
    assert first == second
    assert first[0] == 302
    assert Event.objects.filter(text="Once").count() == 2
