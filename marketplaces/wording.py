"""How moments, lengths of time and opening hours are said to people, in the active language and time zone."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from marketplaces.amounts import tied
from marketplaces.models import UNSAFE, Channel

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
LEFT_THERE = (Channel.Kind.POST, Channel.Kind.PUBLIC_POST)
"""What is written there waits: nobody asks whether it is open."""


def day(at: datetime, now: datetime | None = None) -> str:
    """ "12 January", with the year when it is not the year of `now`."""
    local = localtime(at)
    same_year = now is not None and localtime(now).year == local.year
    return _said(local.date(), "j E" if same_year else "DATE_FORMAT", get_language())


@lru_cache(maxsize=1024)
def _said(on: date, form: str, _language: str | None) -> str:
    """A mail says the same few days again and again."""
    return date_format(on, form)


def moment(at: datetime, now: datetime | None = None) -> str:
    """ "12 January, 14:30"."""
    return _("%(day)s, %(time)s") % {"day": day(at, now), "time": f"{localtime(at):%H:%M}"}


def near(at: datetime, now: datetime) -> str:
    """A moment as people say it when it is close: "18:00" today, "tomorrow, 09:00", else day and time."""
    time, days = f"{localtime(at):%H:%M}", (localtime(at).date() - localtime(now).date()).days
    if days == 0:
        return time
    return _("tomorrow, %(time)s") % {"time": time} if days == 1 else moment(at, now)


def zone(at: datetime) -> str:
    """The reader's zone at that moment, as people say it: "UTC+3"."""
    local = localtime(at)
    offset = local.strftime("%z")
    minutes = f":{offset[3:5]}" if offset[3:5] != "00" else ""
    return f"UTC{offset[0]}{int(offset[1:3])}{minutes}"


def until(due_at: datetime, now: datetime | None = None) -> str:
    """ "by 14:30 on 12 January"; what is due at 24:00 is said as "by the end of 12 January"."""
    local = localtime(due_at)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return _("by the end of %(day)s") % {"day": day(due_at - _INSTANT, now)}
    return _("by %(time)s on %(day)s") % {"time": f"{local:%H:%M}", "day": day(due_at, now)}


def span(delta: timedelta) -> str:
    """A length of time in its two largest parts: "2 d 4 h", "3 h 20 min", "5 min"."""
    minutes = max(int(delta.total_seconds() // 60), 0)
    if delta >= _DAY:
        return _join(_days(minutes // 1440), _hours(minutes % 1440 // 60))
    if delta >= _HOUR:
        return _join(_hours(minutes // 60), _minutes(minutes % 60))
    return _minutes(minutes) or _("less than a minute")


def open_now(channel: Channel, now: datetime) -> str:
    """ "open now, until 18:00", "closed; opens in 2 h"; says so where nobody knows the hours.

    Nothing of a channel to which nobody should be sent.
    """
    if channel.state in UNSAFE:
        return ""
    hours = channel.hours
    if hours is None:
        return hours_unknown(channel)
    if hours.is_open(now):
        closes = hours.closes_at(now)
        return _("open until %(moment)s") % {"moment": near(closes, now)} if closes else _("always open")
    opens = hours.opens_at(now)
    return _("closed; opens %(moment)s") % {"moment": near(opens, now)} if opens else _("never opens")


def hours_unknown(channel: Channel) -> str:
    """Says so where hours matter."""
    return "" if channel.kind in LEFT_THERE else _("hours unknown")


def _join(larger: str, smaller: str) -> str:
    return f"{larger} {smaller}" if smaller else larger


def _days(count: int) -> str:
    return tied(ngettext("%(count)d day", "%(count)d days", count) % {"count": count}) if count else ""


def _hours(count: int) -> str:
    return tied(_("%(count)d h") % {"count": count}) if count else ""


def _minutes(count: int) -> str:
    return tied(_("%(count)d min") % {"count": count}) if count else ""
