"""Files of an appeal: what they are is told by their bytes, and nobody else sees them."""

import io
import socket
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.live_server_helper import LiveServer
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles
from rest_framework.test import APIClient, APIRequestFactory

from appeals import attachments
from appeals.models import Appeal, Attachment, Event
from hub.models import ApiToken, User
from marketplaces.api.parsers import MultiPartParser
from marketplaces.models import Marketplace
from tests.api_contract.conftest import make_appeal, make_shop, person

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    + b"\0" * 50
)


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def at(sent: Appeal) -> str:
    return f"/api/v1/appeals/{sent.pk}/attachments/"


def upload(api: APIClient, at: str, content: bytes, name: str = "proof.png") -> Any:
    return api.post(at, {"file": SimpleUploadedFile(name, content)}, format="multipart")


def download(api: APIClient, url: str, **headers: str) -> Any:
    """The answer, read to its end."""
    answer: Any = api.get(url, headers=headers)
    content = answer.getvalue()
    answer.close()
    answer.getvalue = lambda: content
    return answer


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_goes_in_and_comes_out(api: APIClient, at: str, agent: User, media: Path) -> None:
    answer = upload(api, at, PNG, "Скрин «оплаты».png")
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["name"], body["content_type"], body["size"]) == ("Скрин «оплаты».png", "image/png", len(PNG))
    assert body["uploaded_by"] == agent.email
    assert api.get(at).json()["results"] == [body]
    assert Event.objects.filter(kind="attached").count() == 1

    content = download(api, f"{at}{body['id']}/content/")
    assert content.getvalue() == PNG
    assert content.headers["Content-Type"] == "image/png"
    assert content.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert content.headers["X-Content-Type-Options"] == "nosniff"
    (path,) = stored(media)
    assert "png" not in path.name


def test_a_file_is_given_whatever_the_caller_accepts(api: APIClient, at: str) -> None:
    number = upload(api, at, PNG).json()["id"]
    assert download(api, f"{at}{number}/content/", Accept="application/pdf").status_code == 200


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<html><script>alert(1)</script></html>", "page.png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture.svg"),
        (b"MZ\x90\x00\x03\x00\x00\x00\x04", "report.pdf"),
        (b"\x7fELF\x02\x01\x01", "x.txt"),
        (b"", "empty.txt"),
    ],
)
def test_a_kind_that_is_not_accepted_is_refused_whatever_its_name(
    api: APIClient, at: str, media: Path, content: bytes, name: str
) -> None:
    answer = upload(api, at, content, name)
    assert answer.status_code == 400, answer.json()
    assert answer.json()["errors"][0]["attr"] == "file"
    assert (Attachment.objects.count(), stored(media)) == (0, [])


@pytest.mark.parametrize(
    ("content", "name", "kept"),
    [
        (b"GIF89a/*<script>alert(1)</script>*/=1;", "picture.html", "picture.html.gif"),
        (b"alert(1)", "note.js", "note.js.txt"),
        (b"alert(1)", "note.hta. .", "note.hta.txt"),
        (PNG, "PROOF.PNG", "PROOF.PNG"),
        (PNG, "Акт № 7 от 12.10.2026", "Акт № 7 от 12.10.2026.png"),
        (b"a,b", "orders.csv", "orders.csv"),
        (b"text", "README", "README"),
    ],
)
def test_a_file_that_was_saved_opens_as_what_it_is(
    api: APIClient, at: str, content: bytes, name: str, kept: str
) -> None:
    assert upload(api, at, content, name).json()["name"] == kept


def test_a_note_that_begins_with_digits_is_a_text(api: APIClient, at: str, media: Path) -> None:
    answer = upload(api, at, b"00ad1234 is the number of the order.", "note.txt")
    assert (answer.status_code, answer.json().get("content_type")) == (201, "text/plain")


