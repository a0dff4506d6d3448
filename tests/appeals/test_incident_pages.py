"""The form of an incident, its page, and what is done to all of its appeals at once."""

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from appeals import delivery, incidents, lifecycle, reminders
from appeals.incidents import Facts, Part, Text
from appeals.models import Appeal, Deadline, Event, Incident, Membership, Reminder, Shop
from appeals.orders import Order
from hub.models import User
from marketplaces.models import Channel, Marketplace, Topic
from tests.appeals.conftest import SENT, moscow

ADD = "/admin/appeals/incident/add/"
LATE = moscow("2026-10-13 12:00")


@pytest.fixture
def ours(client: Client, agent: User) -> Client:
    agent.groups.add(Group.objects.get(name="agent"))
    client.force_login(agent)
    return client


@pytest.fixture
def shops(shop: Shop, market: Marketplace, agent: User, desk: Channel) -> list[Shop]:
    more = [Shop.objects.create(name=name, marketplace=market) for name in ("Cups", "Pots")]
    for one in more:
        Membership.objects.create(shop=one, user=agent, is_lead=True)
    return [shop, *more]


@pytest.fixture
def incident(agent: User, shops: list[Shop], desk: Channel, finance: Topic) -> Incident:
    """Ten orders in each of three shops, sent on Monday."""
    return made(agent, shops, desk, finance, 10)


def made(agent: User, shops: list[Shop], desk: Channel, topic: Topic, count: int) -> Incident:
    return incidents.make(
        actor=agent,
        now=SENT,
        token=uuid.uuid4(),
        title="Payments stopped",
        parts=[Part(one, [Order(f"{one.pk}-{number:04}") for number in range(count)], desk) for one in shops],
        text=Text("Payment of {numbers}", "{numbers}"),
        facts=Facts(topic=topic, assignee=agent),
        sent_at=SENT,
    ).incident


def filled(shops: list[Shop], **values: Any) -> dict[str, Any]:
    form = {
        "token": str(uuid.uuid4()),
        "title": "Payments stopped",
        "subject": "Payment of {numbers}",
        "body": "Where is the money for {numbers}?",
        "per_appeal": "1",
    }
    return form | {f"numbers_{one.pk}": f"{one.pk}-1, {one.pk}-2" for one in shops} | values


def looked_at(client: Client, form: dict[str, Any], url: str = ADD) -> Any:
    return client.post(url, form | {"_look": ""})


def seen(answer: Any) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]{32})"', answer.content.decode())
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("button", "status"), [("_draft", "draft"), ("_sent", "waiting")])
def test_it_is_looked_at_and_then_made(ours: Client, shops: list[Shop], button: str, status: str) -> None:
    form = filled(shops)
    look = looked_at(ours, form)
    assert not Appeal.objects.exists()
    assert (look.context["appeals"], look.context["orders"], look.context["left_out"]) == (6, 6, 0)
    answer = ours.post(ADD, form | {"seen": seen(look), button: ""})
    incident = Incident.objects.get()
    assert answer.headers["Location"] == incident.get_absolute_url()
    assert list(incident.appeals.values_list("status", flat=True)) == [status] * 6
    again = ours.post(ADD, form | {"seen": seen(looked_at(ours, form | {"again": "on"})), button: "", "again": "on"})
    assert again.headers["Location"] == incident.get_absolute_url()
    assert Appeal.objects.count() == 6


def test_without_a_shop_the_first_thing_to_do_is_to_add_one(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("root@example.com", language="en"))
    answer = client.get(ADD).content.decode()
    assert "First, add a shop" in answer
    assert 'name="subject"' not in answer


def test_what_was_not_looked_at_is_not_made(ours: Client, shops: list[Shop]) -> None:
    form = filled(shops)
    look = looked_at(ours, form)
    changed = ours.post(ADD, form | {"seen": seen(look), "_draft": "", f"numbers_{shops[0].pk}": "1 2 3"})
    assert changed.context["changed"]
    assert changed.context["appeals"] == 7
    assert not Appeal.objects.exists()


def test_each_number_that_is_left_out_says_why(ours: Client, shops: list[Shop], incident: Incident) -> None:
    held = incident.appeals.filter(shop=shops[0]).order_by("pk").first()
    assert held is not None
    pasted = f"{held.order_numbers[0]}, nonsense, 55-1, 55-1"
    look = looked_at(ours, filled([], **{f"numbers_{shops[0].pk}": pasted}))
    assert (look.context["appeals"], look.context["left_out"]) == (1, 3)
    page = look.content.decode()
    assert f'<a href="{held.get_absolute_url()}">stands on appeal No. {held.pk} already</a>' in page
    assert "is no number of an order" in page
    assert "stands here twice" in page
    nothing = looked_at(ours, filled([], **{f"numbers_{shops[0].pk}": held.order_numbers[0]}))
    assert "looks" not in nothing.context
    assert f"stands on appeal No. {held.pk} already" in nothing.content.decode()


