"""What the page “where to write” shows of each channel, of the topic, and of what was set aside."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from marketplaces import contact
from marketplaces.amounts import amount_text
from marketplaces.models import Channel, ResponseTarget, Topic
from marketplaces.pages.parts import Place, place
from marketplaces.pages.references import Citation, References
from marketplaces.wording import span, until


class Promise(Protocol):
    """What the marketplace would owe for a message sent now."""

    @property
    def target(self) -> ResponseTarget: ...
    @property
    def due_at(self) -> datetime: ...


Promises = Callable[[Channel | None], Mapping[str, Promise | None]]


@dataclass(frozen=True)
class PromiseLine:
    kind: str
    text: str
    note: str
    citation: Citation


@dataclass(frozen=True)
class Rival:
    """Another address that some source gives for the same channel, and which is believed less."""

    name: str
    address: str
    reason: str
    citation: Citation


@dataclass(frozen=True)
class Card:
    """A channel to write to."""

    pk: int
    place: Place
    marks: list[str]
    how: str
    promises: list[PromiseLine]
    usual: str
    measured: str
    remarks: str
    rivals: list[Rival]


@dataclass(frozen=True)
class Folded:
    """A channel not to write to, and why."""

    place: Place
    why: str
    how: str
    believed: str


def cards(
    places: contact.Places, asked: contact.Situation, promises: Promises, references: References
) -> dict[str, list[Any]]:
    """The channels to write to, to read first, not to write to, and those for another situation."""
    channels = [found.channel for found in (*places.write, *places.read)]
    channels += [aside.channel for aside in places.aside]
    names = {channel.pk: channel for channel in channels}
    rivals: dict[int | None, list[Channel]] = {}
    for channel in channels:
        rivals.setdefault(channel.contradicts_id, []).append(channel)

    def card(found: contact.Contact) -> Card:
        others = [_rival(channel, references) for channel in rivals.get(found.channel.pk, [])]
        return _card(found, asked, promises(found.channel), others, references)

    def folded(aside: contact.Aside) -> Folded:
        believed = names.get(aside.channel.contradicts_id or 0)
        return Folded(
            place=place(aside.channel, asked.at, references),
            why=_why_aside(aside),
            how=aside.channel.text("instructions"),
            believed=_named(believed) if believed else "",
        )

    elsewhere = (contact.Reason.NO_ACCESS, contact.Reason.OTHER_TOPICS)
    return {
        "write": [card(found) for found in places.write],
        "read": [card(found) for found in places.read],
        "avoid": [folded(aside) for aside in places.aside if aside.reason not in elsewhere],
        "elsewhere": [folded(aside) for aside in places.aside if aside.reason in elsewhere],
    }


def general_promises(promises: Promises, asked: contact.Situation, references: References) -> list[PromiseLine]:
    """What is promised whatever the channel; a card names only what is promised on that channel alone."""
    return [_promise(promise, asked.at, references) for promise in promises(None).values() if promise]


def topic_card(topic: Topic, references: References) -> dict[str, Any]:
    """What to have ready for an appeal on the topic."""
    english = (get_language() or "").startswith("en")
    known = [value for value in topic.required if value in Topic.Required.values]
    return {
        "name": str(topic),
        "required": [str(Topic.Required(value).label) for value in known],
        "good_appeal": topic.text("good_appeal"),
        "examples": (topic.examples_en if english else None) or topic.examples,
        "citation": references.cite(topic),
    }


def _card(
    found: contact.Contact,
    asked: contact.Situation,
    promises: Mapping[str, Promise | None],
    rivals: list[Rival],
    references: References,
) -> Card:
    channel = found.channel
    return Card(
        pk=channel.pk,
        place=place(channel, asked.at, references),
        marks=_marks(channel, asked),
        how=channel.text("instructions"),
        promises=[
            _promise(promise, asked.at, references)
            for promise in promises.values()
            if promise and promise.target.channel_id
        ],
        usual=_usual(channel),
        measured=_measured(found.experience) if found.experience else "",
        remarks=channel.text("remarks"),
        rivals=rivals,
    )


def _marks(channel: Channel, asked: contact.Situation) -> list[str]:
    topics = list(channel.topics.all())
    marks = []
    if asked.topic in topics:
        marks.append(_("made for this topic"))
    elif topics:
        marks.append(_only_for(topics))
    if channel.works_without_account and not asked.account_access:
        marks.append(_("works when the account is lost"))
    elif channel.needs_login:
        marks.append(_("needs the seller account"))
    return marks


def _promise(promise: Promise, at: datetime, references: References) -> PromiseLine:
    target = promise.target
    words = {"amount": amount_text(target.amount, target.unit), "until": until(promise.due_at, at)}
    return PromiseLine(
        kind=capfirst(str(target.get_kind_display())),
        text=_("%(amount)s, %(until)s") % words,
        note=target.text("note"),
        citation=references.cite(target),
    )


def _usual(channel: Channel) -> str:
    typical, worst = channel.first_reply_typical, channel.first_reply_worst
    if typical and worst and worst > typical:
        return _("usually within %(typical)s, at worst within %(worst)s") % {
            "typical": span(typical),
            "worst": span(worst),
        }
    known = typical or worst
    return _("usually within %(typical)s") % {"typical": span(known)} if known else ""


def _measured(measured: contact.Measured) -> str:
    text = ngettext(
        "first reply within %(time)s, the median of %(count)d appeal",
        "first reply within %(time)s, the median of %(count)d appeals",
        measured.count,
    )
    return text % {"time": span(measured.median), "count": measured.count}


def _rival(channel: Channel, references: References) -> Rival:
    return Rival(
        name=channel.text("name"),
        address=channel.address,
        reason=channel.text("state_reason"),
        citation=references.cite(channel, by=str(channel.verified_by or "")),
    )


def _why_aside(aside: contact.Aside) -> str:
    """The mark beside the state; a buyers' line says so whatever its state is."""
    reason = contact.Reason(aside.reason)
    if reason == contact.Reason.STATE:
        others = {"buyers": contact.Reason.BUYERS, "other": contact.Reason.OTHERS}
        return str(others[aside.channel.audience].label) if aside.channel.audience in others else ""
    if reason == contact.Reason.OTHER_TOPICS:
        return _only_for(list(aside.channel.topics.all()))
    return str(reason.label)


def _only_for(topics: list[Topic]) -> str:
    text = ngettext("only for the topic: %(topics)s", "only for the topics: %(topics)s", len(topics))
    return text % {"topics": ", ".join(_amid(str(topic)) for topic in topics)}


def _amid(name: str) -> str:
    """Within a sentence: a Russian name begins small; an abbreviation or a brand in Latin letters stays."""
    return re.sub("^[А-ЯЁ](?=[а-яё])", lambda first: first[0].lower(), name)


def _named(channel: Channel) -> str:
    name = channel.text("name")
    return f"{name}, {channel.address}" if channel.address else name
