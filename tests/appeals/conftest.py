"""A small directory of its own for the tests of the verbs: what it promises is in sight."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appeals import lifecycle
from appeals.models import Appeal, Membership, Shop
from hub.models import User
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Topic

MOSCOW = ZoneInfo("Europe/Moscow")
# Monday; the weeks around hold no public holiday
SENT = datetime(2026, 10, 5, 10, 0, tzinfo=MOSCOW)


def moscow(text: str) -> datetime:
    """A moment of Moscow's wall clock: `2026-10-05 10:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


@pytest.fixture
def agent(db: None) -> User:
    return User.objects.create_user("agent@example.com", language="en")


@pytest.fixture
def market(db: None) -> Marketplace:
    return Marketplace.objects.create(slug="bazaar", name="Базар", name_en="Bazaar")


@pytest.fixture
def desk(market: Marketplace) -> Channel:
    """A channel of office hours: its first reply is promised within 2 working hours."""
    channel = Channel.objects.create(
        marketplace=market,
        kind="chat",
        name="Чат",
        name_en="Chat",
        opening_hours="Mo-Fr 09:00-18:00; PH off",
        source="test",
    )
    ResponseTarget.objects.create(
        marketplace=market, kind="first_reply", channel=channel, amount=2, unit="working_hours", source="test"
    )
    return channel


@pytest.fixture
def finance(market: Marketplace) -> Topic:
    """A topic whose answer is promised within 3 working days."""
    topic = Topic.objects.create(slug="finance", name="Финансы", name_en="Finance", source="test")
    ResponseTarget.objects.create(
        marketplace=market, kind="answer", topic=topic, amount=3, unit="working_days", source="test"
    )
    ResponseTarget.objects.create(marketplace=market, kind="answer", amount=24, unit="hours", source="test")
    ResponseTarget.objects.create(marketplace=market, kind="our_reply", amount=24, unit="hours", source="test")
    return topic


@pytest.fixture
def steps(market: Marketplace) -> list[EscalationStep]:
    """First contact, a repeated request without a term, a complaint of 15 days, a claim of 30."""
    terms = {"contact": None, "repeat": None, "complaint": 15, "claim": 30}
    return [
        EscalationStep.objects.create(
            marketplace=market,
            key=key,
            position=position,
            name=key,
            is_proposed=key != "contact",
            term_amount=days,
            term_unit="calendar_days" if days else "",
            source="test",
        )
        for position, (key, days) in enumerate(terms.items(), start=1)
    ]


@pytest.fixture
def shop(market: Marketplace, agent: User) -> Shop:
    shop = Shop.objects.create(name="Tea and Cups", marketplace=market)
    Membership.objects.create(shop=shop, user=agent, is_lead=True)
    return shop


@pytest.fixture
def draft(shop: Shop, agent: User, finance: Topic, desk: Channel) -> Appeal:
    return lifecycle.create(
        actor=agent, now=SENT, shop=shop, topic=finance, channel=desk, subject="Where is the money?", assignee=agent
    )


@pytest.fixture
def sent(draft: Appeal, agent: User) -> Appeal:
    return lifecycle.submit(appeal=draft, actor=agent, now=SENT)
