"""The directory as CSV and XLSX: out and in again, with a look at the differences and the place of what is bad."""

import io
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import tablib
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from hub.models import User
from marketplaces import directory, sheets
from marketplaces.exchange import RESOURCES
from marketplaces.models import Channel, DirectoryChange, Marketplace, Topic
from tests.marketplaces.test_offers import NOW

CSV, XLSX = "0", "1"


@pytest.fixture
def reader(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def exported(client: Client, model: str = "channel", form: str = CSV) -> bytes:
    address = reverse(f"admin:marketplaces_{model}_export")
    fields = client.get(address).context["form"].fields
    chosen = {name: "on" for name in fields if name.startswith(f"{model}resource_")}
    answer = client.post(address, {"format": form, "resource": "", **chosen})
    assert answer.status_code == 200
    return answer.content


def table(client: Client) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = tablib.Dataset().load(exported(client).decode("utf-8-sig"), format="csv").dict
    return rows


def text(rows: list[dict[str, Any]]) -> bytes:
    data = tablib.Dataset(*[list(row.values()) for row in rows], headers=list(rows[0]))
    return str(data.export("csv")).encode()


def upload(client: Client, content: bytes, form: str = CSV, model: str = "channel") -> Any:
    file = SimpleUploadedFile("directory.csv", content)
    address = reverse(f"admin:marketplaces_{model}_import")
    return client.post(address, {"format": form, "resource": "", "import_file": file})


def confirm(client: Client, shown: Any, model: str = "channel") -> Any:
    address = reverse(f"admin:marketplaces_{model}_process_import")
    return client.post(address, shown.context["confirm_form"].initial, follow=True)


def bad(shown: Any) -> list[tuple[int, str]]:
    """Row and column of what is wrong, as the page shows them."""
    assert "confirm_form" not in shown.context
    rows = shown.context["result"].invalid_rows
    return [(row.number + 1, column) for row in rows for column in row.field_specific_errors]


def test_a_change_in_a_table_is_shown_first_and_written_after_the_word(
    reader: Client, editor: User, chat: Channel
) -> None:
    (row,) = table(reader)
    shown = upload(reader, text([row | {"address": "https://example.com/chat"}]))
    cells = '<th scope="row">address</th><td>—</td><td>https://example.com/chat</td>'
    assert shown.content.decode().count('<th scope="row">address') == shown.content.decode().count(cells) == 1
    assert '<th scope="row">name' not in shown.content.decode()
    chat.refresh_from_db()
    assert chat.address == ""

    confirm(reader, shown)
    chat.refresh_from_db()
    assert chat.address == "https://example.com/chat"
    line = DirectoryChange.objects.get()
    assert (line.action, line.actor) == ("imported", editor)
    assert line.changes["address"] == ["", "https://example.com/chat"]


def test_a_row_without_a_number_is_new(reader: Client, editor: User, chat: Channel) -> None:
    (row,) = table(reader)
    new = row | {"id": "", "key": "", "version": "", "name": "Почта", "kind": "email", "verified_on": "2026-02-01"}
    confirm(reader, upload(reader, text([row, new])))
    added = Channel.objects.get(name="Почта")
    assert (added.marketplace, added.verified_by, added.key) == (chat.marketplace, editor, "")
    assert Channel.objects.count() == 2


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"opening_hours": "nine to five"}, "opening_hours"),
        ({"kind": "pigeon"}, "kind"),
        ({"marketplace": "nowhere"}, "marketplace"),
        ({"contradicts": "nobody"}, "contradicts"),
        ({"source": ""}, "source"),
        ({"verified_on": "yesterday"}, "verified_on"),
        ({"id": "4711"}, "id"),
        ({"version": "0"}, "version"),
        ({"position": "first"}, "position"),
        ({"needs_login": "perhaps"}, "needs_login"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column_and_nothing_is_written(
    reader: Client, chat: Channel, cells: dict[str, str], column: str
) -> None:
    (row,) = table(reader)
    good = row | {"id": "", "version": "", "name": "Хороший"}
    shown = upload(reader, text([good, row | {"name": "Плохой"} | cells]))
    assert bad(shown) == [(3, column)]
    assert f"<td>3</td><td>{column}</td>" in shown.content.decode()
    assert list(Channel.objects.values_list("name", flat=True)) == ["Чат"]


def test_a_table_that_says_the_same_leaves_nothing_to_confirm(reader: Client, chat: Channel) -> None:
    page = upload(reader, exported(reader)).content.decode()
    assert "the directory says the same" in page
    assert "Write it" not in page


def test_a_table_that_a_russian_spreadsheet_saved_is_read(reader: Client, chat: Channel) -> None:
    (row,) = table(reader)
    changed = row | {"name": "Чат, где отвечают", "needs_login": "ИСТИНА", "verified_on": "05.02.2026"}
    content = "\r\n".join(";".join(cells) for cells in (changed, changed.values())).encode("cp1251")
    done = confirm(reader, upload(reader, content)).content.decode()
    assert "Written. New rows: 0, changed: 1." in done
    chat.refresh_from_db()
    assert (chat.name, chat.needs_login, chat.verified_on) == ("Чат, где отвечают", True, date(2026, 2, 5))


def test_each_column_is_explained(reader: Client) -> None:
    for view in ("import", "export"):
        page = reader.get(reverse(f"admin:marketplaces_channel_{view}")).content.decode()
        assert '<th scope="row"><code>name_en</code></th><td>name in English</td>' in page


def test_an_unknown_topic_is_named_with_its_column(reader: Client, chat: Channel) -> None:
    (row,) = table(reader)
    page = upload(reader, text([row | {"topics": "weather"}])).content.decode()
    assert "Row 2:" in page
    assert "topics" in page
    assert "weather" in page


def test_an_unknown_column_is_named(reader: Client, chat: Channel) -> None:
    (row,) = table(reader)
    page = upload(reader, text([{**row, "adress": "x"}])).content.decode()
    assert "There is no column “adress”." in page
    assert "Traceback" not in page


def test_what_a_colleague_changed_since_the_export_is_not_overwritten(reader: Client, chat: Channel) -> None:
    (row,) = table(reader)
    shown = upload(reader, text([row | {"address": "https://mine.example"}]))
    chat.address = "https://theirs.example"
    chat.save()
    answer = confirm(reader, shown)
    assert "Nothing was imported" in answer.content.decode()
    chat.refresh_from_db()
    assert chat.address == "https://theirs.example"


@pytest.mark.parametrize("start", ["=1+1", "+7 495 000-00-00", "-1", "@SUM(A1)", "\t=1", "=1\n- a;=2"])
def test_no_cell_is_a_formula_and_every_value_comes_back_as_it_was(reader: Client, chat: Channel, start: str) -> None:
    Channel.objects.update(remarks=start, address=start.strip())
    (row,) = table(reader)
    said = (sheets.in_csv(f"'{start}"), sheets.in_csv(f"'{start.strip()}"))
    assert (row["remarks"], row["address"]) == said
    sheet = openpyxl.load_workbook(io.BytesIO(exported(reader, form=XLSX))).active
    assert sheet is not None
    assert all(cell.data_type != "f" for cells in sheet.rows for cell in cells)

    confirm(reader, upload(reader, text([row | {"name": "Новый"}])))
    chat.refresh_from_db()
    assert (chat.name, chat.remarks) == ("Новый", start)


@pytest.mark.parametrize("form", [CSV, XLSX])
@pytest.mark.parametrize("model", [model._meta.model_name for model in RESOURCES])
def test_the_shipped_directory_comes_back_unchanged(reader: Client, form: str, model: str) -> None:
    directory.load(now=NOW)
    content = exported(reader, model, form)
    shown = upload(reader, content, form, model)
    result = shown.context["result"]
    assert not result.has_errors(), [str(error.error) for row in result.row_errors() for error in row[1]]
    assert not result.invalid_rows
    assert result.rows == []
    assert result.totals["skip"] == result.total_rows > 3


def test_references_and_lists_survive(reader: Client, market: Marketplace, chat: Channel) -> None:
    topic = Topic.objects.create(slug="money", key="money", name="Деньги", source="S1", examples=["Нет", "Мало"])
    own = Channel.objects.create(marketplace=market, kind="chat", name="Другой", source="S1", contradicts=chat)
    own.topics.add(topic)
    rows = {row["name"]: row for row in table(reader)}
    assert (rows["Другой"]["contradicts"], rows["Другой"]["topics"]) == (f"#{chat.pk}", "money")
    confirm(reader, upload(reader, text([rows["Чат"] | {"topics": "money"}])))
    assert list(chat.topics.all()) == [topic]


@pytest.mark.parametrize("role", ["viewer", "agent", "lead", ""])
def test_only_editors_exchange(client: Client, chat: Channel, role: str) -> None:
    user = User.objects.create_user("somebody@example.com", language="en")
    if role:
        user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    for view in ("import", "export", "process_import"):
        address = reverse(f"admin:marketplaces_channel_{view}")
        assert client.post(address, {}).status_code == 403
    assert client.get(reverse("admin:marketplaces_channel_export")).status_code == 403


def test_a_file_that_is_no_table_is_refused(reader: Client, chat: Channel) -> None:
    for content in (b"\x00\x01", b"PK\x03\x04 no zip"):
        answer = upload(reader, content, XLSX)
        assert "The file cannot be read as a table." in answer.content.decode()
        assert "confirm_form" not in answer.context


def test_a_cell_that_postgresql_could_not_keep_is_named(reader: Client, chat: Channel) -> None:
    shown = upload(reader, exported(reader).replace("Чат".encode(), b"a\x00b"))
    assert "NUL" in shown.content.decode()
    assert "confirm_form" not in shown.context


@pytest.mark.parametrize("form", [CSV, XLSX])
def test_another_machine_may_take_the_word(
    reader: Client, chat: Channel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    shown = upload(reader, exported(reader, form=form).replace("Чат".encode(), "Час".encode()), form)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert confirm(reader, shown).status_code == 200
    chat.refresh_from_db()
    assert chat.name == ("Час" if form == CSV else "Чат")
