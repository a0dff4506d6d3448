"""The demonstration is played through the ordinary verbs, so it shows what the hub makes of real work."""

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from appeals import chain
from appeals.models import Appeal, Deadline, Incident, Shop
from hub import demo, demo_stories
from hub.models import User

# Some sixty appeals, a matter of three, and an incident in three shops
ALL = demo.COUNT + 3 + 3 * demo_stories.ORDERS


@pytest.fixture
def filled(db: None) -> None:
    call_command("load_directory", verbosity=0)
    demo.fill(now=datetime(2026, 11, 20, 9, 0, tzinfo=UTC))


@pytest.mark.usefixtures("filled")
def test_there_are_some_sixty_appeals_in_every_state() -> None:
    assert Appeal.objects.count() == ALL
    assert set(Appeal.objects.values_list("status", flat=True)) == set(Appeal.Status.values)
    assert set(Deadline.objects.values_list("state", flat=True)) == set(Deadline.State.values)
    assert set(Deadline.objects.values_list("kind", flat=True)) == set(Deadline.Kind.values)
    assert Appeal.objects.overdue(datetime(2026, 11, 20, 9, 0, tzinfo=UTC)).count() >= 10


@pytest.mark.usefixtures("filled")
def test_one_matter_took_three_appeals_and_one_fault_many() -> None:
    [last] = Appeal.objects.exclude(matter=None).filter(next=None)
    assert [one.outcome for one in chain.members(last).order_by("pk")] == ["ignored", "ignored", ""]
    assert Incident.objects.get().appeals.values("shop").distinct().count() == 3


@pytest.mark.usefixtures("filled")
def test_every_appeal_would_pass_the_form() -> None:
    for appeal in Appeal.objects.select_related("shop__marketplace"):
        appeal.full_clean()
    for shop in Shop.objects.all():
        shop.full_clean()


@pytest.mark.usefixtures("filled")
def test_the_team_can_log_in_and_nobody_is_real() -> None:
    for user in User.objects.all():
        assert user.check_password(demo.PASSWORD)
        assert user.email.endswith("@example.com")


@pytest.mark.django_db
def test_a_hub_with_work_in_it_is_left_alone(filled: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("demo")
    assert Appeal.objects.count() == ALL
    assert "nothing is added" in capsys.readouterr().out


@pytest.mark.django_db
def test_without_a_directory_it_says_what_to_do_first() -> None:
    with pytest.raises(CommandError, match="load_directory"):
        call_command("demo")
