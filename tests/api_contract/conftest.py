"""A marketplace that promises, two teams that do not see each other, and callers of the API."""

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from rest_framework.test import APIClient

from appeals import escalation, lifecycle
from appeals.models import Appeal, Membership, Shop
from hub.models import ApiToken, User
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Topic


@pytest.fixture(autouse=True)
def _no_steps_kept() -> None:
    """A history that was rolled back counts from the same number again."""
    escalation.kept_steps.clear()


@pytest.fixture(autouse=True)
def _fresh_throttle() -> None:
    """People in the browser are counted by their number, which comes again in the next test."""
    shutil.rmtree(settings.DATA_DIR / "api-calls", ignore_errors=True)


@pytest.fixture
def editor(db: None) -> APIClient:
    return call_as(person("editor", role="directory editor"))


def call_as(user: User) -> APIClient:
    """A program with a token of this user."""
    _row, token = ApiToken.objects.create(user, name="test")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def person(name: str, role: str = "") -> User:
    user = User.objects.create_user(f"{name}@example.com", language="en")
    user.groups.set(Group.objects.filter(name=role))
    return user


@pytest.fixture
def agent(db: None) -> User:
    """Leads a shop of their own."""
    return person("agent", role="lead")


@pytest.fixture
def colleague(db: None) -> User:
    return person("colleague", role="agent")


@pytest.fixture
def outsider(db: None) -> User:
    """Somebody of another team, with a shop and an appeal of their own."""
    return person("outsider", role="lead")


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("admin@example.com", language="en")


@pytest.fixture
def api(agent: User) -> APIClient:
    return call_as(agent)


@pytest.fixture
def outside(outsider: User) -> APIClient:
    return call_as(outsider)


@pytest.fixture
def admin_api(administrator: User) -> APIClient:
    return call_as(administrator)


@pytest.fixture
def market(db: None) -> Marketplace:
    return Marketplace.objects.create(slug="bazaar", name="Базар", name_en="Bazaar")


@pytest.fixture
def desk(market: Marketplace) -> Channel:
    """A chat that never closes; a first reply is promised within 2 hours."""
    channel = Channel.objects.create(marketplace=market, kind="chat", name="Chat", state="working", source="test")
    ResponseTarget.objects.create(
        marketplace=market, kind="first_reply", channel=channel, amount=2, unit="hours", source="test"
    )
    return channel


@pytest.fixture
def finance(market: Marketplace) -> Topic:
    """A topic that is answered within 3 working days."""
    topic = Topic.objects.create(slug="money", name="Деньги", name_en="Money", source="test")
    ResponseTarget.objects.create(
        marketplace=market, kind="answer", topic=topic, amount=3, unit="working_days", source="test"
    )
    return topic


@pytest.fixture
def steps(market: Marketplace) -> list[EscalationStep]:
    terms = {"contact": None, "repeat": None, "complaint": 15}
    return [
        EscalationStep.objects.create(
            marketplace=market,
            position=position,
            name=name,
            is_proposed=name != "contact",
            term_amount=days,
            term_unit="calendar_days" if days else "",
            source="test",
        )
        for position, (name, days) in enumerate(terms.items(), start=1)
    ]


@pytest.fixture
def shop(market: Marketplace, agent: User) -> Shop:
    return make_shop(market, agent, "Tea and Cups")


@pytest.fixture
def draft(shop: Shop, agent: User, desk: Channel, finance: Topic, steps: list[EscalationStep]) -> Appeal:
    return make_appeal(shop, agent, channel=desk, topic=finance)


@pytest.fixture
def sent(draft: Appeal, agent: User) -> Appeal:
    return submitted(draft, agent, ago=timedelta(hours=1))


@pytest.fixture
def foreign(market: Marketplace, outsider: User, desk: Channel) -> Appeal:
    """An appeal of the other team."""
    return submitted(make_appeal(make_shop(market, outsider, "Rugs"), outsider, channel=desk), outsider)


def make_shop(market: Marketplace, lead: User, name: str) -> Shop:
    shop = Shop.objects.create(name=name, marketplace=market)
    Membership.objects.create(shop=shop, user=lead, is_lead=True)
    return shop


def make_appeal(shop: Shop, actor: User, **fields: Any) -> Appeal:
    fields = {"subject": "Where is the money?", **fields}
    return lifecycle.create(actor=actor, now=datetime.now(UTC), shop=shop, **fields)


def submitted(appeal: Appeal, actor: User, ago: timedelta = timedelta(0)) -> Appeal:
    now = datetime.now(UTC)
    return lifecycle.submit(appeal=appeal, actor=actor, now=now, at=now - ago)
