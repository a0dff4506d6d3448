"""What nobody can mean is refused with words: addresses and forms with NUL bytes, huge numbers and distant years."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from appeals import lifecycle
from appeals.models import Appeal, Incident, Membership, ReminderRule, Shop
from hub.models import User
from marketplaces.models import Channel, Marketplace

from .conftest import SENT
from .test_admin import page, text, verb, with_role

LIST, ADD, IMPORT = (f"admin:appeals_appeal_{name}" for name in ("changelist", "add", "import"))
ENDLESS = "9" * 5000


@pytest.fixture
def ours(agent: User) -> Client:
    return with_role(agent, "agent")


@pytest.fixture
def lead(agent: User) -> Client:
    return with_role(agent, "lead")


@pytest.mark.parametrize("year", ["0001", "1000", "1970", "9999"])
def test_a_year_that_no_calendar_covers_is_refused_at_its_field(
    ours: Client, draft: Appeal, agent: User, year: str
) -> None:
    at, refused = f"{year}-12-31T23:59", ["No calendar covers this year."]
    assert ours.post(verb(draft, "submit"), {"at": at}).context["form"].errors == {"at": refused}
    lifecycle.submit(appeal=draft, actor=agent, now=SENT)
    assert ours.post(verb(draft, "snooze"), {"until": at}).context["form"].errors == {"until": refused}
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    with pytest.raises(ValidationError) as error:
        lifecycle.snooze(appeal=draft, actor=agent, now=SENT, until=moment)
    assert list(error.value.message_dict) == ["until"]


def test_an_incident_began_and_was_sent_in_a_year_of_the_calendars(ours: Client, shop: Shop) -> None:
    form = ours.get(reverse("admin:appeals_incident_add")).context["form"]
    asked = {
        **{"token": form.initial["token"], "title": "x", "subject": "x", "body": "{numbers}", "_sent": ""},
        **{f"numbers_{shop.pk}": "1-1", "began_at": "0001-01-01T00:00", "sent_at": "1970-01-01T00:00"},
    }
    errors = ours.post(reverse("admin:appeals_incident_add"), asked).context["form"].errors
    assert {"began_at", "sent_at"} <= set(errors)
    assert not Incident.objects.exists()


@pytest.mark.parametrize("numbers", ["9" * 30, ENDLESS, "٣", ""])
def test_no_such_numbers_in_an_address_are_no_page(ours: Client, draft: Appeal, numbers: str) -> None:
    assert ours.get(reverse("admin:appeals_appeal_many", args=["snooze"]), {"ids": numbers}).status_code == 404
    assert ours.get(reverse(ADD), {"previous": numbers}).status_code == 200
    if numbers:
        assert ours.get(page(draft).replace(f"/{draft.pk}/", f"/{numbers}/")).status_code == 302


def test_a_number_with_a_nul_byte_is_refused(ours: Client, shop: Shop) -> None:
    form = {"shop": shop.pk, "subject": "x", "order_numbers": "1\x002", "_draft": ""}
    assert "order_numbers" in ours.post(reverse(ADD), form).context["form"].errors


@pytest.mark.postgres
@pytest.mark.parametrize("filter", ["marketplace", "topic"])
def test_a_filter_with_a_nul_byte_shows_the_list_with_a_note(ours: Client, draft: Appeal, filter: str) -> None:
    answer = ours.get(reverse(LIST), {filter: "\x00"})
    assert answer.headers["Location"].endswith("?e=1")


@pytest.mark.parametrize("asked", [{"turn": "abc"}, {"shop": "abc"}, {"nonsense": "1"}])
def test_an_export_of_an_address_that_nobody_can_mean_leads_to_the_list(
    ours: Client, draft: Appeal, asked: dict[str, str]
) -> None:
    answer = ours.get(reverse("admin:appeals_appeal_export", args=["csv"]), asked)
    assert answer.headers["Location"] == f"{reverse(LIST)}?e=1"


def test_a_search_for_a_whole_text_is_answered(ours: Client, draft: Appeal) -> None:
    asked = " ".join(["money", *map(str, range(2000))])
    assert ours.get(reverse(LIST), {"q": asked}).context["cl"].result_count == 0
    assert ours.get(reverse(LIST), {"q": "money " * 2000}).context["cl"].result_count == 1


@pytest.mark.parametrize(
    "row",
    [
        "subject\nTea and Cups,a\x00b\n",
        "subject,submitted_at\nTea and Cups,a,0001-01-01\n",
        "subject,channel,submitted_at\nTea and Cups,a,Чат,2026-10-05\n",
    ],
)
def test_a_table_with_what_nobody_can_keep_or_count_is_refused(
    ours: Client, shop: Shop, desk: Channel, row: str
) -> None:
    Channel.objects.filter(pk=desk.pk).update(opening_hours="2020 Jan 01 09:00-10:00")
    answer = ours.post(reverse(IMPORT), {"file": SimpleUploadedFile("past.csv", f"shop,{row}".encode())})
    assert answer.context["form"].errors or answer.context["problems"]


def test_a_file_that_the_storage_lost_is_not_found(ours: Client, sent: Appeal, agent: User) -> None:
    kept = lifecycle.attach(appeal=sent, actor=agent, now=SENT, file=ContentFile(b"hello"), name="a.txt")
    kept.file.storage.delete(kept.file.name or "")
    assert ours.get(reverse("admin:appeals_appeal_file", args=[sent.pk, kept.pk])).status_code == 404


def test_a_draft_that_another_appeal_continues_is_kept_and_says_why(
    ours: Client, draft: Appeal, shop: Shop, agent: User
) -> None:
    later = lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Again", previous=draft)
    answer = ours.post(verb(draft, "delete_draft"))
    assert f"№ {later.pk} continues this draft" in text(answer)


def test_a_shop_stays_on_its_marketplace(lead: Client, shop: Shop, sent: Appeal) -> None:
    other = Marketplace.objects.create(slug="other", name="Другой")
    lead_of_it = shop.memberships.get()
    members = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 1, "0-id": lead_of_it.pk, "0-user": lead_of_it.user_id}
    form = {f"memberships-{name}": value for name, value in members.items()} | {"memberships-0-is_lead": "on"}
    form |= {"marketplace": other.pk, "name": "New"}
    lead.post(reverse("admin:appeals_shop_change", args=[shop.pk]), form)
    shop.refresh_from_db()
    assert (shop.name, shop.marketplace) == ("New", sent.shop.marketplace)


RULE = {"deadline_kind": "answer", "moment": "after", "tell_assignee": "on", "is_active": "on", "amount": 1}
RULE |= {"unit": "hours", "repeat_amount": 0, "repeat_unit": "hours", "repeat_limit": 0}


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("amount", {"amount": 2_000_000_000}),
        ("amount", {"amount": 2_000_000_000, "unit": "working_days"}),
        ("amount", {"amount": 2_000_000_000, "unit": "calendar_days", "moment": "before"}),
        ("repeat_amount", {"repeat_amount": 2_000_000_000, "repeat_limit": 2}),
        ("repeat_limit", {"repeat_amount": 1, "repeat_limit": 30_000}),
    ],
)
def test_a_rule_that_no_calendar_reaches_is_refused(
    lead: Client, sent: Appeal, field: str, asked: dict[str, Any]
) -> None:
    rules = ReminderRule.objects.count()
    answer = lead.post(reverse("admin:appeals_reminderrule_add"), RULE | asked)
    assert list(answer.context["adminform"].form.errors) == [field]
    assert ReminderRule.objects.count() == rules


@pytest.mark.parametrize("name", ["resolve", "record_reply", "message", "snooze"])
def test_an_assignee_who_left_the_shop_holds_up_nothing(
    ours: Client, sent: Appeal, agent: User, shop: Shop, name: str
) -> None:
    colleague = User.objects.create_user("colleague@example.com")
    membership = Membership.objects.create(shop=shop, user=colleague)
    lifecycle.edit(appeal=sent, actor=agent, now=SENT, assignee=colleague)
    membership.delete()
    asked = {"outcome": "granted", "kind": "answer", "text": "x"}
    assert ours.post(verb(sent, name), asked).status_code == 302


def test_a_promise_that_no_clock_can_count_is_said_in_the_form(ours: Client, draft: Appeal, desk: Channel) -> None:
    Channel.objects.filter(pk=desk.pk).update(opening_hours="2020 Jan 01 09:00-10:00")
    answer = ours.post(verb(draft, "submit"), {"channel": desk.pk})
    assert "never opens" in str(answer.context["form"].errors)
    draft.refresh_from_db()
    assert draft.status == "draft"


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_an_incident_is_not_over_in_a_year_without_calendar(ours: Client, shop: Shop, agent: User, year: str) -> None:
    incident = Incident.objects.create(title="x", subject="x", body="x", created_at=SENT)
    lifecycle.create(actor=agent, now=SENT, shop=shop, subject="x")
    Appeal.objects.update(incident=incident)
    form = {"title": "x", "ended_at_0": f"{year}-01-01", "ended_at_1": "00:00"}
    answer = ours.post(reverse("admin:appeals_incident_change", args=[incident.pk]), form)
    assert list(answer.context["adminform"].form.errors) == ["ended_at"]