def test_a_closed_channel_is_pointed_at(ours: Client, shops: list[Shop], desk: Channel) -> None:
    Channel.objects.filter(pk=desk.pk).update(opening_hours="Jan 01 03:00-03:01")
    look = looked_at(ours, filled(shops[:1], **{f"channel_{shops[0].pk}": desk.pk}))
    assert "closed; opens" in look.content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("title", ""), ("body", ""), ("body", "no numbers"), ("subject", "{oops}"), ("token", "x")]
)
def test_what_is_wrong_is_said_at_its_field(ours: Client, shops: list[Shop], field: str, value: str) -> None:
    form = filled(shops, **{field: value})
    look = looked_at(ours, form)
    if "looks" in look.context:
        look = ours.post(ADD, form | {"seen": seen(look), "_draft": ""})
    assert field in look.context["form"].errors
    assert not Appeal.objects.exists()


def test_more_appeals_join_it(ours: Client, incident: Incident, shops: list[Shop]) -> None:
    url = reverse("admin:appeals_incident_more", args=[incident.pk])
    assert ours.get(url).context["form"]["body"].value() == "{numbers}"
    form = filled(shops[:1], **{f"numbers_{shops[0].pk}": "99-1"})
    ours.post(url, form | {"seen": seen(looked_at(ours, form, url)), "_draft": ""})
    assert incident.appeals.count() == 31


def test_the_page_shows_all_of_them(ours: Client, incident: Incident, shops: list[Shop]) -> None:
    page = ours.get(incident.get_absolute_url())
    figures = {one["key"]: one["count"] for one in page.context["figures"]}
    assert (figures["total"], figures["waiting"]) == (30, 30)
    assert [row["total"] for row in page.context["shops"]] == [10, 10, 10]
    assert f"{shops[0].pk}-0000" in page.content.decode()
    listed = ours.get(reverse("admin:appeals_appeal_changelist"), {"incident": str(incident.pk), "status": "open"})
    assert listed.context["cl"].result_count == 30
    assert "Payments stopped" in ours.get(reverse("admin:appeals_incident_changelist")).content.decode()


def test_what_is_ours_to_do_stands_first_on_the_page_and_what_is_closed_last(
    ours: Client, incident: Incident, agent: User
) -> None:
    closed, *_others, replied = incident.appeals.order_by("pk")
    lifecycle.resolve(appeal=closed, actor=agent, now=SENT, outcome="granted")
    lifecycle.record_reply(appeal=replied, actor=agent, now=SENT, kind="question", text="Why?")
    rows = [row["appeal"].pk for row in ours.get(incident.get_absolute_url()).context["rows"]]
    assert (rows[0], rows[-1]) == (replied.pk, closed.pk)


def test_a_page_of_many_takes_no_more_queries_than_one_of_few(
    ours: Client, agent: User, shops: list[Shop], desk: Channel, finance: Topic
) -> None:
    counted = []
    for count, number in ((1, "1"), (60, "2")):
        incident = made(agent, shops, desk, finance, count)
        with CaptureQueriesContext(connection) as queries:
            page = ours.get(incident.get_absolute_url(), {"p": number})
        counted.append(len(queries))
    assert counted[1] <= counted[0] <= 20
    assert page.context["page"].number == 2
    assert len(page.context["rows"]) == 80


def test_a_member_of_one_shop_sees_its_appeals_alone(client: Client, incident: Incident, shops: list[Shop]) -> None:
    member = User.objects.create_user("member@example.com")
    member.groups.add(Group.objects.get(name="agent"))
    Membership.objects.create(shop=shops[1], user=member)
    client.force_login(member)
    page = client.get(incident.get_absolute_url())
    assert [row["shop"] for row in page.context["shops"]] == [shops[1]]
    assert page.context["figures"][0]["count"] == 10
    assert "Pots" not in page.content.decode()
    done = client.post(_many("resolve", incident), {"outcome": "withdrawn"}, follow=True)
    assert done.context["done"] == 10
    assert Appeal.objects.filter(status="resolved").count() == 10


