"""Which targets may stand side by side."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from marketplaces.models import Channel, Marketplace, ResponseTarget, Topic


@pytest.fixture
def market(db: None) -> Marketplace:
    return Marketplace.objects.create(slug="bazaar", name="Базар")


@pytest.fixture
def finance(db: None) -> Topic:
    return Topic.objects.create(slug="finance", name="Финансы", source="test")


def target(market: Marketplace, **fields: object) -> ResponseTarget:
    values = {"kind": "answer", "amount": 1, "unit": "hours", "source": "test"} | fields
    return ResponseTarget(marketplace=market, **values)


def save(market: Marketplace, **fields: object) -> ResponseTarget:
    made = target(market, **fields)
    made.full_clean()
    made.save()
    return made


@pytest.mark.parametrize(("amount", "said"), [(1, "1\u00a0час"), (24, "24\u00a0часа"), (8, "8\u00a0часов")])
def test_a_target_is_named_in_the_form_that_its_number_asks_for(market: Marketplace, amount: int, said: str) -> None:
    with translation.override("ru"):
        assert str(target(market, amount=amount)).endswith(f": {said}")


def test_two_targets_that_fit_one_appeal_equally_well_are_refused_with_both_named(
    market: Marketplace, finance: Topic
) -> None:
    save(market, topic=finance, amount=3, unit="working_days")
    with pytest.raises(ValidationError) as error:
        target(market, priority="urgent", amount=8).full_clean()
    (message,) = error.value.messages
    assert "3" in message
    assert "8" in message


def test_the_same_attributes_twice_are_refused(market: Marketplace) -> None:
    save(market)
    with pytest.raises(ValidationError):
        target(market, amount=2).full_clean()


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "first_reply"},
        {"priority": "urgent", "is_complex": True},
        {"is_complex": False},
    ],
)
def test_targets_that_never_compete_stand_together(other: dict[str, object], market: Marketplace) -> None:
    save(market, is_complex=True)
    save(market, **other)


def test_a_more_specific_target_settles_a_tie(market: Marketplace, finance: Topic) -> None:
    save(market, topic=finance)
    save(market, topic=finance, is_complex=True)
    save(market, is_complex=True)


def test_a_retired_target_competes_with_none(market: Marketplace) -> None:
    old = save(market)
    ResponseTarget.objects.filter(pk=old.pk).update(retired_at="2026-01-01T00:00Z")
    save(market)


def test_a_target_keeps_to_its_own_marketplace(market: Marketplace) -> None:
    other = Marketplace.objects.create(slug="other", name="Другой")
    chat = Channel.objects.create(marketplace=other, kind="chat", name="Чат", source="test")
    with pytest.raises(ValidationError) as error:
        target(market, channel=chat).full_clean()
    assert "channel" in error.value.message_dict


def test_a_promise_in_hours_that_nobody_knows_is_refused(market: Marketplace) -> None:
    chat = Channel.objects.create(marketplace=market, kind="chat", name="Чат", opening_hours="", source="test")
    with pytest.raises(ValidationError) as error:
        target(market, channel=chat, unit="working_hours").full_clean()
    assert "unit" in error.value.message_dict
    target(market, channel=chat, unit="hours").full_clean()


@pytest.mark.parametrize("amount", [0, 10**9])
def test_an_impossible_amount_is_refused(amount: int, market: Marketplace) -> None:
    with pytest.raises(ValidationError) as error:
        target(market, amount=amount).full_clean()
    assert "amount" in error.value.message_dict
