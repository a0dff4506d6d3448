"""Who may do what: every address, asked by everybody, is as docs/who-may.md says."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.template.backends.django import Template
from django.urls import reverse
from django.utils import timezone

from appeals import incidents, lifecycle, shops
from appeals.incidents import Facts, Part, Text
from appeals.models import Appeal, Attachment, Membership, Reminder, ReminderRule, SavedView
from appeals.orders import Order
from hub.models import ApiToken, User
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Rule, Source, Topic
from tests.hub import who_may

ROLES = {
    "viewer": "viewer",
    "agent": "agent",
    "lead": "lead",
    "integration": "integration",
    "editor": "directory editor",
    "manager": "administrator",
}
MEMBERS = ("newcomer", "viewer", "agent", "integration")


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """Thousands of refusals need no lines in the log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def people(db: None) -> dict[str, User | None]:
    call_command("load_directory", verbosity=0)
    found: dict[str, User | None] = {"nobody": None, "newcomer": User.objects.create_user("newcomer@example.com")}
    for name, role in {"outsider": "lead", **ROLES}.items():
        user = User.objects.create_user(f"{name}@example.com")
        user.groups.add(Group.objects.get(name=role))
        found[name] = user
    return found | {"administrator": User.objects.create_superuser("root@example.com")}


@pytest.fixture
def examples(people: dict[str, User | None]) -> dict[str, Any]:
    """A thing of each kind, of the one shop that the members work for."""
    now, ozon = timezone.now(), Marketplace.objects.get(slug="ozon")
    lead, agent, root = people["lead"], people["agent"], people["administrator"]
    outsider = people["outsider"]
    assert isinstance(lead, User)
    assert isinstance(agent, User)
    assert isinstance(root, User)
    assert isinstance(outsider, User)
    shops.create(actor=outsider, name="Another", marketplace=ozon)
    shop = shops.create(actor=lead, name="Tea", marketplace=ozon)
    Membership.objects.bulk_create(Membership(shop=shop, user=people[name]) for name in MEMBERS)
    appeal = lifecycle.create(
        actor=agent, now=now, shop=shop, subject="Money", topic=Topic.objects.get(slug="finance"), assignee=agent
    )
    appeal = lifecycle.submit(appeal=appeal, actor=agent, now=now)
    file = Attachment.objects.create(
        appeal=appeal, file=ContentFile(b"a", "a"), name="a", content_type="text/plain", size=1, created_at=now
    )
    batch = incidents.make(
        actor=agent,
        now=now,
        token=uuid4(),
        title="Fault",
        parts=[Part(shop, [Order("1")])],
        text=Text("{numbers}", "{numbers}"),
        facts=Facts(),
    )
    deadline = appeal.deadlines.all()[0]
    reminder = Reminder.objects.create(
        deadline=deadline,
        due_at=now,
        rung_at=now,
        address="a@example.com",
        role="lead",
        created_at=now,
        send_after=now,
    )
    directory = {
        model: model._default_manager.filter(marketplace=ozon).first() or model._default_manager.first()
        for model in (Channel, EscalationStep, ResponseTarget, Rule)
    }
    assert all(directory.values())
    rows = {f"marketplaces_{model._meta.model_name}": row.pk for model, row in directory.items() if row}
    channel, step, target = (rows[f"marketplaces_{name}"] for name in ("channel", "escalationstep", "responsetarget"))
    source, view = Source.objects.all()[0], SavedView.objects.create(user=agent, name="Mine", query="turn=us")
    finance = Topic.objects.get(slug="finance")
    return rows | {
        "hub_user": agent.pk,
        "auth_user": agent.pk,
        "auth_group": Group.objects.create(name="of their own").pk,
        "hub_apitoken": ApiToken.objects.create(user=root, name="theirs")[0].pk,
        "marketplaces_marketplace": ozon.pk,
        "marketplaces_topic": finance.pk,
        "marketplaces_source": source.pk,
        "appeals_appeal": appeal.pk,
        "appeals_incident": batch.incident_id,
        "handover-person pk": agent.pk,
        "appeals_reminder": reminder.pk,
        "reminders id": reminder.pk,
        "incidents id": batch.incident_id,
        "appeals_reminderrule": ReminderRule.objects.all()[0].pk,
        "appeals_shop": shop.pk,
        "appeals_appeal_forget_view pk": view.pk,
        "channels id": channel,
        "escalation-steps id": step,
        "response-targets id": target,
        "shops id": shop.pk,
        "appeals id": appeal.pk,
        "appeal_id": appeal.pk,
        "file": file.pk,
        "verb": "record_reply",
        "appeals_appeal_many verb": "resolve",
        "appeals_appeal_letter kind": "claim",
        "kind": "csv",
        "slug": "ozon",
        "topic": "finance",
        "app_label": "appeals",
        "url": "nowhere/",
        "content_type_id": ContentType.objects.get_for_model(Appeal).pk,
        "object_id": appeal.pk,
        "uidb64": "MQ",
        "token": "x-y",
    }


@pytest.mark.parametrize("part", ["page", "api"])
def test_every_answer_is_as_the_table_says(
    people: dict[str, User | None], examples: dict[str, Any], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(Template, "render", lambda *arguments, **named: "")  # what pages look like is not asked here
    cache.clear()
    callers = who_may.callers(people, part)
    addresses = {"page": who_may.admin_addresses, "api": who_may.api_addresses}[part](examples)
    found = dict.fromkeys(who_may.row(address, who_may.answers(address, callers)) for address in addresses)
    written = dict.fromkeys(who_may.written(part))
    changes = [f"- {row}" for row in written if row not in found] + [f"+ {row}" for row in found if row not in written]
    assert not changes, "docs/who-may.md is not so any more:\n" + "\n".join(changes)


def test_the_schema_describes_every_address_of_the_api() -> None:
    assert who_may.undescribed() == set()


def test_whatever_stands_in_somebodys_menu_opens(people: dict[str, User | None], examples: dict[str, Any]) -> None:
    for name, client in who_may.callers(people, "page").items():
        groups = client.get(reverse("admin:index"), follow=True).context.get("sidebar_navigation", [])
        entries = [entry for group in groups for entry in group["items"] if entry["has_permission"]]
        answers = {str(entry["link"]): client.get(entry["link"]).status_code for entry in entries}
        assert set(answers.values()) <= {200}, (name, answers)
        assert len(answers) > 1 or name == "nobody"
