"""What a full page costs: at most fifteen queries for whoever reads it, and no more with many rows than with few."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from appeals import incidents, lifecycle, reminders
from appeals.incidents import Facts, Part, Text
from appeals.models import Appeal, Event, Membership, RefusedAddress, ReminderRule, SavedView, Shop
from appeals.orders import Order
from hub.models import User
from marketplaces.models import Channel, EscalationStep, ShippedFact, Topic

from .conftest import moscow

LIMIT = 15
LIST = "admin:appeals_appeal_changelist"
EARLIER = [timedelta(days=20), timedelta(days=5), timedelta(hours=23)]


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[None]:
    """What is due today stays so until the page is read."""
    with time_machine.travel(moscow("2026-11-20 12:00"), tick=False):
        yield


MOST = "lead, directory editor"
ON_POSTGRES = pytest.param(MOST, marks=pytest.mark.postgres, id="on PostgreSQL")


@pytest.fixture(params=[MOST, "agent", "administrator", ON_POSTGRES])
def reader(request: pytest.FixtureRequest, shop: Shop) -> User:
    """Whoever reads, and did what can be undone; one who leads and edits the directory is shown most."""
    if request.param == "administrator":
        return User.objects.create_superuser("administrator@example.com")
    user = User.objects.create_user("reader@example.com")
    user.groups.add(*Group.objects.filter(name__in=request.param.split(", ")))
    Membership.objects.create(shop=shop, user=user, is_lead=request.param == MOST)
    return user


@pytest.fixture
def browser(reader: User) -> Client:
    """While a release offers changes, and a view is saved."""
    ShippedFact.objects.create(kind="topic", key="finance", offer={"name": "Money"})
    SavedView.objects.create(user=reader, name="Late", query="due=overdue")
    return enter(reader)


def enter(reader: User) -> Client:
    """While reminders stand still, and a code was given: each costs every page a query."""
    reminders._seen.clear()
    reminders.record_sweep(timezone.now() - timedelta(minutes=10))
    browser = Client()
    browser.force_login(reader)
    session = browser.session
    session[DEVICE_ID_SESSION_KEY] = TOTPDevice.objects.create(user=reader, confirmed=True).persistent_id
    session.save()
    browser.get(reverse("admin:index"))  # the first page saves the session, once
    return browser


def log(actor: User, shop: Shop, sent_at: datetime, now: datetime, **facts: Any) -> Appeal:
    known = {"subject": "Payment 17", "body": "Where is it?", "external_number": "777"} | facts
    appeal = lifecycle.create(actor=actor, now=now, shop=shop, **known)
    return lifecycle.submit(appeal=appeal, actor=actor, now=now, at=sent_at)


def in_incident(agent: User, shop: Shop, facts: Facts, sent_at: datetime) -> Appeal:
    """The first appeal of a new incident, written 20 days ago."""
    batch = incidents.make(
        actor=agent,
        now=timezone.now(),
        token=uuid.uuid4(),
        parts=[Part(shop, [Order(f"{number:05}", Decimal(100)) for number in range(3)])],
        text=Text("Payment of {numbers}", "Orders {numbers} of {shop}"),
        facts=facts,
        sent_at=sent_at,
        title="Payments stopped",
    )
    return batch.incident.appeals.order_by("pk")[0]


@pytest.fixture
def about(finance: Topic, desk: Channel, steps: list[EscalationStep]) -> dict[str, Any]:
    """Promises and a path."""
    return {"topic": finance, "channel": desk}


@pytest.fixture
def rich(agent: User, reader: User, shop: Shop, about: dict[str, Any]) -> Appeal:
    """Of a matter and an incident, with all that its page can show: files, clocks, a next step, a way back."""
    now = timezone.now()
    first = log(agent, shop, now - EARLIER[0], now, **about)
    appeal = in_incident(agent, shop, Facts(topic=about["topic"], assignee=reader), now - EARLIER[1])
    appeal = lifecycle.edit(appeal=appeal, actor=agent, now=now, previous=first, external_number="777")
    lifecycle.record_reply(appeal=appeal, actor=agent, now=now, kind="brush_off", text="Wait.", at=now - EARLIER[2])
    add_rows(appeal, agent, 1)
    appeal = lifecycle.escalate(appeal=appeal, actor=agent, now=now, step=EscalationStep.objects.get(key="repeat"))
    lifecycle.message(appeal=appeal, actor=reader, now=now, text="Please answer")
    return appeal


def add_rows(appeal: Appeal, agent: User, count: int) -> None:
    now = timezone.now()
    for index in range(count):
        file = SimpleUploadedFile(f"{index}.txt", b"text", "text/plain")
        lifecycle.attach(appeal=appeal, actor=agent, now=now, file=file, name=file.name or "")
        Event.objects.create(appeal=appeal, kind=Event.Kind.EXPORTED, at=now, recorded_at=now, actor=agent)


def queries(browser: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(address).status_code == 200
    return len(asked)


def fill_home(agent: User, shop: Shop, count: int) -> None:
    """Every list of the home page, and its figures."""
    now = timezone.now()
    for index in range(count):
        lifecycle.create(actor=agent, now=now, shop=shop, subject=f"Draft {index}")
        log(agent, shop, now - timedelta(days=9), now)
        log(agent, shop, now - timedelta(hours=23), now)
        log(agent, shop, now, now)
        asked = log(agent, shop, now - timedelta(hours=1), now, assignee=agent, amount_at_stake=100)
        lifecycle.record_reply(appeal=asked, actor=agent, now=now, kind="question", text="Which?")
        decided = log(agent, shop, now - timedelta(days=3), now, topic=None)
        lifecycle.record_reply(appeal=decided, actor=agent, now=now, kind="answer", text="Paid", at=now)


def refuse(agent: User) -> None:
    """Mail reaches neither a person of the team nor an address of a rule."""
    rule = ReminderRule.objects.order_by("pk")[0]
    rule.extra_addresses = ["desk@example.com"]
    rule.save()
    for address in (agent.email, "desk@example.com"):
        RefusedAddress.objects.create(address=address, reason="full", at=timezone.now())


def test_the_page_of_a_rich_appeal(browser: Client, rich: Appeal, reader: User, agent: User) -> None:
    address = rich.get_absolute_url()
    with CaptureQueriesContext(connection) as asked:
        page = browser.get(address)
    assert len(asked) <= LIMIT, "\n".join(one["sql"] for one in asked.captured_queries)
    shown = page.context
    assert len(shown["matter"]) == 2
    assert shown["appeal"].incident
    assert shown["undoable"].actor == reader
    assert (shown["first_promise"] != "", shown["next_step"]["name"]) == (True, "complaint")
    assert {one.appeal for one in shown["number_warnings"]} == {rich.previous_id}
    assert len(shown["attachments"]) == 1

    add_rows(rich, agent, 10)
    assert queries(browser, address) <= len(asked)


def test_the_page_of_a_draft(browser: Client, shop: Shop, agent: User, about: dict[str, Any]) -> None:
    first = log(agent, shop, timezone.now(), timezone.now(), **about)
    draft = lifecycle.create(actor=agent, now=timezone.now(), shop=shop, subject="x", previous=first, **about)
    add_rows(draft, agent, 1)
    few = queries(browser, draft.get_absolute_url())
    assert few <= LIMIT
    add_rows(draft, agent, 10)
    assert queries(browser, draft.get_absolute_url()) <= few


def test_a_full_home_page(browser: Client, rich: Appeal, shop: Shop, agent: User) -> None:
    refuse(agent)
    fill_home(agent, shop, 1)
    few = queries(browser, reverse("admin:index"))
    fill_home(agent, shop, 9)
    with CaptureQueriesContext(connection) as asked:
        page = browser.get(reverse("admin:index"))
    assert few <= len(asked) <= LIMIT, asked.captured_queries
    assert [item["key"] for item in page.context["lists"] if not item["rows"]] == []


def test_lists(browser: Client, rich: Appeal, shop: Shop, agent: User) -> None:
    fill_home(agent, shop, 1)
    asked = ["", "?due=overdue", "?turn=us", "?assignee=me", "?q=payment", "?q=777", "?kept=yes"]
    asked.append(f"?incident={rich.incident_id}")
    few = {query: queries(browser, reverse(LIST) + query) for query in asked}
    fill_home(agent, shop, 9)
    many = {query: queries(browser, reverse(LIST) + query) for query in asked}
    assert max(many.values()) <= LIMIT, many
    assert many == few
    assert queries(browser, reverse(LIST) + "?p=2") <= LIMIT


def test_what_the_frame_says_is_in_it(browser: Client, rich: Appeal, reader: User) -> None:
    """The measured pages are those that say it."""
    page = browser.get(rich.get_absolute_url()).content.decode()
    assert "hub-stand" in page
    assert (reverse("offers") in page) == reader.has_perm("marketplaces.change_channel")


def test_the_dialogs_and_letters_of_an_appeal(browser: Client, rich: Appeal, agent: User) -> None:
    dialogs = [
        reverse("admin:appeals_appeal_verb", args=[rich.pk, verb]) for verb in ("escalate", "assign", "message")
    ]
    letters = [reverse("admin:appeals_appeal_letter", args=[rich.pk, kind]) for kind in ("follow_up", "claim", "fas")]
    few = {address: queries(browser, address) for address in [*dialogs, *letters]}
    assert max(few.values()) <= LIMIT, few
    add_rows(rich, agent, 10)
    assert {address: queries(browser, address) for address in few} == few


def test_a_shop_of_many_people_and_an_incident(browser: Client, rich: Appeal, shop: Shop) -> None:
    assert rich.incident
    addresses = [reverse("admin:appeals_shop_change", args=[shop.pk]), rich.incident.get_absolute_url()]
    few = {address: queries(browser, address) for address in addresses}
    assert max(few.values()) <= LIMIT, few
    for number in range(10):
        user = User.objects.create_user(f"member{number}@example.com")
        Membership.objects.create(shop=shop, user=user)
    assert {address: queries(browser, address) for address in few} == few
