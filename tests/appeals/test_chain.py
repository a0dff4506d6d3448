"""A matter of several appeals: what belongs to it, and the promise that was made first. All times are Moscow's."""

from decimal import Decimal
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from appeals import chain, lifecycle
from appeals.admin.forms import quoting
from appeals.models import Appeal, Deadline, Shop
from appeals.numbers import of as numbers_of
from hub.models import User
from marketplaces.models import Channel, EscalationStep, Marketplace, Topic
from tests.appeals.conftest import MOSCOW, SENT, moscow


def written_again(earlier: Appeal, agent: User, at: str = "2026-10-12 10:00", **facts: object) -> Appeal:
    now = moscow(at)
    same = {"topic": earlier.topic, "channel": earlier.channel, "subject": earlier.subject, "assignee": agent}
    appeal = lifecycle.create(actor=agent, now=now, shop=earlier.shop, previous=earlier, **(same | facts))
    return lifecycle.submit(appeal=appeal, actor=agent, now=now)


def said(appeal: Appeal, at: str) -> str:
    """The line on the first promise, in English, on Moscow's clock; empty where there is none."""
    fresh = Appeal.objects.select_related("shop").get(pk=appeal.pk)
    found = chain.first_promises([fresh])
    with translation.override("en"), timezone.override(MOSCOW):
        return found[fresh.pk].text(fresh, moscow(at)) if fresh.pk in found else ""


def numbers(appeal: Appeal) -> set[int]:
    return set(chain.members(Appeal.objects.get(pk=appeal.pk)).values_list("pk", flat=True))


def test_an_appeal_alone_is_a_matter_of_its_own(sent: Appeal) -> None:
    assert sent.matter is None
    assert numbers(sent) == {sent.pk}


def test_what_continues_an_appeal_is_of_its_matter(sent: Appeal, agent: User) -> None:
    second = written_again(sent, agent)
    third = written_again(second, agent)
    aside = written_again(sent, agent)
    assert {one.matter for one in (second, third, aside)} == {sent}
    assert numbers(third) == {sent.pk, second.pk, third.pk, aside.pk} == numbers(sent)


def test_a_new_link_takes_along_all_that_continues_it(sent: Appeal, agent: User) -> None:
    other = written_again(sent, agent)
    lifecycle.edit(appeal=other, actor=agent, now=moscow("2026-10-12 11:00"), previous=None)
    third = written_again(other, agent)
    assert numbers(third) == {other.pk, third.pk}
    lifecycle.edit(appeal=other, actor=agent, now=moscow("2026-10-12 12:00"), previous=sent)
    assert numbers(third) == {sent.pk, other.pk, third.pk}
    lifecycle.edit(appeal=other, actor=agent, now=moscow("2026-10-12 13:00"), previous=None)
    assert (numbers(sent), numbers(third)) == ({sent.pk}, {other.pk, third.pk})


def test_a_circle_is_refused_and_changes_nothing(sent: Appeal, agent: User) -> None:
    third = written_again(written_again(sent, agent), agent)
    with pytest.raises(ValidationError) as caught:
        lifecycle.edit(appeal=sent, actor=agent, now=moscow("2026-10-12 11:00"), previous=third)
    assert list(caught.value.message_dict) == ["previous"]
    assert Appeal.objects.get(pk=sent.pk).previous is None


def test_a_matter_does_not_leave_its_shop(sent: Appeal, agent: User, market: Marketplace) -> None:
    elsewhere = Shop.objects.create(name="Cups", marketplace=market)
    with pytest.raises(ValidationError) as caught:
        lifecycle.create(actor=agent, now=SENT, shop=elsewhere, subject="Again", previous=sent)
    assert list(caught.value.message_dict) == ["previous"]


def test_appeals_of_before_find_their_matter_and_lose_it_again(sent: Appeal, agent: User) -> None:
    third = written_again(written_again(sent, agent), agent)
    migration = import_module("appeals.migrations.0010_matters")
    migration.forget(apps, None)
    assert not Appeal.objects.exclude(matter=None).exists()
    migration.find(apps, None)
    assert numbers(third) == {sent.pk, *Appeal.objects.filter(matter=sent).values_list("pk", flat=True)}
    assert Appeal.objects.filter(matter=sent).count() == 2


def test_money_of_a_matter_is_counted_once(sent: Appeal, agent: User, shop: Shop) -> None:
    lifecycle.edit(appeal=sent, actor=agent, now=SENT, amount_at_stake=Decimal(1000))
    written_again(sent, agent, amount_at_stake=Decimal(1200))
    lifecycle.create(actor=agent, now=SENT, shop=shop, subject="Another matter", amount_at_stake=Decimal(5))
    lifecycle.create(actor=agent, now=SENT, shop=shop, subject="No money in it")
    assert Appeal.objects.at_stake() == Decimal(1205)
    assert Appeal.objects.none().at_stake() == 0


