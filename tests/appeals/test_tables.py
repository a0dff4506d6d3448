"""The list as a table: out, exactly as filtered; and past appeals in, looked at before they are written."""

import csv
import io
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook, load_workbook
from pytest_django import DjangoAssertNumQueries

from appeals import lifecycle, shops
from appeals.models import Appeal, Shop
from hub.models import User
from marketplaces.models import Channel, Marketplace, Topic

from .conftest import SENT, moscow

IMPORT = "admin:appeals_appeal_import"


@pytest.fixture
def ours(agent: User) -> Client:
    agent.groups.add(Group.objects.get(name="agent"))
    client = Client()
    client.force_login(agent)
    return client


@pytest.fixture
def outsider(db: None) -> Client:
    user = User.objects.create_user("outsider@example.com", language="en")
    user.groups.add(Group.objects.get(name="lead"))
    client = Client()
    client.force_login(user)
    return client


def export(client: Client, kind: str, query: str = "") -> bytes:
    answer = client.get(reverse("admin:appeals_appeal_export", args=[kind]) + query)
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def from_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def upload(client: Client, content: bytes | str, name: str = "past.csv") -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(reverse(IMPORT), {"file": SimpleUploadedFile(name, data)})


# Out


def test_a_table_holds_exactly_what_is_filtered(ours: Client, draft: Appeal, agent: User) -> None:
    other = lifecycle.create(actor=agent, now=SENT, shop=draft.shop, subject="Другое", order_numbers=["11", "22"])
    lifecycle.submit(appeal=other, actor=agent, now=SENT)
    assert [row["Subject"] for row in from_csv(export(ours, "csv"))] == ["Другое", "Where is the money?"]
    assert [row["Subject"] for row in from_csv(export(ours, "csv", "?status=draft"))] == ["Where is the money?"]
    [row] = from_csv(export(ours, "csv", "?q=другое"))
    assert (row["Order numbers"], row["Sent"], row["Shop"]) == ("11\n22", "2026-10-05 10:00", "Tea and Cups")


def test_a_workbook_keeps_numbers_and_moments_as_such(ours: Client, draft: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=draft, actor=agent, now=SENT, amount_at_stake=Decimal("12.50"))
    sheet = load_workbook(io.BytesIO(export(ours, "xlsx"))).active
    assert sheet
    head, row = list(sheet.iter_rows(values_only=True))
    cells = dict(zip(head, row, strict=True))
    assert sheet.freeze_panes == "A2"
    assert (
        min(sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]) >= len("2026-10-05 10:00:00") - 1
    )
    assert (cells["Created"], cells["Money at stake, roubles"]) == (datetime(2026, 10, 5, 10, 0), 12.5)  # noqa: DTZ001


def test_no_cell_is_run_as_a_formula(ours: Client, shop: Shop, agent: User) -> None:
    lifecycle.create(actor=agent, now=SENT, shop=shop, subject="=HYPERLINK(1)", body="@x")
    [row] = from_csv(export(ours, "csv"))
    assert (row["Subject"], row["Text"]) == ("'=HYPERLINK(1)", "'@x")


def test_no_piece_of_a_cell_is_run_where_semicolons_split_the_line(ours: Client, shop: Shop, agent: User) -> None:
    """As Russian spreadsheets read a table: at commas they see nothing, at quotes in the middle of a line neither."""
    said = {"subject": "Money;=HYPERLINK(1)", "body": "Hello\n=1+1\n- one"}
    lifecycle.create(actor=agent, now=SENT, shop=shop, **said)
    table = export(ours, "csv").decode("utf-8-sig")
    pieces = re.split(r"[;\n]", table)
    assert not [piece for piece in pieces if piece.startswith(("=", "+", "-", "@"))]
    upload(ours, table)
    ours.post(reverse(IMPORT), {"confirm": "1"})
    assert [{name: getattr(one, name) for name in said} for one in Appeal.objects.all()] == [said, said]


