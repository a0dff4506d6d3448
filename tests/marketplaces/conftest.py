"""Two editors, a marketplace with a chat, and English where nobody is asked."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.utils import translation

from hub.models import User
from marketplaces.models import Channel, Marketplace
from tests.marketplaces.directory_files import Folder


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """The language of what has no reader of its own: of commands and of messages about files."""
    with translation.override("en"):
        yield


@pytest.fixture
def editor(db: None) -> User:
    user = User.objects.create_user("editor@example.com", language="en", full_name="Edith")
    user.groups.add(Group.objects.get(name="directory editor"))
    return user


@pytest.fixture
def colleague(editor: User) -> User:
    user = User.objects.create_user("colleague@example.com", language="en", full_name="Colin")
    user.groups.add(Group.objects.get(name="directory editor"))
    return user


@pytest.fixture
def market(db: None) -> Marketplace:
    return Marketplace.objects.create(slug="bazaar", name="Базар", name_en="Bazaar")


@pytest.fixture
def chat(market: Marketplace) -> Channel:
    return Channel.objects.create(
        marketplace=market,
        kind="chat",
        name="Чат",
        name_en="Chat",
        opening_hours="24/7",
        source="S1",
        verified_on=date(2026, 1, 1),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
