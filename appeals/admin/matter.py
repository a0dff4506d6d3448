"""What the page of an appeal says of its matter: the other appeals, the promise made first, and an odd number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.formats import date_format
from django.utils.timezone import localtime

from appeals import chain, numbers
from appeals.admin.listing import TONES
from appeals.models import Appeal, Event

if TYPE_CHECKING:
    from hub.models import User


class Member(NamedTuple):
    """One appeal of the matter, the first first."""

    appeal: Appeal
    tone: str
    is_this: bool

    @property
    def said(self) -> str:
        """When it was sent, where and under which number; its status stands beside it."""
        one = self.appeal
        day = date_format(localtime(one.submitted_at), "DATE_FORMAT") if one.submitted_at else ""
        return " · ".join(filter(None, [day, str(one.channel or ""), one.external_number]))


def of(appeal: Appeal, user: User) -> list[Appeal]:
    """All appeals of its matter that the person sees, in the order in which they were written."""
    related = ("shop__marketplace", "topic", "channel__marketplace")
    return list(chain.members(appeal).visible_to(user).select_related(*related).order_by("pk"))


def context(appeal: Appeal, matter: list[Appeal], lines: Iterable[Event], now: datetime) -> dict[str, Any]:
    """`lines` are the timelines of the whole matter, with `undone_by`."""
    promise = chain.first_promise(appeal, matter, lines)
    return {
        "matter": [Member(one, TONES[Appeal.Status(one.status)], one.pk == appeal.pk) for one in matter],
        "first_promise": promise.text(appeal, now) if promise else "",
        "first_promise_late": bool(promise and promise.is_owed and promise.deadline.due_at < now),
        "number_warnings": numbers.of(appeal) if appeal.submitted_at else [],  # a draft is reviewed as a whole
    }
