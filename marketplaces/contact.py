"""Where to write now: the channels of a marketplace, best first, and why the others are not offered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from django.conf import settings
from django.db.models import TextChoices
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from marketplaces.hours_text import status_text
from marketplaces.models import Audience, Channel, Marketplace, State, Topic
from marketplaces.wording import LEFT_THERE, hours_unknown, span

ENOUGH = 5
"""How many first replies to our own appeals make a median worth going by; fewer tell of the cases, not the channel."""
_TRUST = {State.WORKING: 0, State.UNCONFIRMED: 1}
_LOST_WITHOUT_ADDRESS = (
    Channel.Kind.EMAIL,
    Channel.Kind.PHONE,
    Channel.Kind.HOTLINE,
    Channel.Kind.MESSENGER,
    Channel.Kind.SOCIAL_NETWORK,
    Channel.Kind.TELEGRAM,
    Channel.Kind.POST,
)
"""A chat or a form is found within the account even where nobody wrote down its address; these are not."""


class Reason(TextChoices):
    """Why a channel is not offered; of several the one that weighs most."""

    STATE = "state", gettext_lazy("its state")
    BUYERS = "buyers", gettext_lazy("for buyers only")
    OTHERS = "others", gettext_lazy("not for sellers' questions")
    NO_ADDRESS = "no_address", gettext_lazy("the address is not known")
    NO_ACCESS = "no_access", gettext_lazy("needs the seller account")
    OTHER_TOPICS = "other_topics", gettext_lazy("for other topics")


@dataclass(frozen=True)
class Measured:
    """The median time until a first reply that was no acknowledgement, and of how many appeals."""

    median: timedelta
    count: int


@dataclass(frozen=True)
class Situation:
    """What is asked about: a message on `topic` (None: on any) at a moment, with or without the seller account."""

    at: datetime
    topic: Topic | None
    account_access: bool


@dataclass(frozen=True)
class Contact:
    """A channel as it stands at the moment asked about. `is_open` is None where nobody knows the hours."""

    channel: Channel
    is_open: bool | None
    opens_at: datetime | None
    closes_at: datetime | None
    promised: timedelta | None
    measured: Measured | None
    why: str

    @property
    def experience(self) -> Measured | None:
        """Our own measure, once there is enough of it."""
        return self.measured if self.measured and self.measured.count >= ENOUGH else None


@dataclass(frozen=True)
class Aside:
    channel: Channel
    reason: Reason


@dataclass(frozen=True)
class Places:
    """Every channel of a marketplace in one of three lists: to write to, to read first (nobody answers), set aside."""

    write: list[Contact]
    read: list[Contact]
    aside: list[Aside]


def rank(
    marketplace: Marketplace,
    *,
    at: datetime,
    topic: Topic | None = None,
    account_access: bool = True,
    promised: Callable[[Channel], timedelta | None] = lambda channel: None,
    measured: Mapping[int, Measured] = MappingProxyType({}),
) -> Places:
    """The channels that a seller can write to in this situation, best first, and the rest.

    Working ones before the unconfirmed, open before closed and unknown, made for when the account is lost if it is,
    made for the topic, then the faster one: by our own `measured` replies (by channel) or, without enough of them,
    by what is `promised` (how long a first reply may take); hearsay of what is usual comes last. Reads all channels at
    once, however many.
    """
    asked = Situation(at, topic, account_access)
    channels = Channel.objects.current().filter(marketplace=marketplace).order_by("position", "id")
    places = Places([], [], [])
    for channel in channels.select_related("marketplace", "verified_by").prefetch_related("topics"):
        if reason := _reason(channel, asked):
            places.aside.append(Aside(channel, reason))
            continue
        contact = _contact(channel, asked, promised(channel), measured.get(channel.pk))
        (places.read if channel.kind == Channel.Kind.HELP_CENTRE else places.write).append(contact)
    for contacts in (places.write, places.read):
        contacts.sort(key=lambda contact: _rank(contact, asked))
    return places


def status(channel: Channel, at: datetime) -> str:
    """ "open until 20:00", "opens in 2 h", in the active language, by the reader's clock."""
    if not (hours := channel.hours):
        return hours_unknown(channel)
    return status_text(hours, at, get_language() or settings.LANGUAGE_CODE, get_current_timezone_name())


def _reason(channel: Channel, asked: Situation) -> Reason | None:
    topics = list(channel.topics.all())
    reasons = {
        Reason.STATE: channel.state not in _TRUST,
        Reason.BUYERS: channel.audience == Audience.BUYERS,
        Reason.OTHERS: channel.audience == Audience.OTHER,
        Reason.NO_ADDRESS: channel.kind in _LOST_WITHOUT_ADDRESS and not channel.address,
        Reason.NO_ACCESS: channel.needs_login and not asked.account_access,
        Reason.OTHER_TOPICS: asked.topic is not None and bool(topics) and asked.topic not in topics,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _rank(contact: Contact, asked: Situation) -> tuple[object, ...]:
    channel = contact.channel
    topics = list(channel.topics.all())
    speed = contact.experience.median if contact.experience else contact.promised
    return (
        _TRUST[State(channel.state)],
        not contact.is_open,
        not asked.account_access and not channel.works_without_account,
        asked.topic not in topics if asked.topic else bool(topics),
        timedelta.max if speed is None else speed,
        channel.first_reply_typical or timedelta.max,
        channel.kind in LEFT_THERE,
        not channel.address,
    )


def _contact(channel: Channel, asked: Situation, promised: timedelta | None, measured: Measured | None) -> Contact:
    hours = channel.hours
    contact = Contact(
        channel=channel,
        is_open=channel.is_open(asked.at),
        opens_at=hours.opens_at(asked.at) if hours else None,
        closes_at=hours.closes_at(asked.at) if hours else None,
        promised=promised,
        measured=measured,
        why="",
    )
    return replace(contact, why=_why(contact, asked))


def _why(contact: Contact, asked: Situation) -> str:
    """One sentence, its parts in the order in which they weigh."""
    channel = contact.channel
    parts = [str(channel.get_state_display()), status(channel, asked.at)]
    if not asked.account_access and channel.works_without_account:
        parts.append(_("works when the account is lost"))
    if asked.topic and asked.topic in channel.topics.all():
        parts.append(_("made for the topic “%(topic)s”") % {"topic": asked.topic})
    if contact.experience:
        parts.append(measured_text(contact.experience))
    elif channel.first_reply_typical:
        parts.append(_("first reply usually within %(time)s") % {"time": span(channel.first_reply_typical)})
    if contact.promised:
        parts.append(_("first reply promised within %(time)s") % {"time": span(contact.promised)})
    sentence = "; ".join(filter(None, parts))
    return f"{sentence[:1].upper()}{sentence[1:]}."


def measured_text(measured: Measured) -> str:
    """ "our first replies took 2 h 15 min, the median of 12 appeals"."""
    text = ngettext(
        "our own first replies took %(time)s (median of %(count)d appeal)",
        "our own first replies took %(time)s (median of %(count)d appeals)",
        measured.count,
    )
    return text % {"time": span(measured.median), "count": measured.count}
