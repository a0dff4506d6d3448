"""No address costs more than fifteen queries. They come from the URL resolver: a new page cannot be forgotten."""

import logging
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from appeals import lifecycle
from appeals.models import Appeal, Membership
from hub.models import User
from marketplaces.directory_rows import KINDS
from marketplaces.models import Channel, Marketplace, ShippedFact, Topic
from tests.browser import pages
from tests.hub import who_may

from .test_page_queries import LIMIT, MOST, ON_POSTGRES, enter

Table = dict[str, int]
LEAD, EDITOR, ADMINISTRATOR = -5, -3, -1  # their columns in docs/who-may.md
ROLE = "/admin/auth/group/<object_id>/delete/"  # opens for a group of one's own; the example is a shipped role


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """Hundreds of requests, some refused, need no lines in the log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(params=[MOST, "administrator", ON_POSTGRES])
def reader(request: pytest.FixtureRequest, db: None) -> User:
    call_command("load_directory", verbosity=0)
    if request.param == "administrator":
        return User.objects.create_superuser("administrator@example.com")
    user = User.objects.create_user("reader@example.com")
    user.groups.add(*Group.objects.filter(name__in=request.param.split(", ")))
    return user


@pytest.fixture
def appeal(reader: User) -> Appeal:
    """One that was written again, has a topic, a channel and files, took a step, and whose last move can be undone."""
    now, root = timezone.now(), User.objects.create_superuser("root@example.com")
    appeal = pages.example(root)
    Membership.objects.create(shop=appeal.shop, user=reader, is_lead=True)
    about = {
        "topic": Topic.objects.get(slug="finance"),
        "channel": Channel.objects.filter(marketplace__slug="ozon")[0],
    }
    appeal = lifecycle.edit(appeal=appeal, actor=root, now=now, external_number="777", order_numbers=["1-1"], **about)
    step = lifecycle.next_step(appeal)
    assert step
    appeal = lifecycle.escalate(appeal=appeal, actor=root, now=now, step=step)
    return lifecycle.message(appeal=appeal, actor=reader, now=now, text="Please answer")


@pytest.fixture
def browser(reader: User, appeal: Appeal) -> Client:
    """The release offers something of each kind on each marketplace, references too, has a row that the team deleted,
    and one that it dropped."""
    for kind in KINDS:
        columns = [*kind.many, *(name for name, _model in kind.references), *kind.plain]
        for slug in ("", *Marketplace.objects.values_list("slug", flat=True)):
            for fact in ShippedFact.objects.filter(kind=kind.name, marketplace=slug)[:2]:
                fact.offer = {name: fact.values[name] for name in columns if fact.values[name]}
                fact.save()
    ShippedFact.objects.create(kind="channel", marketplace="ozon", key="gone", values={"name": "Gone"})
    dropped = ShippedFact.objects.filter(kind="rule")[2]
    ShippedFact.objects.filter(pk=dropped.pk).update(values=dropped.values | {"retired": True})
    return enter(reader)


def asked_of(browser: Client, addresses: list[str]) -> tuple[Table, dict[str, int]]:
    """Queries and status of each."""
    queries, statuses = {}, {}
    for address in addresses:
        with CaptureQueriesContext(connection) as asked:
            answer = browser.get(address)
            if answer.streaming:
                assert b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        queries[address], statuses[address] = len(asked), answer.status_code
    return queries, statuses


def opened(*columns: int) -> set[str]:
    """The addresses that docs/who-may.md grants."""
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in who_may.written("page")]
    return {row[1] for row in rows if row[0] == "GET" and "yes" in [row[column] for column in columns]}


def test_no_address_costs_more(browser: Client, reader: User, appeal: Appeal) -> None:
    known = {one.url: one.shown for one in pages.known(appeal, reader, every=True)}
    for page in ("where-to-write", "admin:index", "trail"):
        address = reverse(page)
        known[f"{address}?shop={appeal.shop_id}&marketplace=ozon&topic=finance"] = address
    expected = opened(LEAD, EDITOR)
    if reader.is_superuser:  # is shown what the others are, and here what they are not
        known = {url: shown for url, shown in known.items() if shown not in expected}
        expected = opened(ADMINISTRATOR) - expected - {ROLE}
    queries, statuses = asked_of(browser, list(known))
    assert max(queries.values()) <= LIMIT, {one: count for one, count in queries.items() if count > LIMIT}
    assert expected - {known[one] for one, status in statuses.items() if status in (200, 302)} == set()
