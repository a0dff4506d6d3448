"""What is away is told as away, 503 or 507, with the time to try again; 500 is a fault of our own."""

import errno
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError
from django.test import Client, RequestFactory
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAwayError
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from appeals import lifecycle
from appeals.models import Appeal, Attachment, Membership, Shop
from hub import failures
from hub.media import Folder
from hub.models import User
from marketplaces.models import Marketplace


@pytest.fixture
def calm(client: Client) -> Client:
    client.raise_request_exception = False
    return client


@pytest.fixture
def agent(db: None) -> User:
    return User.objects.create_user("agent@example.com", is_superuser=True)


@pytest.fixture
def api(agent: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(agent)
    return client


@pytest.fixture
def draft(agent: User) -> Appeal:
    market = Marketplace.objects.create(slug="bazaar", name="Bazaar")
    shop = Shop.objects.create(name="Tea", marketplace=market)
    Membership.objects.create(shop=shop, user=agent)
    return lifecycle.create(actor=agent, now=timezone.now(), shop=shop, subject="Money")


GONE = [
    OperationalError("gone"),
    InterfaceError("closed"),
    ConnectionResetError(104, "reset"),
    BrokerAwayError("gone"),
]


@pytest.fixture(params=GONE)
def away(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **keywords: Any) -> None:
        raise request.param

    monkeypatch.setattr("appeals.models.appeal.AppealQuerySet.visible_to", fail)


def test_the_api_says_when_to_try_again(api: APIClient, draft: Appeal, away: None) -> None:
    answer = api.get(f"/api/v1/appeals/{draft.pk}/")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer.json()["type"] == "server_error"
    assert answer.json()["errors"][0]["code"] == "unavailable"


def test_what_fails_before_the_view_is_told_alike(calm: Client) -> None:
    """A test without the fixture `db` has no database: finding the token's owner fails."""
    calm.cookies["sessionid"] = "anything"

    def fail(*arguments: Any, **keywords: Any) -> None:
        raise OperationalError("gone")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
        for path in ("/api/v1/appeals/", "/admin/"):
            answer = calm.get(path)
            assert (answer.status_code, answer["Retry-After"]) == (503, "5")
            assert "gone" not in answer.content.decode()
        assert_legible(answer.content.decode())


def test_a_fault_of_our_own_stays_a_500(api: APIClient, draft: Appeal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **keywords: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("appeals.models.appeal.AppealQuerySet.visible_to", fail)
    answer = api.get(f"/api/v1/appeals/{draft.pk}/")
    assert answer.status_code == 500
    assert "Retry-After" not in answer


def assert_legible(page: str) -> None:
    """In colours of the reader's scheme, on a phone too, in a language that is named."""
    assert '<link rel="stylesheet" href="/static/hub/plain.css">' in page
    assert re.search(r'<html lang="(ru|en)">', page)
    assert 'name="viewport"' in page


def test_the_page_of_our_own_fault_is_legible_and_leads_home(rf: RequestFactory) -> None:
    answer = failures.page(rf.get("/admin/"))
    assert answer.status_code == 500
    assert_legible(answer.content.decode())
    assert '<a href="/admin/">' in answer.content.decode()


def full(*arguments: Any, **keywords: Any) -> str:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_storage_is_a_507_and_no_row(api: APIClient, draft: Appeal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FileSystemStorage, "_save", full)
    file = SimpleUploadedFile("note.txt", b"text")
    answer = api.post(f"/api/v1/appeals/{draft.pk}/attachments/", {"file": file}, format="multipart")
    assert answer.status_code == 507
    assert answer["Retry-After"] == "60"
    assert answer.json()["errors"][0]["code"] == "storage_full"
    assert not Attachment.objects.exists()


def test_no_half_of_a_file_stays_on_a_full_disk(tmp_path: Path, settings: Settings) -> None:
    class Halved(ContentFile):  # type: ignore[type-arg]
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"half"
            full()

    with pytest.raises(OSError, match="No space"):
        Folder(str(tmp_path)).save("attachments/1/file", Halved(b"half and half"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
