"""Files in a bucket, against a small S3 of our own: kept, read through the hub alone, told apart when it is away."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from appeals import lifecycle
from appeals.models import Appeal, Attachment, Membership, Shop
from hub import media
from hub.environment import Environment
from hub.models import User
from marketplaces.models import Marketplace
from tests.hub.running import free_port

SIGNED = r"AWS4-HMAC-SHA256 Credential=key-id/\d{8}/ru-1/s3/aws4_request"
LETTER = "Ответ: отказ.\n".encode() * 200_000  # more than is kept in memory


class S3(BaseHTTPRequestHandler):
    """The four calls of S3 that the hub makes, for one bucket; refuses whoever does not sign with the key."""

    objects: dict[str, bytes]
    protocol_version = "HTTP/1.1"

    def _key(self) -> str | None:
        signed = re.match(
            r"AWS4-HMAC-SHA256 Credential=key-id/\d{8}/ru-1/s3/aws4_request", self.headers["Authorization"] or ""
        )
        path = unquote(urlsplit(self.path).path)
        return path.removeprefix("/letters/") if signed and path.startswith("/letters/") else None

    def _answer(self, status: int, body: bytes = b"", length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("Last-Modified", "Wed, 14 Oct 2026 12:00:00 GMT")
        self.send_header("ETag", '"1"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if key := self._key():
            self.objects[key] = body
        self._answer(200 if key else 403)

    def do_GET(self) -> None:
        found = self.objects.get(self._key() or "")
        if found is None:
            self._answer(404)
        elif part := re.match(r"bytes=(\d+)-(\d*)", self.headers["Range"] or ""):
            first, last = int(part[1]), int(part[2] or len(found) - 1)
            self._answer(206, found[first : last + 1])
        else:
            self._answer(200, b"" if self.command == "HEAD" else found, len(found))

    do_HEAD = do_GET  # noqa: N815

    def do_DELETE(self) -> None:
        self.objects.pop(self._key() or "", None)
        self._answer(204)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def bucket(settings: Settings) -> Iterator[dict[str, bytes]]:
    class Mine(S3):
        objects: dict[str, bytes] = {}

    with ThreadingHTTPServer(("127.0.0.1", 0), Mine) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"s3+http://key-id:sec%2Fret@127.0.0.1:{server.server_port}/letters/hub?region=ru-1"
        settings.STORAGES = settings.STORAGES | {"default": media.storage(url)}
        yield Mine.objects
        server.shutdown()
        thread.join()


@pytest.fixture
def agent(db: None) -> User:
    return User.objects.create_user("agent@example.com")


@pytest.fixture
def attached(bucket: dict[str, bytes], agent: User) -> Attachment:
    now = timezone.now()
    shop = Shop.objects.create(name="Tea", marketplace=Marketplace.objects.create(slug="bazaar", name="Bazaar"))
    Membership.objects.create(shop=shop, user=agent)
    draft: Appeal = lifecycle.create(actor=agent, now=now, shop=shop, subject="Money")
    return lifecycle.attach(appeal=draft, actor=agent, now=now, file=ContentFile(LETTER), name="letter.txt")


def content(attachment: Attachment, user: User) -> tuple[int, bytes]:
    api = APIClient(raise_request_exception=False)
    api.force_authenticate(user)
    answer = api.get(f"/api/v1/appeals/{attachment.appeal_id}/attachments/{attachment.pk}/content/")
    body = b"".join(answer) if answer.streaming else b""
    return answer.status_code, body


def test_a_file_goes_into_the_bucket_and_comes_back_through_the_hub(
    attached: Attachment, agent: User, bucket: dict[str, bytes]
) -> None:
    assert bucket == {f"hub/{attached.file.name}": LETTER}
    assert content(attached, agent) == (200, LETTER)
    outsider = User.objects.create_user("outsider@example.com")
    assert content(attached, outsider)[0] == 404


def test_a_file_that_is_gone_from_the_bucket_is_a_404(
    attached: Attachment, agent: User, bucket: dict[str, bytes]
) -> None:
    bucket.clear()
    assert content(attached, agent)[0] == 404


def test_a_file_is_deleted_there(attached: Attachment, bucket: dict[str, bytes]) -> None:
    default_storage.delete(str(attached.file.name))
    assert bucket == {}


def test_a_bucket_that_is_away_is_a_503(attached: Attachment, agent: User, settings: Settings) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": media.storage(f"s3+http://k:s@127.0.0.1:{free_port()}/letters")
    }
    assert content(attached, agent)[0] == 503


@pytest.mark.parametrize(
    "url",
    [
        "https://key:secret@s3.example.com/letters",
        "s3://s3.example.com/letters",
        "s3://key@s3.example.com/letters",
        "s3://key:secret@s3.example.com/",
        "s3://key:secret@s3.example.com/letters?zone=a",
    ],
)
def test_an_address_that_lacks_something_names_the_variable_and_not_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HUB_MEDIA_URL", url)
    with pytest.raises(ImproperlyConfigured, match=r"^HUB_MEDIA_URL: ") as caught:
        media.storage(Environment(tmp_path)("HUB_MEDIA_URL"))
    assert "secret@" not in str(caught.value).replace("s3://key:secret@host/bucket", "")


def test_without_an_address_files_are_in_a_folder() -> None:
    assert media.storage("") == {"BACKEND": "hub.media.Folder"}
