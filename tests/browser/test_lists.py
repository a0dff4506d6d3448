"""The list of appeals: many at once, views, tables in and out, and a viewer who may none of it."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from django.utils.translation import gettext as _
from playwright.sync_api import Page, expect

from appeals import lifecycle, shops
from appeals.admin import bulk, verbs
from appeals.models import Appeal, Membership, SavedView
from hub.models import User
from marketplaces.models import Marketplace

from .conftest import PASSWORD, log_in

pytestmark = pytest.mark.browser

LIST = "/admin/appeals/appeal/"


@pytest.fixture
def three(administrator: User) -> list[Appeal]:
    """Two that were sent and a draft."""
    now = timezone.now()
    shop = shops.create(actor=administrator, name="Чайный дом", marketplace=Marketplace.objects.get(slug="ozon"))
    appeals = [
        lifecycle.create(actor=administrator, now=now, shop=shop, subject=subject, assignee=administrator)
        for subject in ("Первое", "Второе", "Черновик")
    ]
    for appeal in appeals[:2]:
        lifecycle.submit(appeal=appeal, actor=administrator, now=now, at=now - timedelta(hours=1))
    return appeals


def test_many_are_resolved_at_once_and_the_one_that_does_not_fit_is_named(
    page: Page, administrator: User, three: list[Appeal]
) -> None:
    log_in(page, administrator)
    page.goto(LIST)
    for box in page.locator("input.action-select[name=_selected_action]").all():
        box.check()
    page.select_option("select[name=action]", "resolve_many")
    page.locator("#changelist-form button[type=submit]:visible").first.click()
    expect(page.locator(".hub-late")).to_have_count(1)
    page.check("[name=outcome][value=ignored]")
    page.click("button[type=submit].hub-primary")
    expect(page.locator("[role=status] .hub-late")).to_have_count(1)
    assert Appeal.objects.filter(status="resolved").count() == 2


def test_filters_that_are_chosen_are_applied_together_with_the_search(
    page: Page, administrator: User, three: list[Appeal]
) -> None:
    log_in(page, administrator)
    page.goto(f"{LIST}?q=е")
    page.get_by_role("button", name=_("Filters")).click()
    page.locator("#changelist-filter [name=status][value=draft]").check(force=True)
    page.get_by_role("button", name=_("Apply Filters")).click()
    expect(page.locator("#result_list .hub-row")).to_have_count(1)
    expect(page.locator("#result_list")).to_contain_text("Черновик")
    expect(page.locator("#searchbar")).to_have_value("е")
    page.goto("/admin/marketplaces/topic/")
    page.get_by_role("button", name=_("Filters")).click()
    page.locator("#changelist-filter [name=use][value=retired]").check(force=True)
    page.get_by_role("button", name=_("Apply Filters")).click()
    expect(page.locator(".hub-empty")).to_contain_text(_("With these filters nothing is left."))
    page.locator(".hub-empty a").click()
    expect(page.locator("#result_list .hub-row").first).to_be_visible()


def test_a_subject_of_one_long_word_does_not_push_the_columns_out_of_sight(
    page: Page, administrator: User, three: list[Appeal]
) -> None:
    Appeal.objects.filter(pk=three[0].pk).update(subject="x" * 200)
    log_in(page, administrator)
    page.goto(LIST)
    cells = page.locator(".field-what").all()
    assert cells
    assert all(cell.evaluate("one => one.clientWidth < innerWidth / 2") for cell in cells)


def test_a_view_is_kept_and_opened_again(page: Page, administrator: User, three: list[Appeal]) -> None:
    log_in(page, administrator)
    page.goto(f"{LIST}?status=draft")
    page.fill(".hub-views [name=name]", "Мои черновики")
    page.press(".hub-views [name=name]", "Enter")
    view = page.get_by_role("link", name="Мои черновики")
    expect(view).to_be_visible()
    page.goto(LIST)
    view.click()
    expect(page.locator("#result_list tbody")).to_have_count(1)
    assert SavedView.objects.get().query == "status=draft"
    page.click(".hub-view summary")
    assert SavedView.objects.exists()
    page.click(".hub-view button")
    expect(view).to_have_count(0)
    assert not SavedView.objects.exists()


def test_a_broken_table_is_named_by_row_and_column_and_a_whole_one_comes_in(
    page: Page, administrator: User, three: list[Appeal], tmp_path: Path
) -> None:
    broken, whole = tmp_path / "broken.csv", tmp_path / "whole.csv"
    broken.write_text("shop,subject,submitted_at\nЧайный дом,Старое,вчера\nНичей,Старое,\n", "utf-8")
    whole.write_text("shop,subject,submitted_at\nЧайный дом,Старое,2026-01-12 10:00\n", "utf-8")
    log_in(page, administrator)
    page.goto(LIST)
    page.locator(".hub-menu summary").click()
    page.locator(".hub-menu a").last.click()
    page.set_input_files("[name=file]", broken)
    page.click("button[type=submit].hub-primary")
    expect(page.locator(".hub-cells tbody tr")).to_have_count(2)
    page.set_input_files("[name=file]", whole)
    page.click("button[type=submit].hub-primary")
    page.click("button[name=confirm]")
    expect(page.locator("#result_list")).to_contain_text("Старое")
    assert Appeal.objects.get(subject="Старое").status == "waiting"


def test_a_viewer_is_offered_none_of_it_and_refused_all(page: Page, three: list[Appeal]) -> None:
    viewer = User.objects.create_user("viewer@example.com", PASSWORD)
    viewer.groups.add(Group.objects.get(name="viewer"))
    Membership.objects.create(shop=three[0].shop, user=viewer)
    log_in(page, viewer)
    page.goto(LIST)
    expect(page.locator("#result_list tbody")).to_have_count(3)
    expect(page.locator("select[name=action] option[value=resolve_many]")).to_have_count(0)
    page.goto(three[0].get_absolute_url())
    allowed = {verb for verb, form in verbs.FORMS.items() if form.permission == "view"}
    for verb in set(verbs.FORMS) - allowed:
        expect(page.locator(f"#verb-{verb}")).to_have_count(0)
    own = f"{LIST}{three[0].pk}"
    refused = [f"{own}/do/{verb}/" for verb in set(verbs.FORMS) - allowed] + [
        f"{LIST}many/{verb}/?ids={three[0].pk}" for verb in bulk.FORMS
    ]
    for address in (f"{LIST}add/", f"{LIST}import/", f"{own}/change/?edit=1", "/admin/appeals/shop/add/", *refused):
        answer = page.goto(address)
        assert answer
        assert answer.status == 403, address
        expect(page.get_by_role("heading", name=_("This is not open to you"))).to_be_visible()
