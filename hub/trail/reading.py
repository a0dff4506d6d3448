"""The trail as one list: timelines of appeals, the history of the directory, and the lines of the trail itself.

Each of the three is read by its own query, by position and never by a count, and merged: a page costs the same number
of queries, however long the trail is. Administrators of the installation read everything; who leads a shop reads what
was done for it; who administers people reads what belongs to no shop, too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from appeals import story
from appeals.models import Event, Shop
from hub.models import User
from hub.trail import wording
from hub.trail.models import TrailEntry
from marketplaces import facts_text
from marketplaces.models import DirectoryChange, Marketplace
from marketplaces.naming import in_language

APPEALS, DIRECTORY = "appeals", "directory"
KINDS: dict[str, Any] = {
    APPEALS: gettext_lazy("appeals"),
    DIRECTORY: gettext_lazy("directory"),
    **{str(kind.value): kind.label for kind in TrailEntry.Kind},
}
ACTIONS = {
    TrailEntry.Action.CREATE: pgettext_lazy("what was done", "added"),
    TrailEntry.Action.UPDATE: pgettext_lazy("what was done", "changed"),
    TrailEntry.Action.DELETE: pgettext_lazy("what was done", "deleted"),
}


class Line(NamedTuple):
    at: datetime
    who: str
    kind: str
    what: str
    thing: str
    url: str
    details: list[str]
    place: tuple[datetime, int, int]
    """Where it stands: its moment, which of the three lists it is of, its key."""


class Asked(NamedTuple):
    """What the page is asked for. None and empty: everything."""

    who: int | None = None
    kind: str = ""
    thing: str = ""
    since: datetime | None = None
    before: datetime | None = None
    shop: int | None = None


class Position(NamedTuple):
    """The last line of the page before."""

    at: datetime
    source: int
    pk: int

    def encode(self) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.at.isoformat(), self.source, self.pk]).encode()).decode()


def decode(text: str) -> Position | None:
    """The position that a link names; None when it names none."""
    try:
        moment, source, pk = json.loads(base64.urlsafe_b64decode(text.encode()))
        at = parse_datetime(moment)
        return Position(at.astimezone(UTC), int(source), int(pk)) if at and at.tzinfo else None
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def may_read(user: User, leads: Callable[[], bool] | None = None) -> bool:
    """`leads` says whether they lead a shop, where that is at hand: then it is not asked for again."""
    return _reads_people(user) or (leads() if leads else Shop.objects.led_by(user).exists())


def lines(user: User, asked: Asked, after: Position | None = None, count: int = 50) -> list[Line]:
    """The newest lines that `user` may read, or those that come after a position."""
    found = [
        map(to_line, _newest(rows, moment, number, asked, after)[:count])
        for number, (rows, moment, to_line) in enumerate(_sources(user, asked))
    ]
    return list(islice(merge(*found, key=lambda line: _order(line.place)), count))


def pages(user: User, asked: Asked, count: int = 500) -> Iterator[list[Line]]:
    """All lines, page by page."""
    after: Position | None = None
    while page := lines(user, asked, after, count):
        yield page
        after = Position(*page[-1].place)


def _order(place: tuple[datetime, int, int]) -> tuple[float, int, int]:
    return -place[0].timestamp(), place[1], -place[2]


Source = tuple[QuerySet[Any], str, Callable[[Any], Line]]


def _sources(user: User, asked: Asked) -> list[Source]:
    names = wording.Names()
    return [
        (_events(user, asked), "recorded_at", _event_line),
        (_directory(user, asked), "at", partial(_directory_line, facts_text.Said(), names)),
        (_entries(user, asked), "timestamp", partial(_entry_line, names)),
    ]


def _newest(rows: QuerySet[Any], moment: str, number: int, asked: Asked, after: Position | None) -> QuerySet[Any]:
    if asked.who:
        rows = rows.filter(actor=asked.who)
    if asked.since:
        rows = rows.filter(**{f"{moment}__gte": asked.since})
    if asked.before:
        rows = rows.filter(**{f"{moment}__lt": asked.before})
    if after:
        rows = rows.filter(**{f"{moment}__lte": after.at})
        if number < after.source:
            rows = rows.filter(**{f"{moment}__lt": after.at})
        elif number == after.source:
            rows = rows.filter(Q(**{f"{moment}__lt": after.at}) | Q(pk__lt=after.pk))
    return rows.order_by(f"-{moment}", "-pk")


def _reads_people(user: User) -> bool:
    return user.has_perm("hub.change_user")


def _shops(user: User, asked: Asked) -> QuerySet[Shop]:
    led = Shop.objects.led_by(user)
    return led.filter(pk=asked.shop) if asked.shop else led


def _events(user: User, asked: Asked) -> QuerySet[Event]:
    if asked.kind not in ("", APPEALS):
        return Event.objects.none()
    found = Event.objects.select_related("appeal__shop", "actor", "step")
    if asked.shop or not user.is_superuser:
        found = found.filter(appeal__shop__in=_shops(user, asked))
    if asked.thing.lstrip("№# ").isdecimal():
        return found.filter(appeal=int(asked.thing.lstrip("№# ")[:18]))
    return found.filter(appeal__subject__folded=asked.thing) if asked.thing else found


def _directory(user: User, asked: Asked) -> QuerySet[DirectoryChange]:
    if asked.kind not in ("", DIRECTORY) or asked.shop or not _reads_people(user):
        return DirectoryChange.objects.none()
    found = DirectoryChange.objects.select_related("actor")
    named = Q(name__folded=asked.thing) | Q(name_en__folded=asked.thing)
    return found.filter(named) if asked.thing else found


def _entries(user: User, asked: Asked) -> QuerySet[TrailEntry]:
    found: QuerySet[TrailEntry] = TrailEntry.objects.select_related("actor")
    if asked.kind:
        found = found.filter(kind=asked.kind)
    if asked.shop or not user.is_superuser:
        seen = Q(shop_id__in=_shops(user, asked).values("pk"))
        found = found.filter(seen | Q(shop_id=None) if _reads_people(user) and not asked.shop else seen)
    return found.filter(object_repr__folded=asked.thing) if asked.thing else found


def _event_line(event: Event) -> Line:
    """What happened; the words of a letter stay in the appeal."""
    what = str(event.step) if event.kind == Event.Kind.ESCALATED and event.step else event.get_reply_kind_display()
    return Line(
        at=event.recorded_at,
        who=_who(event.actor, ""),
        kind=str(KINDS[APPEALS]),
        what=": ".join(filter(None, [str(event.get_kind_display()), what])),
        thing=f"{event.appeal} · {event.appeal.shop}",
        url=event.appeal.get_absolute_url(),
        details=list(story.told(event)),
        place=(event.recorded_at, 0, event.pk),
    )


def _directory_line(said: facts_text.Said, names: wording.Names, change: DirectoryChange) -> Line:
    name = in_language({"ru": change.name, "en": change.name_en})
    return Line(
        at=change.at,
        who=_who(change.actor, ""),
        kind=str(KINDS[DIRECTORY]),
        what=str(change.get_action_display()),
        thing=f"{name} ({names.of(Marketplace, change.marketplace)})" if change.marketplace else name,
        url="",
        details=list(wording.facts(change, said)),
        place=(change.at, 1, change.pk),
    )


def _entry_line(names: wording.Names, entry: TrailEntry) -> Line:
    address = (entry.additional_data or {}).get("address")
    return Line(
        at=entry.timestamp,
        who=_who(entry.actor, entry.actor_email),
        kind=str(entry.get_kind_display()),
        what=str(ACTIONS.get(entry.action, "")),
        thing=wording.thing(entry),
        url=_page_of(entry),
        details=[*wording.changes(entry, names), *filter(None, [address, entry.remote_addr])],
        place=(entry.timestamp, 2, entry.pk),
    )


def _page_of(entry: TrailEntry) -> str:
    pages = {
        TrailEntry.Kind.PERSON: "hub_user_change",
        TrailEntry.Kind.ROLE: "auth_group_change",
        TrailEntry.Kind.SHOP: "appeals_shop_change",
        TrailEntry.Kind.RULE: "appeals_reminderrule_change",
    }
    page = pages.get(TrailEntry.Kind(entry.kind))
    if not page or entry.action == TrailEntry.Action.DELETE or not entry.object_id:
        return ""
    return reverse(f"admin:{page}", args=[entry.object_id])


def _who(actor: User | None, email: str | None) -> str:
    """People who were deleted meanwhile are known by their address."""
    return str(actor or email or pgettext("who did it", "the hub"))