def test_a_stranger_sees_no_incident(client: Client, incident: Incident) -> None:
    stranger = User.objects.create_user("stranger@example.com")
    stranger.groups.add(Group.objects.get(name="agent"))
    client.force_login(stranger)
    assert client.get(incident.get_absolute_url()).status_code == 302
    assert client.get(incident.get_absolute_url() + "?edit=1").status_code == 302
    assert client.get(reverse("admin:appeals_incident_more", args=[incident.pk])).status_code == 302
    assert client.get(_many("resolve", incident)).status_code == 404
    assert "Payments stopped" not in client.get(reverse("admin:appeals_incident_changelist")).content.decode()
    listed = client.get(reverse("admin:appeals_appeal_changelist"), {"incident": incident.pk})
    assert "Payments stopped" not in listed.content.decode()


def test_who_may_only_look_makes_and_changes_nothing(client: Client, agent: User, incident: Incident) -> None:
    agent.groups.set([Group.objects.get(name="viewer")])
    client.force_login(agent)
    page = client.get(incident.get_absolute_url())
    assert page.status_code == 200
    assert not page.context["verbs"]
    for url in (ADD, reverse("admin:appeals_incident_more", args=[incident.pk]), _many("resolve", incident)):
        assert client.get(url).status_code == 403


def test_a_shop_of_somebody_else_is_not_on_offer(ours: Client, shops: list[Shop], market: Marketplace) -> None:
    theirs = Shop.objects.create(name="Theirs", marketplace=market)
    look = looked_at(ours, filled(shops[:1], **{f"numbers_{theirs.pk}": "1"}))
    assert [one.shop for one in look.context["looks"]] == [shops[0]]
    assert "Theirs" not in look.content.decode()


def test_one_reply_is_noted_on_all_and_then_all_are_resolved(ours: Client, incident: Incident) -> None:
    one = incident.appeals.order_by("pk").first()
    assert one is not None
    preview = ours.get(_many("record_reply", incident))
    assert preview.context["fitting"] == 30
    done = ours.post(_many("record_reply", incident), {"kind": "answer", "text": "Paid on Friday."}, follow=True)
    assert (done.context["done"], len(done.context["rows"])) == (30, 30)
    assert f'href="{incident.get_absolute_url()}"' in done.content.decode()
    assert one.events.filter(kind="reply", text="Paid on Friday.").count() == 1
    ours.post(_many("resolve", incident), {"outcome": "granted"})
    assert incident.appeals.filter(status="resolved", outcome="granted").count() == 30
    again = ours.get(_many("resolve", incident))
    assert again.context["fitting"] == 0


def test_the_team_is_told_in_one_mail_under_one_heading(
    agent: User, shops: list[Shop], desk: Channel, finance: Topic
) -> None:
    made(agent, shops, desk, finance, 100)
    reminders.sweep(LATE)
    assert Reminder.objects.filter(address=agent.email).values("deadline__appeal").distinct().count() == 300
    delivery.deliver(LATE)
    [message] = mail.outbox
    assert message.to == [agent.email]
    body = str(message.body)
    first, last = Appeal.objects.order_by("pk")[0].pk, Appeal.objects.order_by("-pk")[0].pk
    assert body.count("Incident “Payments stopped”: 300 appeals") == 1
    assert f"№ {first}-{last}\nturn: the marketplace\n" in body
    assert "300 appeals need you" in message.subject
    html = str(message.alternatives[0][0])  # type: ignore[attr-defined]
    assert f"№ {first}-{last} · turn: the marketplace<" in html
    assert html.count('class="card"') == 1
    assert not Reminder.objects.filter(state="pending").exists()


def test_the_card_of_an_incident_offers_what_that_of_an_appeal_does(
    ours: Client, agent: User, shops: list[Shop], desk: Channel, finance: Topic
) -> None:
    elsewhere = Marketplace.objects.create(slug="elsewhere", name="Elsewhere")
    incident = made(agent, shops, desk, finance, 2)
    one, other, *_rest = incident.appeals.filter(shop=shops[0]).order_by("pk")
    Appeal.objects.filter(pk=one.pk).update(external_number="T-1")
    Appeal.objects.filter(pk=other.pk).update(external_number="T-2")
    away = Shop.objects.create(name="Away", marketplace=elsewhere)
    Membership.objects.create(shop=away, user=agent)
    Appeal.objects.create(
        incident=incident, shop=away, subject="x", status="waiting", created_at=SENT, submitted_at=SENT
    )
    reminders.sweep(LATE)
    delivery.deliver(LATE)
    [message] = mail.outbox
    html = unescape(str(message.alternatives[0][0]))  # type: ignore[union-attr]
    which = f"?incident={incident.pk}&marketplace={shops[0].marketplace.slug}"
    for text in (str(message.body), html):
        assert f"/admin/appeals/appeal/many/record_reply/{which}" in text
        assert f"/admin/appeals/appeal/many/snooze/{which}&until=2026-10-14T09:00" in text
        assert "мы направили вам обращение № T-1" in text
        assert "По той же причине ждут решения и другие наши обращения: T-2." in text
    preview = ours.get(f"/admin/appeals/appeal/many/snooze/{which}&until=2026-10-14T09:00")
    assert preview.context["fitting"] == incident.appeals.count() - 1
    assert b'value="2026-10-14T09:00"' in preview.content
    said = {"kind": "answer", "text": "Paid."}
    done = ours.post(f"/admin/appeals/appeal/many/record_reply/{which}", said, follow=True)
    assert done.context["done"] == incident.appeals.count() - 1
    assert not Event.objects.filter(appeal__shop=away, kind="reply").exists()