# The answer was promised within 3 working days of Monday 5 October: by the end of Thursday the 8th


def test_a_promise_that_runs_on_its_own_page_is_not_said_twice(sent: Appeal) -> None:
    assert said(sent, "2026-10-20 12:00") == ""


def test_an_appeal_does_not_name_itself_by_its_number(sent: Appeal, agent: User, steps: list[EscalationStep]) -> None:
    lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-12 10:00"), step=steps[2])
    line = "Promised first by the end of 8 October, overdue by 2\u00a0working days"
    assert said(sent, "2026-10-13 12:00") == line


def test_the_first_promise_is_told_on_the_appeal_that_continues(sent: Appeal, agent: User) -> None:
    second = written_again(sent, agent)
    assert said(second, "2026-10-13 12:00") == (
        f"Promised first by the end of 8 October (No. {sent.pk}), overdue by 2\u00a0working days"
    )


def test_closing_the_first_appeal_as_written_again_does_not_hide_its_promise(sent: Appeal, agent: User) -> None:
    lifecycle.resolve(
        appeal=sent, actor=agent, now=moscow("2026-10-07 10:00"), outcome="ignored", note="Written again"
    )
    second = written_again(sent, agent, "2026-10-07 10:00")
    assert Deadline.objects.get(appeal=sent, kind="answer").state == "cancelled"
    assert said(second, "2026-10-08 12:00") == f"Promised first by the end of 8 October (No. {sent.pk})"
    assert said(second, "2026-10-13 12:00").endswith("overdue by 2\u00a0working days")
    third = written_again(second, agent, "2026-10-14 10:00")
    assert said(third, "2026-10-15 12:00").endswith(f"(No. {sent.pk}), overdue by 4\u00a0working days")


def test_a_step_of_the_path_does_not_hide_the_first_promise(
    sent: Appeal, agent: User, steps: list[EscalationStep]
) -> None:
    lifecycle.escalate(appeal=sent, actor=agent, now=moscow("2026-10-12 10:00"), step=steps[2])
    assert said(sent, "2026-10-20 12:00").endswith("overdue by 7\u00a0working days")


def test_a_late_answer_to_a_later_appeal_ends_the_lateness_of_the_first(sent: Appeal, agent: User) -> None:
    second = written_again(sent, agent)
    lifecycle.record_reply(appeal=second, actor=agent, now=moscow("2026-10-14 10:00"), kind="answer", text="…")
    assert said(second, "2026-11-14 10:00").endswith("answered late by 3\u00a0working days")


def test_a_matter_given_up_keeps_the_lateness_that_it_had(sent: Appeal, agent: User) -> None:
    second = written_again(sent, agent)
    for appeal in (sent, second):
        lifecycle.resolve(appeal=appeal, actor=agent, now=moscow("2026-10-16 10:00"), outcome="ignored")
    assert said(second, "2026-11-14 10:00").endswith("overdue by 5\u00a0working days")


def test_a_promise_that_was_kept_or_taken_back_is_not_spoken_of(sent: Appeal, agent: User, draft: Appeal) -> None:
    lifecycle.record_reply(appeal=sent, actor=agent, now=moscow("2026-10-06 10:00"), kind="answer", text="…")
    assert said(written_again(sent, agent), "2026-10-20 12:00") == ""


def test_what_we_withdrew_is_no_promise(sent: Appeal, agent: User) -> None:
    lifecycle.resolve(appeal=sent, actor=agent, now=moscow("2026-10-06 10:00"), outcome="withdrawn")
    second = written_again(sent, agent)
    assert said(second, "2026-10-20 12:00") == ""


