"""A prepared query answers as the query set would, each time with the values of the call."""

import pytest
from pytest_django import DjangoAssertNumQueries

from marketplaces.models import Channel, Marketplace, Topic
from marketplaces.prepared import Among, Given, Prepared

pytestmark = pytest.mark.django_db


def test_it_asks_anew_with_the_values_of_the_call(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    by_slug = Prepared(lambda: Topic.objects.filter(slug=Given("slug"), marketplace=None))
    for slug in ("first", "second"):
        Topic.objects.create(slug=slug, name=slug.title())
    with django_assert_num_queries(3):
        assert [topic.name for topic in by_slug(slug="first")] == ["First"]
        assert [topic.name for topic in by_slug(slug="second")] == ["Second"]
        assert by_slug(slug="%s' OR 1=1") == []
    Topic.objects.filter(slug="first").update(name="Other")
    assert [topic.name for topic in by_slug(slug="first")] == ["Other"]


def test_rows_come_with_those_they_belong_to(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    market = Marketplace.objects.create(slug="market", name="Market")
    Channel.objects.create(marketplace=market, name="Chat", kind="chat", address="https://example.com")
    of_market = Prepared(lambda: Channel.objects.filter(marketplace=Given("market")).select_related("marketplace"))
    with django_assert_num_queries(1):
        assert [channel.marketplace.name for channel in of_market(market=market.pk)] == ["Market"]


@pytest.mark.parametrize("count", [0, 1, 300])
def test_a_list_may_have_any_length(count: int) -> None:
    Topic.objects.bulk_create(Topic(slug=f"topic-{number}", name=str(number)) for number in range(310))
    keys = list(Topic.objects.order_by("pk").values_list("pk", flat=True)[:count])
    slugs = Prepared(lambda: Topic.objects.filter(Among("pk", Given("keys"))).order_by("pk").values_list("slug"))
    assert slugs(keys=keys) == list(Topic.objects.filter(pk__in=keys).order_by("pk").values_list("slug"))
    assert len(slugs(keys=keys)) == count


def test_values_are_read_as_the_models_read_them() -> None:
    market = Marketplace.objects.create(slug="market", name="Market", legal_entity="ООО")
    kept = Prepared(lambda: Marketplace.objects.filter(pk=Given("pk")).values_list("slug", "legal_entity", named=True))
    assert [(row.slug, row.legal_entity) for row in kept(pk=market.pk)] == [("market", "ООО")]
