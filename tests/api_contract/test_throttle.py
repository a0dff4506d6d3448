"""How much a program may ask for is counted once for all web processes, and never stands in the way by itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import override_settings

from hub.api.throttling import TokenThrottle, count
from hub.models import User
from tests.api_contract.conftest import call_as
from tests.api_contract.test_errors import refused

ME = "/api/v1/me/"


def counting_in(redis_url: str) -> override_settings:
    cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}
    return override_settings(CELERY_BROKER_URL=redis_url, CACHES={"default": cache})


@pytest.fixture
def redis(redis_url: str) -> Iterator[None]:
    with counting_in(redis_url):
        yield


def test_each_minute_of_the_clock_begins_anew_and_the_refusal_says_when(agent: User) -> None:
    client = call_as(agent)
    with override_settings(API_REQUESTS_PER_MINUTE=2):
        with time_machine.travel(datetime(2026, 10, 14, 12, 0, 15, tzinfo=UTC), tick=False):
            assert [client.get(ME).status_code for _time in range(3)] == [200, 200, 429]
            answer = client.get(ME)
            refused(answer, 429, "throttled")
            assert answer.headers["Retry-After"] == "45"
        with time_machine.travel(datetime(2026, 10, 14, 12, 1, 0, tzinfo=UTC), tick=False):
            assert client.get(ME).status_code == 200


def at_once() -> None:
    """Each thread opens the file, or asks Redis, for itself, as processes do."""
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _one: count("token", 1), range(200)))
    assert sorted(counted) == list(range(1, 201))


def test_calls_at_once_are_all_counted() -> None:
    at_once()
    assert count("another token", 1) == 1
    assert count("token", 2) == 1


@pytest.mark.redis
@pytest.mark.usefixtures("redis")
def test_calls_at_once_are_all_counted_in_redis() -> None:
    at_once()


@pytest.mark.redis
@pytest.mark.usefixtures("redis")
def test_a_token_is_refused_by_what_redis_has_counted(agent: User) -> None:
    client = call_as(agent)
    with override_settings(API_REQUESTS_PER_MINUTE=2), time_machine.travel(datetime(2026, 10, 14, tzinfo=UTC)):
        assert [client.get(ME).status_code for _time in range(3)] == [200, 200, 429]


def test_nobody_is_refused_where_nothing_can_be_counted(agent: User, settings: Any, caplog: Any) -> None:
    client = call_as(agent)
    with counting_in("redis://127.0.0.1:1/0"):
        assert client.get(ME).status_code == 200
    with override_settings(DATA_DIR=settings.DATA_DIR / "not-there"):
        assert client.get(ME).status_code == 200
    told = [record for record in caplog.records if record.name == TokenThrottle.__module__]
    assert [record.levelname for record in told] == ["WARNING"] * 2