def test_many_matters_take_two_queries(
    sent: Appeal, agent: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _again in range(5):
        written_again(sent, agent)
    appeals = list(Appeal.objects.all())
    with django_assert_num_queries(2):
        assert len(chain.first_promises(appeals)) == 5


def test_a_topic_and_a_channel_may_differ_in_a_matter(sent: Appeal, agent: User, market: Marketplace) -> None:
    other = Channel.objects.create(marketplace=market, kind="email", name="Почта", source="test")
    topic = Topic.objects.create(slug="other", name="Другое", source="test")
    assert numbers(written_again(sent, agent, channel=other, topic=topic)) >= {sent.pk}


@pytest.fixture
def ours(client: Client, agent: User) -> Client:
    agent.groups.add(Group.objects.get(name="agent"))
    client.force_login(agent)
    return client


def test_the_page_tells_the_whole_matter_and_which_line_belongs_to_which_appeal(
    ours: Client, sent: Appeal, agent: User
) -> None:
    lifecycle.record_reply(
        appeal=sent, actor=agent, now=moscow("2026-10-06 10:00"), kind="brush_off", text="Read the help."
    )
    second = written_again(sent, agent)
    page = ours.get(second.get_absolute_url()).content.decode()
    assert "Read the help." in page
    assert f'<a href="{sent.get_absolute_url()}">№ {sent.pk}</a>' in page
    assert "Promised first by the end of 8 October" in page
    first_page = ours.get(sent.get_absolute_url()).content.decode()
    assert f'<a href="{second.get_absolute_url()}">№ {second.pk}</a>' in first_page


def test_the_page_of_a_matter_takes_as_many_queries_as_that_of_one_appeal(
    ours: Client, sent: Appeal, agent: User
) -> None:
    counted = []
    for _again in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert ours.get(sent.get_absolute_url()).status_code == 200
        counted.append(len(queries))
        for _more in range(4):
            written_again(sent, agent)
    assert counted[1] <= counted[0] + 1  # the channels of the clocks, perhaps


def test_the_list_shows_the_first_promise_beside_the_clock(ours: Client, sent: Appeal, agent: User) -> None:
    lifecycle.resolve(appeal=sent, actor=agent, now=moscow("2026-10-12 10:00"), outcome="ignored")
    second = written_again(sent, agent)
    with time_machine.travel(moscow("2026-10-13 12:00"), tick=False):
        listed = ours.get(reverse("admin:appeals_appeal_changelist"), {"status": "open"}).content.decode()
    assert f"№ {second.pk}" in listed
    assert f"Promised first by the end of 8 October (No. {sent.pk}), overdue by 2\u00a0working days" in listed


def test_home_counts_the_money_of_a_matter_once(ours: Client, sent: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=sent, actor=agent, now=SENT, amount_at_stake=Decimal(1000))
    written_again(sent, agent, amount_at_stake=Decimal(1000))
    assert ours.get(reverse("admin:index")).context["at_stake"] == 1000


def test_a_number_that_stands_twice_is_pointed_at_and_kept(ours: Client, sent: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=sent, actor=agent, now=SENT, external_number="777")
    second = written_again(sent, agent, external_number="777")
    assert second.external_number == "777"
    page = ours.get(second.get_absolute_url()).content.decode()
    assert f"The number “777” stands on appeal No. {sent.pk} already." in page


def test_the_same_number_in_another_shop_is_nobody_elses_business(
    sent: Appeal, agent: User, market: Marketplace
) -> None:
    lifecycle.edit(appeal=sent, actor=agent, now=SENT, external_number="777")
    elsewhere = Shop.objects.create(name="Cups", marketplace=market)
    other = lifecycle.create(actor=None, now=SENT, shop=elsewhere, subject="Theirs", external_number="777")
    assert numbers_of(other) == []


def test_a_number_that_the_platform_does_not_give_is_pointed_at(sent: Appeal, market: Marketplace) -> None:
    market.ticket_number_pattern, market.ticket_number_example = r"^[0-9]{8}$", "22283263"
    sent.shop.marketplace, sent.external_number = market, "12"
    [found] = numbers_of(sent)
    assert (found.code, found.field) == ("number_format", "external_number")
    assert "22283263" in found.message
    sent.external_number = "22283264"
    assert numbers_of(sent) == []


def test_the_form_points_at_an_odd_number_with_a_link(ours: Client, sent: Appeal, agent: User) -> None:
    lifecycle.edit(appeal=sent, actor=agent, now=SENT, external_number="777")
    form = {"shop": sent.shop_id, "subject": "Again", "external_number": " 777 "}
    found = ours.post(reverse("admin:appeals_appeal_review"), form).content.decode()
    assert f"The number “777” stands on appeal No. {sent.pk} already." in found
    assert f'<a href="{sent.get_absolute_url()}">Open the appeal</a>' in found


@pytest.mark.parametrize("number", ["", "x", "²", "9" * 40, "0"])
def test_what_is_no_number_of_an_appeal_quotes_nothing(agent: User, number: str) -> None:
    assert quoting(agent, number) == {}


def test_an_appeal_of_another_team_is_not_quoted(sent: Appeal, agent: User) -> None:
    outsider = User.objects.create_user(email="stranger@example.com", password=None)
    assert sent.subject in quoting(agent, str(sent.pk)).values()
    assert quoting(outsider, str(sent.pk)) == {}
