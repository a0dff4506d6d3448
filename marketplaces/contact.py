"""Where to write now: the channels of a marketplace, best first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from marketplaces.models import Channel, Marketplace, State, Topic
from marketplaces.wording import open_now, span

_TRUST = {State.WORKING: 0, State.UNCONFIRMED: 1, State.DISPUTED: 2}


@dataclass(frozen=True)
class Contact:
    """A channel as it stands at the moment asked about. `is_open` is None where nobody knows the hours."""

    channel: Channel
    is_open: bool | None
    opens_at: datetime | None
    closes_at: datetime | None
    promised: timedelta | None
    why: str


def rank(
    marketplace: Marketplace,
    *,
    at: datetime,
    topic: Topic | None = None,
    account_access: bool = True,
    promised: Callable[[Channel], timedelta | None] = lambda channel: None,
) -> list[Contact]:
    """The channels a seller can use in this situation.

    Working ones before the unconfirmed, open before closed, made for when the account is lost if it is, made for the
    topic, then the faster one by promise (`promised`: how long a first reply may take), else by what is usual.
    """
    channels = Channel.objects.usable_by_sellers().filter(marketplace=marketplace).prefetch_related("topics")
    channels = channels.select_related("marketplace").order_by("position", "id")
    usable = [channel for channel in channels if _fits(channel, topic, account_access)]
    contacts = [_contact(channel, topic, account_access, at, promised(channel)) for channel in usable]
    return sorted(contacts, key=lambda contact: _rank(contact, topic, account_access))


def _fits(channel: Channel, topic: Topic | None, account_access: bool) -> bool:
    """Not one behind a log-in that is lost, and not one made for other topics alone."""
    topics = list(channel.topics.all())
    return (account_access or not channel.needs_login) and (topic is None or not topics or topic in topics)


def _rank(contact: Contact, topic: Topic | None, account_access: bool) -> tuple[object, ...]:
    channel = contact.channel
    return (
        _TRUST[State(channel.state)],
        {True: 0, None: 1, False: 2}[contact.is_open],
        not account_access and not channel.works_without_account,
        topic is not None and topic not in channel.topics.all(),
        contact.promised or channel.first_reply_typical or timedelta.max,
    )


def _contact(
    channel: Channel, topic: Topic | None, account_access: bool, at: datetime, promised: timedelta | None
) -> Contact:
    hours = channel.hours
    return Contact(
        channel=channel,
        is_open=channel.is_open(at),
        opens_at=hours.opens_at(at) if hours else None,
        closes_at=hours.closes_at(at) if hours else None,
        promised=promised,
        why=_why(channel, topic, account_access, at, promised),
    )


def _why(channel: Channel, topic: Topic | None, account_access: bool, at: datetime, promised: timedelta | None) -> str:
    """One sentence, its parts in the order in which they weigh."""
    parts = [str(channel.get_state_display()), open_now(channel, at)]
    if not account_access and channel.works_without_account:
        parts.append(_("works when the account is lost"))
    if topic and topic in channel.topics.all():
        parts.append(_("made for the topic “%(topic)s”") % {"topic": topic})
    if promised:
        parts.append(_("first reply promised within %(time)s") % {"time": span(promised)})
    elif channel.first_reply_typical:
        parts.append(_("first reply usually within %(time)s") % {"time": span(channel.first_reply_typical)})
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."
