"""While nobody looks for late deadlines, every page of the workplace says so; the home page says when somebody did."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from appeals import reminders
from appeals.models import Shop
from hub.models import User
from tests.appeals.conftest import moscow

pytestmark = pytest.mark.django_db

NOON = moscow("2026-10-14 14:05")
PAGES = ["admin:index", "admin:appeals_appeal_changelist", "admin:appeals_appeal_add", "profile", "where-to-write"]
STAND = "Reminders have stood still since 14:05"


@pytest.fixture
def ours(client: Client, shop: Shop, agent: User) -> Client:
    agent.groups.add(Group.objects.get(name="agent"))
    client.force_login(agent)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_since_when_reminders_stand(ours: Client, page: str, time_machine: TimeMachineFixture) -> None:
    reminders.record_sweep(NOON)
    time_machine.move_to(NOON + timedelta(minutes=5, seconds=1))
    assert STAND in ours.get(reverse(page)).content.decode()


def test_it_says_so_in_russian(ours: Client, agent: User, time_machine: TimeMachineFixture) -> None:
    User.objects.update(language="ru")
    reminders.record_sweep(NOON)
    time_machine.move_to(NOON + timedelta(minutes=6))
    assert "Напоминания стоят с 14:05" in ours.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("minutes", [0, 4])
def test_a_sweep_of_late_stands_for_nothing(ours: Client, minutes: int, time_machine: TimeMachineFixture) -> None:
    reminders.record_sweep(NOON)
    time_machine.move_to(NOON + timedelta(minutes=minutes))
    assert "hub-stand" not in ours.get(reverse("admin:index")).content.decode()


def test_where_sweeps_are_rare_three_are_waited_for(
    ours: Client, time_machine: TimeMachineFixture, settings: Settings
) -> None:
    settings.SWEEP_SECONDS = 3600
    reminders.record_sweep(NOON)
    time_machine.move_to(NOON + timedelta(hours=3))
    assert reminders.stand_since(NOON + timedelta(hours=3)) is None
    assert reminders.stand_since(NOON + timedelta(hours=3, seconds=1)) == NOON


def test_a_page_that_was_shown_by_a_clock_ahead_keeps_nothing_back(db: None) -> None:
    ahead = NOON + timedelta(days=1)
    reminders.record_sweep(ahead)
    assert reminders.stand_since(ahead) is None
    reminders.record_sweep(NOON)
    assert reminders.stand_since(NOON + timedelta(minutes=6)) == NOON


def test_a_stranger_is_not_told(client: Client, db: None, time_machine: TimeMachineFixture) -> None:
    reminders.record_sweep(NOON)
    time_machine.move_to(NOON + timedelta(hours=1))
    assert "hub-stand" not in client.get(reverse("admin:login")).content.decode()


def test_the_home_page_says_when_somebody_looked(ours: Client, time_machine: TimeMachineFixture) -> None:
    home = reverse("admin:index")
    assert "The hub has not looked for late deadlines yet." in ours.get(home).content.decode()
    reminders.record_sweep(NOON)
    time_machine.move_to(NOON + timedelta(minutes=2))
    assert "The hub looked for late deadlines 2\u00a0min ago." in ours.get(home).content.decode()