def test_a_quotation_mark_in_a_name_is_one_though_forms_write_it_as_a_number(
    api: APIClient, at: str, media: Path
) -> None:
    body = upload(api, at, PNG, "Скрин %22оплаты%22 100%.png").json()
    assert body["name"] == 'Скрин "оплаты" 100%.png'
    content = download(api, f"{at}{body['id']}/content/")
    assert unquote(content.headers["Content-Disposition"]).endswith("''" + body["name"])


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\y.txt", "a" * 300 + ".txt", "a\x00b.txt", "a\r\nb.txt"])
def test_a_name_never_becomes_a_path(api: APIClient, at: str, media: Path, name: str) -> None:
    answer = upload(api, at, b"text", name)
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        assert "/" not in answer.json()["name"]
        assert download(api, f"{at}{answer.json()['id']}/content/").status_code == 200
    assert all(media in path.parents for path in stored(media))


def test_a_file_that_is_too_large_is_413(api: APIClient, at: str, media: Path) -> None:
    for size in (attachments.MAX_BYTES + 1, settings.API_MAX_UPLOAD_BYTES + 1):
        answer = upload(api, at, b"x" * size, "x.txt")
        assert answer.status_code == 413
        assert answer.json()["errors"][0]["code"] == "too_large"
    assert stored(media) == []


def test_an_appeal_has_50_files_at_most(api: APIClient, at: str, sent: Appeal) -> None:
    for _time in range(attachments.MAX_FILES):
        assert upload(api, at, b"text", "a.txt").status_code == 201
    assert upload(api, at, b"text", "a.txt").status_code == 400
    assert sent.attachments.count() == attachments.MAX_FILES


@pytest.mark.parametrize("data", [{}, {"file": "text"}])
def test_a_form_without_a_file_is_refused(api: APIClient, at: str, data: dict[str, str]) -> None:
    answer = api.post(at, data, format="multipart")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "file"


def test_json_is_no_form(api: APIClient, at: str) -> None:
    assert api.post(at, {"file": "x"}).status_code == 415


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; name=\xff\r\n"]
)
def test_a_form_that_cannot_be_read_is_400(api: APIClient, at: str, body: bytes) -> None:
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary=\u00e9"):
        assert api.generic("POST", at, body, content_type=kind).status_code == 400  # type: ignore[arg-type]


def test_a_file_that_has_gone_from_the_storage_is_404(api: APIClient, at: str, media: Path) -> None:
    number = upload(api, at, PNG).json()["id"]
    stored(media)[0].unlink()
    assert api.get(f"{at}{number}/content/").status_code == 404


def test_a_file_of_one_appeal_is_not_found_under_another(api: APIClient, at: str, sent: Appeal, agent: User) -> None:
    number = upload(api, at, PNG).json()["id"]
    other = make_appeal(sent.shop, agent)
    assert api.get(f"/api/v1/appeals/{other.pk}/attachments/{number}/content/").status_code == 404


def test_a_form_that_breaks_off_is_refused_by_its_announced_length() -> None:
    whole = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ntext\r\n--x--\r\n'
    for sent, complete in ((whole, True), (whole[:-12], False)):
        request = APIRequestFactory().post("/", sent, content_type="multipart/form-data; boundary=x")
        request.META["CONTENT_LENGTH"] = str(len(whole))
        context = {"request": request, "encoding": "utf-8"}
        if complete:
            parsed = MultiPartParser().parse(io.BytesIO(sent), "multipart/form-data; boundary=x", context)
            assert isinstance(parsed, DataAndFiles)
            assert parsed.files["file"].read() == b"text"
        else:
            with pytest.raises(ParseError):
                MultiPartParser().parse(io.BytesIO(sent), "multipart/form-data; boundary=x", context)


def test_an_upload_whose_sender_hangs_up_leaves_nothing(
    transactional_db: None, live_server: LiveServer, media: Path
) -> None:
    agent = person("agent", role="agent")
    market = Marketplace.objects.create(slug="bazaar", name="Bazaar")
    appeal = make_appeal(make_shop(market, agent, "Tea"), agent)
    _row, token = ApiToken.objects.create(agent)
    head = (
        f"POST /api/v1/appeals/{appeal.pk}/attachments/ HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        "Content-Length: 5000000\r\nConnection: close\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    )
    where = urlsplit(live_server.url)
    with socket.create_connection((where.hostname, where.port), timeout=60) as wire:
        wire.sendall(head.encode() + b"x" * 100_000)
        wire.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := wire.recv(65536):
            answer += chunk
    assert b" 400 " in answer.split(b"\r\n")[0]
    assert (Attachment.objects.count(), stored(media)) == (0, [])
