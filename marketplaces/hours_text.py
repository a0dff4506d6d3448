"""Opening hours in people's words, in Russian and English.

The language is an argument and not the active one, because one mail task speaks to readers of both; so the words stand
in two small tables.

Times are the reader's own where their clock differs from the channel's, and then say so.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from .hours_grammar import parse_rules
from .hours_rules import DAY, Rule, Rules, Slot, merge, slots_of_day
from .hours_words import CODES, Words, words_of, zone_name
from .opening_hours import OpeningHours, offsets, zone_of

_ALL_DAY = ((0, DAY),)
_SOON = timedelta(hours=3)


# What the hours are


class _Week(NamedTuple):
    """Hours that are the same every week: the slots that begin on each weekday, and those of a holiday."""

    days: tuple[tuple[Slot, ...], ...]
    holiday: tuple[Slot, ...] | None  # None: holidays change nothing


def describe(
    expression: str, zone: str, language: str, reader_zone: str | None = None, year: int | None = None
) -> str:
    """ "пн–пт 09:00–18:00, кроме праздников (МСК)", "daily 08:00–20:00 (Moscow time)".

    Hours that are not the same every week are spelt out rule by rule. They, and hours whose distance from the reader's
    clock changes within the year (this one unless given), stay in the channel's zone.
    Raises OpeningHoursError, UnknownZoneError.
    """
    words, rules = words_of(language), parse_rules(expression)
    week = _week(rules)
    if week is None:
        return f"{_spelt(rules.expression, words)} ({zone_name(zone, language)})"
    if week == _Week((_ALL_DAY,) * 7, None):
        return words.round_the_clock
    shift = _shift(zone, reader_zone or zone, year or datetime.now(UTC).year)
    shifted = _shifted(week, shift) if shift else None
    if shifted is None or reader_zone is None:
        return f"{_week_text(week, words)} ({zone_name(zone, language)})"
    return f"{_week_text(shifted, words)} ({words.your_zone.format(zone=zone_name(reader_zone, language))})"


@lru_cache(maxsize=512)
def _week(rules: Rules) -> _Week | None:
    """The week that the rules say, or None if they say more than a week can."""
    if rules.has_comments or rules.has_open_ends or not all(map(_is_weekly, rules.parts)):
        return None
    masks = [_mask(rules.parts, weekday) for weekday in range(7)]
    days = tuple(_own_slots(rules.parts, mask) for mask in masks)
    told = [_told(days[weekday], days[weekday - 1]) for weekday in range(7)]
    if told != [slots_of_day(rules.parts, masks[weekday], masks[weekday - 1]) for weekday in range(7)]:
        return None
    holidays = tuple(_own_slots(rules.parts, _mask(rules.parts, weekday, holiday=True)) for weekday in range(7))
    if holidays == days:
        return _Week(days, None)
    return _Week(days, holidays[0]) if len(set(holidays)) == 1 else None


def _is_weekly(rule: Rule) -> bool:
    plain = rule.weekdays is None or re.fullmatch(r"[A-Za-z,-]*", rule.weekdays)
    whole = rule.kind == "open" or (rule.kind == "closed" and rule.slots == _ALL_DAY)
    return bool(plain and whole) and not rule.wide and rule.operator != "||" and not any(rule.holidays)


def _mask(parts: Iterable[Rule], weekday: int, *, holiday: bool = False) -> int:
    return sum(
        1 << place
        for place, rule in enumerate(parts)
        if weekday in _weekdays(rule.weekdays) or (holiday and rule.holidays)
    )


def _weekdays(selector: str | None) -> set[int]:
    if selector is None:
        return set(range(7))
    ranges = [[CODES.index(code) for code in item.split("-")] for item in selector.split(",") if item]
    return {(first + n) % 7 for first, *last in ranges for n in range((last[0] - first) % 7 + 1 if last else 1)}


def _own_slots(parts: Iterable[Rule], mask: int) -> tuple[Slot, ...]:
    slots: list[Slot] = []
    for place, rule in enumerate(parts):
        if mask >> place & 1:
            kept = slots if rule.operator == "," and rule.kind == "open" else []
            slots = [*kept, *(rule.slots if rule.kind == "open" else ())]
    return tuple(merge(sorted(slots)))


def _told(today: tuple[Slot, ...], yesterday: tuple[Slot, ...]) -> tuple[Slot, ...]:
    slots = [(start, min(end, DAY)) for start, end in today] + [(0, end - DAY) for _, end in yesterday if end > DAY]
    return tuple(merge(sorted(slots)))


def _shift(zone: str, reader_zone: str, year: int) -> int | None:
    """Minutes by which the reader's clock is ahead all through a year; None if that changes."""
    changes = [low for name in (zone, reader_zone) for low, _high, _offset in offsets(name, year)]
    here, there = ({low: _offset_at(name, year, low) for low in changes} for name in (zone, reader_zone))
    ahead = {there[low] - here[low] for low in changes}
    return ahead.pop() // 60 if len(ahead) == 1 else None


