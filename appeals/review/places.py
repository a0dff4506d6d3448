"""A channel that is wrong for this, or where nobody is now."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from appeals import wording
from appeals.review.facts import Facts, Finding, Severity
from marketplaces.models import UNSAFE, Audience, Channel, State

# Where somebody must be there to answer; a form or a letter waits
_LIVE = (Channel.Kind.CHAT, Channel.Kind.PHONE, Channel.Kind.HOTLINE, Channel.Kind.MESSENGER)


def unfit(facts: Facts, now: datetime) -> Iterator[Finding]:
    """What speaks against the channel; one query, for the topics that it is made for."""
    channel = facts.channel
    if channel is None:
        return
    if channel.retired_at or channel.state in (State.DEAD, State.HISTORIC):
        yield _finding("channel_dead", Severity.ERROR, _("This channel does not work any more."), channel)
    elif channel.state == State.DISPUTED:
        yield _finding(
            "channel_disputed", Severity.WARNING, _("Sources disagree whether this channel exists."), channel
        )
    if channel.audience not in (Audience.SELLERS, Audience.BOTH):
        yield _finding("channel_for_others", Severity.ERROR, _("This channel is not for sellers."), channel)
    if channel.kind == Channel.Kind.HELP_CENTRE:
        yield _finding("channel_is_read", Severity.WARNING, _("Nobody answers here: it is to be read."), channel)
    topics = list(channel.topics.all()) if facts.topic else []
    if topics and facts.topic not in topics:
        names = ", ".join(str(topic) for topic in topics[:3])
        message = _("This channel is made for other topics: %(topics)s.") % {"topics": names}
        yield _finding("channel_other_topics", Severity.WARNING, message, channel)
    yield from _closed(channel, now)


def _finding(code: str, severity: Severity, message: str, channel: Channel) -> Finding:
    reason = channel.text("state_reason") if code in ("channel_dead", "channel_disputed") else ""
    mend = _("Choose another channel; the page “Where to write” ranks them.")
    return Finding(code, severity, f"{message} {reason}".strip(), "channel", mend)


def _closed(channel: Channel, now: datetime) -> Iterator[Finding]:
    """When it opens, by the reader's clock. Unknown hours are no reason to say anything,
    and of a channel that nobody should use its state is told."""
    if channel.state in UNSAFE or channel.is_open(now) is not False:
        return
    live = channel.kind in _LIVE
    message = _("Nobody is there now: %(hours)s.") % {"hours": wording.open_now(channel, now)}
    mend = (
        _("Write when it opens, or choose a channel that is open now.")
        if live
        else _("It can be sent now and will be read when it opens; the terms in working time count from then.")
    )
    yield Finding("channel_closed", Severity.WARNING if live else Severity.HINT, message, "channel", mend)
