import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from hub.models import ApiToken, User


@pytest.fixture
def agent(db: None) -> User:
    return User.objects.create_user("agent@example.com")


def issue(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("issue_token", *arguments)
    return capsys.readouterr().out


def test_it_prints_a_token_alone_and_the_token_opens_the_api(agent: User, capsys: pytest.CaptureFixture[str]) -> None:
    printed = issue(capsys, "Agent@Example.com", "--name", "stock program")
    token = printed.removesuffix("\n")
    assert token.isalnum()
    kept = ApiToken.objects.get()
    assert (kept.user, kept.name, kept.expiry) == (agent, "stock program", None)
    assert token not in (kept.digest, kept.token_key)
    answer = APIClient().get("/api/v1/me/", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_a_database_that_was_never_prepared_is_told_with_the_mend(environment: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "issue_token", "agent@example.com"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=settings.BASE_DIR)
    assert done.returncode == 1
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_days_limit_its_life(agent: User, capsys: pytest.CaptureFixture[str]) -> None:
    issue(capsys, agent.email, "--days", "30")
    expiry = ApiToken.objects.get().expiry
    assert expiry is not None
    assert abs(expiry - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


@pytest.mark.parametrize("days", ["0", "-1", "3651"])
def test_days_that_make_no_sense_are_refused(agent: User, days: str) -> None:
    with pytest.raises(CommandError, match="--days"):
        call_command("issue_token", agent.email, f"--days={days}")
    assert not ApiToken.objects.exists()


def test_an_unknown_address_is_refused(agent: User) -> None:
    with pytest.raises(CommandError, match=r"nobody@example\.com: no user"):
        call_command("issue_token", "nobody@example.com")


def test_a_user_who_left_gets_no_token(agent: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="not active"):
        call_command("issue_token", agent.email)
    assert not ApiToken.objects.exists()
