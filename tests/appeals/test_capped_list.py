"""A list is counted no further than anybody pages, and says so."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from appeals import lifecycle
from appeals.admin.listing import AppealListing, CappedPaginator
from appeals.models import Appeal, Shop
from hub.models import User

LIST = "/admin/appeals/appeal/"


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch, db: None) -> Client:
    """Of a hub that counts no further than three, and shows two on a page."""
    monkeypatch.setattr(CappedPaginator, "limit", 3)
    monkeypatch.setattr(AppealListing, "list_per_page", 2)
    browser = Client()
    browser.force_login(User.objects.create_superuser("administrator@example.com", language="en"))
    return browser


def log(shop: Shop, actor: User, count: int) -> None:
    for number in range(count):
        lifecycle.create(actor=actor, now=timezone.now(), shop=shop, subject=f"Payment {number}")


def test_a_list_beyond_the_cap_shows_its_first_rows_and_says_so(browser: Client, shop: Shop, agent: User) -> None:
    log(shop, agent, 5)
    page = browser.get(LIST, {"p": 2})
    assert page.context["cl"].result_count == 3
    assert [one.subject for one in page.context["cl"].result_list] == ["Payment 2"]
    assert "The first 3 are listed. Search or filter to see others." in page.content.decode()


def test_a_list_below_the_cap_is_counted_to_its_end_and_says_nothing(browser: Client, shop: Shop, agent: User) -> None:
    log(shop, agent, 2)
    page = browser.get(LIST)
    assert page.context["cl"].result_count == 2
    assert "Search or filter to see others" not in page.content.decode()


def test_what_lies_beyond_the_cap_is_found_by_searching(browser: Client, shop: Shop, agent: User) -> None:
    log(shop, agent, 5)
    assert [one.subject for one in browser.get(LIST, {"q": "PAYMENT 0"}).context["cl"].result_list] == ["Payment 0"]


@pytest.mark.postgres
def test_the_database_stops_at_the_cap_on_postgresql(browser: Client, shop: Shop, agent: User) -> None:
    _stops_at_the_cap(browser, shop, agent)


def test_the_database_stops_at_the_cap(browser: Client, shop: Shop, agent: User) -> None:
    _stops_at_the_cap(browser, shop, agent)


def _stops_at_the_cap(browser: Client, shop: Shop, agent: User) -> None:
    """No query counts or reads all rows: one counts rows that end at the cap and need no order."""
    log(shop, agent, 5)
    browser.get(LIST)
    with CaptureQueriesContext(connection) as asked:
        browser.get(LIST)
    table = Appeal._meta.db_table
    counting = [one["sql"] for one in asked.captured_queries if f'FROM "{table}"' in one["sql"]]
    totals = [sql for sql in counting if sql.startswith("SELECT COUNT(*)")]
    assert len(totals) == 1
    assert totals[0].endswith("LIMIT 3) subquery")
    assert "ORDER BY" not in totals[0]