def test_the_short_line_of_an_incident_leads_to_the_incident(
    agent: User, shops: list[Shop], desk: Channel, finance: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appeals.digest._FULL", 1)
    incident = made(agent, shops, desk, finance, 2)
    urgent = lifecycle.create(
        actor=agent, now=SENT, shop=shops[0], topic=finance, subject="Burning", priority="urgent", assignee=agent
    )
    lifecycle.submit(appeal=urgent, actor=agent, now=SENT)
    reminders.sweep(LATE)
    delivery.deliver(LATE)
    full, short = str(mail.outbox[0].body).split("Also due")
    assert incident.get_absolute_url() not in full
    assert incident.get_absolute_url() in short


def test_where_it_is_our_turn_the_card_asks_whether_we_wrote(
    ours: Client, agent: User, shops: list[Shop], desk: Channel, finance: Topic
) -> None:
    incident = made(agent, shops, desk, finance, 2)
    for appeal in incident.appeals.all():
        lifecycle.record_reply(appeal=appeal, actor=agent, now=SENT, kind="question", text="Which?")
    late = Deadline.objects.filter(kind="our_reply").latest("due_at").due_at + timedelta(minutes=1)
    reminders.sweep(late)
    delivery.deliver(late)
    body = str(mail.outbox[0].body)
    assert f"/admin/appeals/appeal/many/message/?incident={incident.pk}&" in body
    assert "They replied" not in body
    assert "A follow-up to paste" not in body


def test_it_is_edited_in_a_small_form(ours: Client, incident: Incident) -> None:
    url = incident.get_absolute_url() + "?edit=1"
    form = ours.get(url).context["adminform"].form
    sent = {name: form[name].value() or "" for name in ("title", "description")}
    over = {"ended_at_0": "2026-10-07", "ended_at_1": "10:00", "began_at_0": "", "began_at_1": ""}
    answer = ours.post(url, sent | over | {"title": "Over"})
    assert answer.status_code == 302
    incident.refresh_from_db()
    assert (incident.title, timezone.localtime(incident.ended_at).hour) == ("Over", 10)


def _many(verb: str, incident: Incident) -> str:
    return f"{reverse('admin:appeals_appeal_many', args=[verb])}?incident={incident.pk}"


def test_drafts_are_offered_no_verb_that_none_of_them_takes(ours: Client, incident: Incident) -> None:
    incident.appeals.update(status="draft", submitted_at=None, next_due_at=None)
    page = ours.get(incident.get_absolute_url())
    assert [form.verb for form in page.context["verbs"]] == ["assign"]
    assert "Drafts" in page.content.decode()


def test_an_incident_with_too_many_appeals_for_one_request_leads_to_its_list(
    ours: Client, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = incident.appeals.count()
    monkeypatch.setattr("appeals.admin.bulk.LIMIT", count)
    assert ours.get(_many("resolve", incident)).status_code == 200
    monkeypatch.setattr("appeals.admin.bulk.LIMIT", count - 1)
    for answer in (
        ours.get(_many("resolve", incident)),
        ours.post(_many("resolve", incident), {"outcome": "ignored"}),
    ):
        assert answer.headers["Location"].endswith(f"?incident={incident.pk}")
    which = f"&marketplace={incident.appeals.earliest('pk').shop.marketplace.slug}"
    assert ours.get(_many("resolve", incident) + which).headers["Location"].endswith(which)
    assert f"at most {count - 1} appeals" in ours.get(answer.headers["Location"]).content.decode()
    assert not incident.appeals.filter(status="resolved").exists()