def test_the_export_of_many_takes_as_many_queries_as_of_few(
    ours: Client, shop: Shop, agent: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(60):
        lifecycle.create(actor=agent, now=SENT, shop=shop, subject=f"Тема {index}", assignee=agent)
    ours.get("/admin/")  # the first page after a log-in saves the session
    with django_assert_max_num_queries(15):
        assert len(from_csv(export(ours, "csv"))) == 60


def test_an_outsider_exports_nothing(outsider: Client, draft: Appeal) -> None:
    assert from_csv(export(outsider, "csv")) == []
    assert outsider.get(reverse("admin:appeals_appeal_export", args=["exe"])).status_code == 404


# In


@time_machine.travel(moscow("2026-10-30 12:00"), tick=False)
def test_past_appeals_are_looked_at_first_and_then_brought_in_through_their_verbs(
    ours: Client, shop: Shop, finance: Topic, desk: Channel, agent: User
) -> None:
    table = (
        "shop,topic,channel,subject,order_numbers,amount_at_stake,submitted_at,outcome,amount_recovered,resolved_at\n"
    )
    table += 'tea and cups,Финансы,Чат,Старое,11 22,"1 000,50",05.10.2026 10:00,granted,900,2026-10-07 12:00\n'
    table += "Tea and Cups,finance,,Ждёт,,,2026-10-28 10:00,,,\n"
    table += "Tea and Cups,,,Черновик,,,,,,\n"
    looked = upload(ours, table)
    assert (looked.context["problems"], looked.context["total"]) == ([], 3)
    assert not Appeal.objects.exists()

    assert ours.post(reverse(IMPORT), {"confirm": "1"}).status_code == 302
    old, waiting, draft = Appeal.objects.order_by("id")
    assert (old.status, old.outcome, old.amount_recovered) == ("resolved", "granted", Decimal(900))
    assert (old.submitted_at, old.resolved_at) == (SENT, moscow("2026-10-07 12:00"))
    assert (old.topic, old.channel, old.order_numbers) == (finance, desk, ["11", "22"])
    assert old.amount_at_stake == Decimal("1000.50")
    assert old.deadlines.get(kind="answer").state == "met"
    assert (waiting.status, draft.status) == ("waiting", "draft")
    assert [event.kind for event in old.events.all()] == ["submitted", "resolved", "created"]
    assert ours.post(reverse(IMPORT), {"confirm": "1"}).status_code == 404


def test_a_table_that_a_russian_spreadsheet_saved_is_read(ours: Client, shop: Shop) -> None:
    looked = upload(ours, "магазин;заголовок\r\nTea and Cups;Штраф, которого нет\r\n".encode("cp1251"))
    assert (looked.context["problems"], looked.context["total"]) == ([], 1)
    ours.post(reverse(IMPORT), {"confirm": "1"})
    assert Appeal.objects.get().subject == "Штраф, которого нет"


def test_what_was_exported_can_be_brought_in_again(ours: Client, sent: Appeal, agent: User) -> None:
    for kind in ("csv", "xlsx"):
        looked = upload(ours, export(ours, kind), f"table.{kind}")
        assert looked.context["problems"] == [], kind
    ours.post(reverse(IMPORT), {"confirm": "1"})
    first, again = Appeal.objects.order_by("id")
    for name in ("shop", "topic", "channel", "subject", "submitted_at", "assignee"):
        assert getattr(first, name) == getattr(again, name), name


def test_bad_cells_are_named_by_row_and_column_and_nothing_is_written(ours: Client, shop: Shop) -> None:
    table = "shop,subject,topic,submitted_at,amount_at_stake,assignee,outcome,resolved_at\n"
    table += "Tea and Cups,Хорошее,,,,,\n"
    table += "Nobody's,Тема,,,,,\n"
    table += "Tea and Cups,,,,,,\n"
    table += "Tea and Cups,Тема,unheard,yesterday,much,who@example.com,splendid\n"
    table += "Tea and Cups,Тема,,2126-01-01,,,\n"
    table += "Tea and Cups,Тема,,,,,granted\n"
    table += "Tea and Cups,Тема,,2026-01-02,,,granted,2026-01-01\n"
    table += "Tea and Cups,,unheard,,,,\n"
    looked = upload(ours, table)
    found = {(problem.row, problem.column) for problem in looked.context["problems"]}
    assert found == {
        (3, "shop"),
        (4, "subject"),
        (5, "topic"),
        (5, "sent"),
        (5, "money at stake, roubles"),
        (5, "assignee"),
        (5, "outcome"),
        (6, "sent"),
        (7, "sent"),
        (8, "resolved"),
        (9, "subject"),
        (9, "topic"),
    }
    assert not Appeal.objects.exists()
    assert ours.post(reverse(IMPORT), {"confirm": "1"}).status_code == 404


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("past.pdf", b"%PDF"),
        ("past.xlsx", b"not a workbook"),
        ("past.csv", "тема".encode("cp1251")),
        ("past.csv", b""),
        ("past.csv", b"shop,subject,colour\n"),
        ("past.csv", b"shop\nTea and Cups\n"),
        ("past.csv", b"shop,subject\n"),
        ("past.csv", ("shop,subject\n" + "x,y\n" * 5001).encode()),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_words(ours: Client, shop: Shop, name: str, content: bytes) -> None:
    answer = upload(ours, content, name)
    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]


