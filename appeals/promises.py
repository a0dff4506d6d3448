"""Which promise applies, and why."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from appeals.models import Appeal
from marketplaces.amounts import amount_text
from marketplaces.citing import Citations
from marketplaces.models import (
    ROUND_THE_CLOCK,
    Channel,
    EscalationStep,
    Marketplace,
    Priority,
    ResponseTarget,
    Topic,
)
from marketplaces.naming import in_language, named
from marketplaces.working_time import Unit, clock

Promised = dict[str, Any]


@dataclass(frozen=True)
class Promise:
    """What the marketplace would owe for a message sent at a moment."""

    target: ResponseTarget
    due_at: datetime

    @property
    def why(self) -> str:
        """The reason for people, in the active language."""
        return said(as_data(self.target), Citations())


class Targets:
    """The response targets in force, read once: for one decision, or for the recomputing of many deadlines."""

    def __init__(self, marketplace: Marketplace | None = None) -> None:
        rows = ResponseTarget.objects.filter(retired_at=None).select_related("marketplace", "topic", "channel")
        self._rows: dict[tuple[int, str], list[ResponseTarget]] = defaultdict(list)
        for target in rows.filter(marketplace=marketplace) if marketplace else rows:
            self._rows[target.marketplace_id, target.kind].append(target)

    def best(
        self,
        kind: str,
        *,
        marketplace_id: int,
        topic_id: int | None = None,
        channel_id: int | None = None,
        priority: str = Priority.NORMAL,
        is_complex: bool = False,
    ) -> ResponseTarget | None:
        """The most specific target: all that it names must match, and more named attributes beat fewer.

        Two that fit equally well cannot be saved; should they stand in the database all the same, the older one wins.
        """
        facts = {"topic_id": topic_id, "channel_id": channel_id, "priority": priority, "is_complex": is_complex}
        fitting = [target for target in self._rows[marketplace_id, kind] if target.named.items() <= facts.items()]
        return max(fitting, key=lambda target: (len(target.named), -target.pk), default=None)

    def of(self, appeal: Appeal, kind: str) -> ResponseTarget | None:
        """The target that applies to the appeal as it is now."""
        return self.best(
            kind,
            marketplace_id=appeal.shop.marketplace_id,
            topic_id=appeal.topic_id,
            channel_id=appeal.channel_id,
            priority=appeal.priority,
            is_complex=appeal.is_complex,
        )


def as_data(promised: ResponseTarget | EscalationStep) -> Promised:
    """What is promised, as a timeline keeps it: as data, for whoever reads it reads in a language of their own."""
    if isinstance(promised, EscalationStep):
        return {"step": named(promised), "amount": promised.term_amount, "unit": promised.term_unit}
    given: Promised = {name: named(row) for name in ("topic", "channel") if (row := getattr(promised, name))}
    if promised.priority:
        given["priority"] = promised.priority
    if promised.is_complex is not None:
        given["is_complex"] = promised.is_complex
    term = {"amount": promised.amount, "unit": promised.unit, "source": promised.source}
    return given | {"marketplace": named(promised.marketplace)} | term


def said(given: Promised, cite: Callable[[str], str]) -> str:
    """Such facts in the active language: "topic Finance, Ozon, 3 working days, from S2: Seller terms (grade A)"."""
    term = amount_text(given["amount"], given["unit"])
    if "step" in given:
        return _("%(step)s: %(term)s") % {"step": in_language(given["step"]), "term": term}
    parts = []
    if "topic" in given:
        parts.append(_("topic %(topic)s") % {"topic": in_language(given["topic"])})
    if "channel" in given:
        parts.append(_("channel %(channel)s") % {"channel": in_language(given["channel"])})
    if "priority" in given:
        parts.append(_("priority %(priority)s") % {"priority": Priority(given["priority"]).label})
    if "is_complex" in given:
        parts.append(_("complex case") if given["is_complex"] else _("simple case"))
    parts += [in_language(given["marketplace"]), term]
    promise = ", ".join(parts)
    source = cite(given["source"])
    return _("%(promise)s, from %(source)s") % {"promise": promise, "source": source} if source else promise


def promise(
    *,
    marketplace: Marketplace,
    at: datetime,
    topic: Topic | None = None,
    channel: Channel | None = None,
    priority: str = Priority.NORMAL,
    is_complex: bool = False,
) -> dict[str, Promise | None]:
    """What would be promised for a message sent at `at`, for `first_reply` and `answer`; None where nothing is."""
    return _promises(
        Targets(marketplace),
        at,
        channel,
        marketplace_id=marketplace.pk,
        topic_id=topic.pk if topic else None,
        channel_id=channel.pk if channel else None,
        priority=priority,
        is_complex=is_complex,
    )


def by_channel(
    marketplace: Marketplace, *, at: datetime, topic: Topic | None = None
) -> Callable[[Channel | None], dict[str, Promise | None]]:
    """The same for each channel, and for None in general, with the targets read once for all of them."""
    targets, topic_id = Targets(marketplace), topic.pk if topic else None
    return lambda channel: _promises(
        targets,
        at,
        channel,
        marketplace_id=marketplace.pk,
        topic_id=topic_id,
        channel_id=channel.pk if channel else None,
    )


def _promises(targets: Targets, at: datetime, channel: Channel | None, **facts: Any) -> dict[str, Promise | None]:
    kinds = ("first_reply", "answer")
    found = {kind: targets.best(kind, **facts) for kind in kinds}
    return {kind: _promise(target, channel, at) if target else None for kind, target in found.items()}


def _promise(target: ResponseTarget, channel: Channel | None, at: datetime) -> Promise:
    place = target.marketplace
    ticking = channel.clock if channel else clock(ROUND_THE_CLOCK, place.time_zone, place.country)
    return Promise(target=target, due_at=ticking.add(at, target.amount, Unit(target.unit)))
