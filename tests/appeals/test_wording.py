"""How a clock that runs is said."""

from datetime import timedelta

from django.utils import translation

from appeals import lifecycle, wording
from appeals.models import Appeal
from hub.models import User

from .conftest import moscow


def test_what_is_left_of_hours_is_said_of_hours_even_of_a_whole_day(sent: Appeal, agent: User) -> None:
    asked = moscow("2026-10-06 10:00")
    lifecycle.record_reply(appeal=sent, actor=agent, now=asked, kind="question", text="Which order?")
    ours = sent.deadlines.get(kind="our_reply")
    with translation.override("ru"):
        assert wording.remaining(ours, asked + timedelta(hours=1)) == "осталось 23 ч из 24 ч"
