"""How a clock that runs is said."""

from datetime import timedelta

import pytest
from django.utils import translation
from django.utils.formats import date_format

from appeals import lifecycle, wording
from appeals.models import Appeal
from hub.models import User

from .conftest import moscow


def test_what_is_left_of_hours_is_said_of_hours_even_of_a_whole_day(sent: Appeal, agent: User) -> None:
    asked = moscow("2026-10-06 10:00")
    lifecycle.record_reply(appeal=sent, actor=agent, now=asked, kind="question", text="Which order?")
    ours = sent.deadlines.get(kind="our_reply")
    with translation.override("ru"):
        assert wording.remaining(ours, asked + timedelta(hours=1)) == "осталось 23\u00a0ч из 24\u00a0ч"


@pytest.mark.parametrize("said", ["TIME_FORMAT", "DATETIME_FORMAT", "SHORT_DATETIME_FORMAT"])
def test_an_hour_has_two_digits_in_every_russian_form(said: str) -> None:
    with translation.override("ru"):
        assert date_format(moscow("2026-10-06 02:55"), said).endswith("02:55")
