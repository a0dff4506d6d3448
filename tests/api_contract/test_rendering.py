"""JSON as the API writes it: byte for byte what the framework's own renderer makes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ErrorDetail
from rest_framework.renderers import JSONRenderer as PlainJSONRenderer

from appeals.models import Appeal
from hub.api.rendering import JSONRenderer

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.none() | st.booleans() | st.integers() | TEXT | st.datetimes(timezones=st.just(UTC)) | st.dates()
ANYTHING = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(ANYTHING)
def test_it_writes_what_the_framework_writes(data: Any) -> None:
    assert JSONRenderer().render(data) == PlainJSONRenderer().render(data)


@pytest.mark.parametrize(
    "value",
    [
        "line\u2028paragraph\u2029end \x00\x1f\x7f </script>",
        2**63,
        2**64,
        Decimal("12500.00"),
        datetime(2026, 1, 12, 10, 0, 0, 123000, tzinfo=UTC),
        datetime(2026, 1, 12, 10, tzinfo=ZoneInfo("UTC")),
        datetime(2026, 1, 12, 10, tzinfo=ZoneInfo("Europe/Moscow")),
        datetime(2026, 1, 12, 10),  # noqa: DTZ001
        date(2026, 1, 12),
        gettext_lazy("draft"),
        ErrorDetail("no", code="invalid"),
        Appeal.Status.DRAFT,
        (1, "two"),
        0.25,
        [],
        {},
    ],
)
def test_it_knows_what_answers_are_made_of(value: Any) -> None:
    data = {"z": value, "a": [value]}
    assert JSONRenderer().render(data) == PlainJSONRenderer().render(data)


def test_it_indents_when_asked_to() -> None:
    kind = "application/json; indent=4"
    assert JSONRenderer().render({"a": [1]}, kind) == PlainJSONRenderer().render({"a": [1]}, kind) != b'{"a":[1]}'


def test_no_answer_is_no_text() -> None:
    assert JSONRenderer().render(None) == b""