def test_numbers_that_are_there_already_are_named_and_come_in_only_when_meant(ours: Client, shop: Shop) -> None:
    table = "shop,subject,external_number\nTea and Cups,Первое,77\nTea and Cups,Второе,\nTea and Cups,Третье,88\n"
    assert upload(ours, table).context["doubles"] == []
    ours.post(reverse(IMPORT), {"confirm": "1"})
    first = Appeal.objects.get(external_number="77")
    looked = upload(ours, table + "Tea and Cups,Четвёртое,99\nTea and Cups,Пятое,99\n")
    column = "number at the marketplace"
    assert [tuple(double) for double in looked.context["doubles"]] == [
        (2, column, f"№ {first.pk} has this number already."),
        (4, column, f"№ {first.pk + 2} has this number already."),
        (6, column, "Row 5 has the same number."),
    ]
    assert looked.context["problems"] == []
    assert ours.post(reverse(IMPORT), {"confirm": "1"}).context["doubles"]
    assert Appeal.objects.count() == 3
    assert ours.post(reverse(IMPORT), {"confirm": "1", "again": "1"}).status_code == 302
    assert Appeal.objects.count() == 8


def test_another_shop_may_have_the_same_number(ours: Client, shop: Shop, agent: User) -> None:
    shops.create(actor=agent, name="Pots", marketplace=shop.marketplace)
    table = "shop,subject,external_number\nTea and Cups,Первое,77\nPots,Второе,77\n"
    assert upload(ours, table).context["doubles"] == []
    assert ours.post(reverse(IMPORT), {"confirm": "1"}).status_code == 302


@time_machine.travel(moscow("2026-10-30 12:00"), tick=False)
def test_the_look_says_how_many_are_open_and_how_many_are_not_shown(ours: Client, shop: Shop) -> None:
    table = "shop,subject,submitted_at,outcome,resolved_at\n"
    table += "Tea and Cups,Старое,2026-10-05 10:00,granted,2026-10-07\n"
    table += "Tea and Cups,Открытое,2026-10-05 10:00,,\n"
    table += "Tea and Cups,Черновик,,,\n" * 21
    looked = upload(ours, table)
    assert (looked.context["is_open"], looked.context["more"]) == (1, 3)
    assert "reminders of it go out at once" in looked.content.decode()
    ours.post(reverse(IMPORT), {"confirm": "1"})


def test_shops_of_one_name_are_told_apart_by_the_marketplace(ours: Client, shop: Shop, agent: User) -> None:
    other = Marketplace.objects.create(slug="other", name="Другой")
    twin = shops.create(actor=agent, name=shop.name, marketplace=other)
    assert upload(ours, f"shop,subject\n{shop.name},Тема\n").context["problems"][0].column == "shop"
    assert upload(ours, f"marketplace,shop,subject\nДругой,{shop.name},Тема\n").context["problems"] == []
    ours.post(reverse(IMPORT), {"confirm": "1"})
    assert Appeal.objects.get().shop == twin


def test_nobody_brings_in_appeals_for_shops_of_others(outsider: Client, shop: Shop) -> None:
    assert upload(outsider, "shop,subject\nTea and Cups,Тема\n").context["problems"][0].column == "shop"
    assert outsider.post(reverse(IMPORT), {"confirm": "1"}).status_code == 404
    assert not Appeal.objects.exists()


def test_a_viewer_brings_nothing_in(shop: Shop, db: None) -> None:
    user = User.objects.create_user("viewer@example.com")
    user.groups.add(Group.objects.get(name="viewer"))
    client = Client()
    client.force_login(user)
    assert client.get(reverse(IMPORT)).status_code == 403
    assert upload(client, "shop,subject\nTea and Cups,Тема\n").status_code == 403


def test_a_workbook_is_read_with_its_numbers_and_dates(ours: Client, shop: Shop) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet
    sheet.append(["Shop", "Subject", "Order numbers", "Sent", "Money at stake, roubles"])
    sheet.append([shop.name, "Тема", 12345678, datetime(2026, 10, 5, 10, 0), 99.5])  # noqa: DTZ001
    file = io.BytesIO()
    book.save(file)
    assert upload(ours, file.getvalue(), "past.xlsx").context["problems"] == []
    with time_machine.travel(moscow("2026-10-30 12:00"), tick=False):
        ours.post(reverse(IMPORT), {"confirm": "1"})
    appeal = Appeal.objects.get()
    assert (appeal.order_numbers, appeal.submitted_at, appeal.amount_at_stake) == (
        ["12345678"],
        SENT,
        Decimal("99.50"),
    )


def test_files_that_were_looked_at_do_not_stay(ours: Client, shop: Shop) -> None:
    upload(ours, "shop,subject\nTea and Cups,Первая\n")
    upload(ours, "shop,subject\nTea and Cups,Вторая\n")
    assert len(default_storage.listdir("tables")[1]) == 1
    ours.post(reverse(IMPORT), {"confirm": "1"})
    assert default_storage.listdir("tables")[1] == []


def test_what_a_worksheet_cannot_hold_is_left_out_of_it(ours: Client, sent: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=sent, actor=agent, now=SENT, body="one\x0btwo\x01")
    sheet = load_workbook(io.BytesIO(export(ours, "xlsx"))).active
    assert "onetwo" in [cell.value for row in sheet for cell in row]
