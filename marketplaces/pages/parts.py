"""What the reference pages share: a channel as a place to go to, rules, and what support deals with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.text import capfirst
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from marketplaces import addresses, contact
from marketplaces.amounts import amount_text
from marketplaces.hours_text import describe
from marketplaces.models import ROUND_THE_CLOCK, UNSAFE, Channel, Marketplace, Rule, State, Topic
from marketplaces.pages.references import Citation, References

ICONS = {
    Channel.Kind.CHAT: "chat",
    Channel.Kind.TICKET_FORM: "assignment",
    Channel.Kind.EMAIL: "mail",
    Channel.Kind.PHONE: "call",
    Channel.Kind.MOBILE_APP: "smartphone",
    Channel.Kind.MESSENGER: "sms",
    Channel.Kind.SOCIAL_NETWORK: "groups",
    Channel.Kind.TELEGRAM: "send",
    Channel.Kind.POST: "markunread_mailbox",
    Channel.Kind.HOTLINE: "support_agent",
    Channel.Kind.HELP_CENTRE: "menu_book",
    Channel.Kind.PUBLIC_POST: "campaign",
}
TONES = {
    State.WORKING: "success",
    State.UNCONFIRMED: "warning",
    State.DISPUTED: "warning",
    State.DEAD: "danger",
    State.HISTORIC: "default",
}


@dataclass(frozen=True)
class Place:
    """A channel's name and address, with the link that opens it, and what is known of it being open."""

    name: str
    kind: str
    icon: str
    state: str
    tone: str
    reason: str
    address: str
    nowhere: str
    link: str
    is_copied: bool
    status: str
    is_open: bool | None
    hours: str
    citation: Citation


@dataclass(frozen=True)
class RuleLine:
    name: str
    term: str
    topic: str
    consequence: str
    state: str
    tone: str
    reason: str
    citation: Citation


def place(channel: Channel, at: datetime, references: References) -> Place:
    language, zone = get_language() or settings.LANGUAGE_CODE, get_current_timezone_name()
    told = channel.opening_hours not in ("", ROUND_THE_CLOCK)
    unsafe = channel.state in UNSAFE
    name, kind = channel.text("name"), capfirst(str(channel.get_kind_display()))
    link = "" if unsafe else addresses.link(channel)
    return Place(
        name=name,
        kind="" if name.casefold().startswith(kind.casefold()) else str(kind),
        icon=ICONS[Channel.Kind(channel.kind)],
        state=str(channel.get_state_display()),
        tone=TONES[State(channel.state)],
        reason=channel.text("state_reason"),
        address=channel.address,
        nowhere="" if channel.address or channel.state == State.DEAD else _nowhere(channel),
        link=link,
        is_copied=bool(link) or (channel.kind == Channel.Kind.POST and not unsafe),
        status="" if unsafe else contact.status(channel, at),
        is_open=channel.is_open(at),
        hours=_unbroken(describe(channel.opening_hours, channel.zone, language, zone, at.year))
        if told and not unsafe
        else "",
        citation=references.cite(channel, by=str(channel.verified_by or "")),
    )


def _nowhere(channel: Channel) -> str:
    return _("The number is not known.") if channel.kind in addresses.CALLED else _("The address is not known.")


def _unbroken(hours: str) -> str:
    """With a sign after each dash at which no line breaks."""
    return hours.replace("–", "–\u2060")


def support_card(marketplace: Marketplace, references: References) -> list[dict[str, Any]]:
    """What support deals with and what it refuses, as far as anything is known."""
    titles = {"support_handles": _("What support deals with"), "support_refuses": _("What support does not deal with")}
    return [
        {
            "title": title,
            "text": marketplace.text(field),
            "citation": references.cite_fact(marketplace.provenance.get(field, {})),
        }
        for field, title in titles.items()
        if marketplace.text(field)
    ]


def rules(marketplace: Marketplace, references: References, topic: Topic | None = None) -> list[RuleLine]:
    """The terms that the seller must meet, and the marketplace's limits; with a topic only those on it."""
    rows = Rule.objects.filter(marketplace=marketplace, retired_at=None).select_related("topic", "verified_by")
    return [_rule(rule, references) for rule in (rows.filter(topic=topic) if topic else rows)]


def _rule(rule: Rule, references: References) -> RuleLine:
    return RuleLine(
        name=rule.text("name"),
        term=amount_text(rule.term_amount, rule.term_unit) if rule.term_amount and rule.term_unit else "",
        topic=str(rule.topic or ""),
        consequence=rule.text("consequence"),
        state="" if rule.state == State.WORKING else str(rule.get_state_display()),
        tone=TONES[State(rule.state)],
        reason=rule.text("state_reason"),
        citation=references.cite(rule, by=str(rule.verified_by or "")),
    )
