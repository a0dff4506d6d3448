"""Requests that nobody thought of, made up from the description: no crash, and no answer outside it.

`FUZZ_EXAMPLES=500 pytest tests/api_contract/test_fuzz.py` tries more.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

from appeals.models import Appeal
from hub.models import ApiToken, User
from marketplaces.models import EscalationStep
from tests.api_contract.schema import generated

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
# What no description can say: that a row exists, that a text has a grammar, that two fields fit each other
BEYOND_CODES = {"does_not_exist", "invalid_choice", "fixed", "unique", "constraint", "blank", "out_of_range"}
BEYOND_FIELDS = {
    "Idempotency-Key",
    "assignee",
    "at",
    "cursor",
    "file",
    "members",
    "non_field_errors",
    "opening_hours",
    "step",
    "time_zone",
    "until",
}
CONFIG = {
    "seed": 1,
    "generation": {"allow-x00": False, "mode": "all"},
    "checks": {
        # 412 and 413 refuse a request before its body is judged
        "negative_data_rejection": {
            "expected-statuses": [str(code) for code in (400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429)]
        },
        # 400 is looked at below
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", *(str(code) for code in (400, 403, 404, 409, 412, 413, 422))]
        },
    },
}


HUB = get_wsgi_application()
described = schemathesis.openapi.from_dict(generated(), config=SchemathesisConfig.from_dict(CONFIG))


def whole(environ: Any, start_response: Any) -> list[bytes]:
    """The hub, with each answer closed when it was read, as servers do and the library's own client does not."""
    answer = HUB(environ, start_response)
    with closing(answer):
        return list(answer)


described.app = whole


@pytest.fixture
def headers(
    administrator: User, sent: Appeal, draft: Appeal, steps: list[EscalationStep], settings: Any
) -> Iterator[dict[str, str]]:
    """A token of an administrator, who may do everything, in a hub with a shop and two appeals."""
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    for signal in (request_started, request_finished):  # the connection of the test outlives its requests
        signal.disconnect(close_old_connections)
    yield {"Authorization": f"Bearer {ApiToken.objects.create(administrator)[1]}"}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@described.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_is_answered_outside_the_description(case: Any, headers: dict[str, str]) -> None:
    answer = case.call_and_validate(headers=headers)
    if answer.status_code == 400 and case.meta and case.meta.generation.mode.is_positive:
        refused_beyond_the_description(answer.json())


def refused_beyond_the_description(body: dict[str, Any]) -> None:
    """A request that fits the description may be refused only for what no description can say."""
    for error in body["errors"]:
        field = str(error["attr"]).split(".")[0]
        assert error["code"] in BEYOND_CODES or field in BEYOND_FIELDS, error


def test_the_check_itself_finds_a_refusal_that_the_description_should_have_told() -> None:
    with pytest.raises(AssertionError):
        refused_beyond_the_description({"errors": [{"code": "max_length", "attr": "subject"}]})
