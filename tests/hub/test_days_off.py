"""Days off: everybody enters their own; and what is kept of a person's hours and cannot be read is said."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from hub.days_off import DaysOffField
from hub.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> User:
    user = User.objects.create_user("agent@example.com", language="en")
    user.groups.add(Group.objects.get(name="agent"))
    return user


@pytest.fixture
def theirs(client: Client, agent: User) -> Client:
    client.force_login(agent)
    return client


def entered(days_off: str, **changes: str) -> dict[str, str]:
    form = {"full_name": "", "language": "en", "time_zone": "Europe/Moscow", "working_hours": "", "days_off": days_off}
    return form | changes


def test_everybody_enters_their_own_and_reads_them_again(theirs: Client, agent: User) -> None:
    theirs.post(reverse("profile"), entered("2026-12-31\n\n10.1.2027 - 12.01.2027\n01.01.2027 – 02.01.2027"))
    agent.refresh_from_db()
    assert agent.days_off == [["2026-12-31", "2027-01-02"], ["2027-01-10", "2027-01-12"]]
    page = theirs.get(reverse("profile")).content.decode()
    assert "31.12.2026 – 02.01.2027\n10.01.2027 – 12.01.2027" in page


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tomorrow", "“tomorrow” cannot be read. An example: 28.12.2026 – 09.01.2027."),
        ("30.02.2027", "There is no day 30.02.2027."),
        ("02.01.2027 - 01.01.2027", "“02.01.2027 - 01.01.2027” ends before it begins."),
        ("01.01.0001", "01.01.0001 is too far away."),
        ("01.01.2027 - 31.12.9999", "31.12.9999 is too far away."),
    ],
)
def test_what_is_no_day_is_refused_by_name(theirs: Client, agent: User, line: str, words: str) -> None:
    assert words in theirs.post(reverse("profile"), entered(line)).content.decode()
    agent.refresh_from_db()
    assert agent.days_off == []


def test_an_administrator_enters_them_for_somebody(client: Client, agent: User) -> None:
    client.force_login(User.objects.create_superuser("root@example.com", language="en"))
    address = reverse("admin:hub_user_change", args=[agent.pk])
    form = entered("28.12.2026", email=agent.email, is_active="on", is_staff="on")
    assert client.post(address, form).status_code == 302
    agent.refresh_from_db()
    assert agent.days_off == [["2026-12-28", "2026-12-28"]]
    assert "28.12.2026" in client.get(address).content.decode()


def test_without_a_log_in_nobody_enters_anything(client: Client, agent: User) -> None:
    assert client.post(reverse("profile"), entered("2026-12-31")).status_code == 302
    agent.refresh_from_db()
    assert agent.days_off == []


@pytest.mark.parametrize(
    "kept", [["2026-12-31"], [["2026-12-31", None]], [["b", "a"]], {"a": 1}, [["0001-01-01"] * 2]]
)
def test_what_is_no_list_of_ranges_is_not_kept(agent: User, kept: object) -> None:
    agent.days_off = kept
    with pytest.raises(ValidationError) as refusal:
        agent.full_clean()
    assert "days_off" in refusal.value.message_dict


def test_too_many_ranges_are_refused(agent: User) -> None:
    agent.days_off = [["2026-12-31", "2026-12-31"]] * 101
    with pytest.raises(ValidationError):
        agent.full_clean()


def test_the_field_knows_what_changed() -> None:
    field = DaysOffField()
    assert not field.has_changed([["2026-12-31", "2026-12-31"]], "31.12.2026")
    assert field.has_changed([], "31.12.2026")
    assert field.has_changed([], "nonsense")


def test_a_page_opens_and_says_so_when_hours_and_zone_cannot_be_read(theirs: Client, agent: User) -> None:
    User.objects.filter(pk=agent.pk).update(time_zone="Mars/Olympus", working_hours="whenever", days_off=["x"])
    page = theirs.get(reverse("profile")).content.decode()
    assert "The time zone “Mars/Olympus” cannot be read; Europe/Moscow counts instead." in page
    assert "The working hours “whenever” cannot be read; reminders come at any time." in page
    assert "The days off cannot be read; reminders come on them, too." in page


def test_an_administrator_sees_what_cannot_be_read_of_somebody(client: Client, agent: User) -> None:
    User.objects.filter(pk=agent.pk).update(time_zone="Mars/Olympus")
    client.force_login(User.objects.create_superuser("root@example.com", language="en"))
    assert "Mars/Olympus” cannot be read" in client.get(
        reverse("admin:hub_user_change", args=[agent.pk])
    ).content.decode().replace("&quot;", '"')
