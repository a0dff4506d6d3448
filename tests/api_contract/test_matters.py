"""Matters, incidents and evidence packs on the wire."""

import uuid
from io import BytesIO
from zipfile import ZipFile

from rest_framework.test import APIClient

from appeals import incidents, lifecycle
from appeals.incidents import Facts, Part, Text
from appeals.models import Appeal, Event
from appeals.orders import Order
from hub.models import User

APPEALS = "/api/v1/appeals/"


def continued(sent: Appeal, agent: User) -> Appeal:
    return lifecycle.create(actor=agent, now=sent.created_at, shop=sent.shop, subject="Again", previous=sent)


def test_an_appeal_says_which_matter_and_incident_it_belongs_to(api: APIClient, sent: Appeal, agent: User) -> None:
    again = continued(sent, agent)
    assert api.get(f"{APPEALS}{again.pk}/").json()["matter"] == sent.pk
    first = api.get(f"{APPEALS}{sent.pk}/").json()
    assert (first["matter"], first["incident"]) == (None, None)


def test_the_appeals_of_a_matter_are_found_by_any_of_them(api: APIClient, sent: Appeal, agent: User) -> None:
    again = continued(sent, agent)
    for number in (sent.pk, again.pk):
        found = api.get(APPEALS, {"matter": number}).json()["results"]
        assert {one["id"] for one in found} == {sent.pk, again.pk}


def test_the_appeals_of_an_incident_are_found(api: APIClient, sent: Appeal, agent: User) -> None:
    incident = incidents.make(
        actor=agent,
        now=sent.created_at,
        token=uuid.uuid4(),
        title="Payments stopped",
        parts=[Part(sent.shop, [Order("1"), Order("2")])],
        text=Text("{numbers}", "{numbers}"),
        facts=Facts(),
    ).incident
    found = api.get(APPEALS, {"incident": incident.pk}).json()["results"]
    assert len(found) == 2
    assert {one["incident"] for one in found} == {incident.pk}
    for bad in ("0", "99999", "x"):
        assert api.get(APPEALS, {"incident": bad}).status_code == 400


def test_an_incident_of_another_team_is_not_there(api: APIClient, foreign: Appeal, outsider: User) -> None:
    incident = incidents.make(
        actor=outsider,
        now=foreign.created_at,
        token=uuid.uuid4(),
        title="Theirs",
        parts=[Part(foreign.shop, [Order("1")])],
        text=Text("{numbers}", "{numbers}"),
        facts=Facts(),
    ).incident
    assert api.get(APPEALS, {"incident": incident.pk}).status_code == 400
    assert api.get(APPEALS, {"matter": foreign.pk}).status_code == 400


def test_a_pack_of_one_appeal_and_of_the_matter(api: APIClient, sent: Appeal, agent: User) -> None:
    continued(sent, agent)
    for query, packs in (({}, 1), ({"matter": "false"}, 1), ({"matter": "true"}, 2)):
        answer = api.get(f"{APPEALS}{sent.pk}/evidence/", query, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
        names = ZipFile(BytesIO(b"".join(answer.streaming_content))).namelist()  # type: ignore[attr-defined]
        assert sum(name.endswith("-appeal.txt") for name in names) == packs
    assert Event.objects.filter(kind="exported", actor=agent).count() == 4


def test_a_pack_takes_no_other_parameter(api: APIClient, sent: Appeal) -> None:
    for query in ({"matter": "yes"}, {"as": "tar"}):
        assert api.get(f"{APPEALS}{sent.pk}/evidence/", query).status_code == 400


def test_a_pack_of_another_team_is_not_there(api: APIClient, foreign: Appeal) -> None:
    assert api.get(f"{APPEALS}{foreign.pk}/evidence/").status_code == 404
    assert APIClient().get(f"{APPEALS}{foreign.pk}/evidence/").status_code == 401
    assert not Event.objects.filter(kind="exported").exists()


def test_head_takes_no_pack(api: APIClient, sent: Appeal) -> None:
    at = f"{APPEALS}{sent.pk}/evidence/"
    head = api.head(at)
    assert (head.status_code, head.headers["Content-Type"]) == (200, "application/zip")
    assert "Content-Length" not in head.headers
    assert not sent.events.filter(kind="exported").exists()
    got = api.get(at)
    assert b"".join(got.streaming_content).startswith(b"PK")  # type: ignore[attr-defined]
    assert got.headers["Content-Disposition"] == head.headers["Content-Disposition"]
    assert sent.events.filter(kind="exported").count() == 1


def test_a_number_that_stands_twice_is_a_finding(api: APIClient, sent: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=sent, actor=agent, now=sent.created_at, external_number="777")
    again = lifecycle.create(actor=agent, now=sent.created_at, shop=sent.shop, subject="Again", external_number="777")
    found = {one["code"]: one for one in api.get(f"{APPEALS}{again.pk}/review/").json()}
    twice = found["number_duplicate"]
    assert (twice["field"], twice["appeal"], twice["severity"]) == ("external_number", sent.pk, "warning")