def _offset_at(zone: str, year: int, second: int) -> int:
    return next(offset for low, high, offset in offsets(zone, year) if low <= second < high)


def _shifted(week: _Week, shift: int) -> _Week | None:
    """The week by a clock that is ahead; None where a day off or a whole day would straddle two of its days."""
    days: list[list[Slot]] = [[] for _ in range(7)]
    for weekday, slots in enumerate(week.days):
        for start, end in slots:
            over, begins = divmod(start + shift, DAY)
            if end - start >= DAY or (over and week.holiday is not None):
                return None
            days[(weekday + over) % 7].append((begins, begins + end - start))
    holiday = week.holiday and tuple((start + shift, end + shift) for start, end in week.holiday)
    if holiday and not all(0 <= start < DAY and end - start < DAY for start, end in holiday):
        return None
    return _Week(tuple(tuple(sorted(slots)) for slots in days), holiday)


def _week_text(week: _Week, words: Words) -> str:
    groups: dict[tuple[Slot, ...], list[int]] = {}
    for weekday, slots in enumerate(week.days):
        if slots:
            groups.setdefault(slots, []).append(weekday)
    parts = [f"{_days_text(days, words)} {_times_text(slots, words)}" for slots, days in groups.items()]
    if list(groups) == [_ALL_DAY] and len(groups[_ALL_DAY]) == 7:
        parts = [words.round_the_clock]
    if week.holiday:
        parts.append(words.on_holidays.format(times=_times_text(week.holiday, words)))
    elif week.holiday == () and parts:
        parts.append(words.but_holidays)
    return ", ".join(parts) or words.never


def _days_text(days: list[int], words: Words) -> str:
    if len(days) == 7:
        return words.daily
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = words.weekdays
    return ",".join(names[run[0]] if len(run) == 1 else f"{names[run[0]]}–{names[run[-1]]}" for run in runs)


def _times_text(slots: tuple[Slot, ...], words: Words) -> str:
    if slots == _ALL_DAY:
        return words.round_the_clock
    *first, last = [f"{_clock_face(start)}–{_clock_face(end if end <= DAY else end - DAY)}" for start, end in slots]
    return words.both.join([", ".join(first), last]) if first else last


def _clock_face(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _spelt(expression: str, words: Words) -> str:
    """The expression itself with its words translated and its spans with dashes, comments left as they are."""
    known = {code.lower(): word for code, word in words.tokens.items()}
    pattern = "|".join(sorted(map(re.escape, known), key=len, reverse=True))
    translate = re.compile(rf'"[^"]*"|(?<=\w)-(?=\w)|(?<![A-Za-z])(?:{pattern})(?![A-Za-z])', re.IGNORECASE)
    known["-"] = "–"
    return translate.sub(lambda token: known.get(token[0].lower(), token[0]), expression)


# What they mean now


def status_text(hours: OpeningHours, at: datetime, language: str, reader_zone: str | None = None) -> str:
    """ "открыто до 20:00", "откроется завтра в 09:00", "opens in 2 h", by the reader's clock at that moment."""
    words, zone = words_of(language), zone_of(reader_zone or hours.zone)
    now = at.astimezone(zone)
    differs = now.utcoffset() != at.astimezone(zone_of(hours.zone)).utcoffset()
    note = f" ({words.your_time})" if differs else ""
    if hours.is_open(at):
        closes = hours.closes_at(at)
        return words.open_always if closes is None else _until(now, closes.astimezone(zone), words) + note
    opens = hours.opens_at(at)
    if opens is None:
        return words.never_again
    if opens - at <= _SOON:
        return words.opens_in.format(wait=_wait(opens - at, words))
    when = opens.astimezone(zone)
    return words.opens.format(day=_day_text(now, when, words), time=f"{when:%H:%M}") + note


def _until(now: datetime, closes: datetime, words: Words) -> str:
    face = f"{closes:%H:%M}"
    if face == "00:00":
        closes, face = closes - timedelta(days=1), "24:00"
    if (closes.date() - now.date()).days > 1 or closes - now >= timedelta(days=1):
        face = f"{words.date.format(day=closes.day, month=words.months[closes.month - 1]).removeprefix('on ')}, {face}"
    return words.open_until.format(until=face)


def _wait(wait: timedelta, words: Words) -> str:
    hours, minutes = divmod(-(-wait // timedelta(minutes=1)), 60)
    parts = [form.format(n=n) for form, n in ((words.hours, hours), (words.minutes, minutes)) if n]
    return " ".join(parts)


def _day_text(now: datetime, when: datetime, words: Words) -> str:
    days = (when.date() - now.date()).days
    if days < 2:
        return words.tomorrow if days else words.today
    if days < 7:
        return words.on_weekday[when.weekday()]
    text = words.date.format(day=when.day, month=words.months[when.month - 1])
    return text if when.year == now.year else f"{text} {when.year}"
