"""A button that is pressed twice does its work once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from appeals.models import Appeal, Membership, Shop
from hub.models import User
from marketplaces.models import Marketplace

IMPORT = "admin:appeals_appeal_import"

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_a_table_that_is_brought_in_twice_at_once_stands_there_once() -> None:
    user = User.objects.create_user("agent@example.com")
    user.groups.add(Group.objects.get(name="agent"))
    shop = Shop.objects.create(name="Tea", marketplace=Marketplace.objects.create(slug="bazaar", name="Базар"))
    Membership.objects.create(shop=shop, user=user)
    client = Client()
    client.force_login(user)
    table = SimpleUploadedFile("past.csv", b"shop,subject\nTea,One\nTea,Two\n")
    assert not client.post(reverse(IMPORT), {"file": table}).context["problems"]
    together = Barrier(2)

    def confirm(_number: int) -> int:
        browser = Client()
        browser.cookies = client.cookies
        together.wait(timeout=30)
        try:
            return browser.post(reverse(IMPORT), {"confirm": "1"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as presses:
        answers = sorted(presses.map(confirm, range(2)))
    assert answers == [302, 404]
    assert Appeal.objects.count() == 2
