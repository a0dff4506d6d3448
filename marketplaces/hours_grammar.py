"""The text of opening hours -> rules. The grammar is that of the OpenStreetMap evaluator `opening-hours-py`.

Refused, because it cannot be counted: `SH` (nobody publishes school holidays for sellers), sunrise, sunset, dawn and
dusk (a channel has no place on the map), `17:00+` (no closing time), `10:00-16:00/01:30` (points in time), dates that
do not exist. `week`, `easter` (the western one) and `Su[-1]` count; of `09:00-12:00+` the part that is sure counts.
`unknown`, and a rule that is nothing but a comment, is time that nobody promised: it is not open.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Literal, cast

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opening_hours import OpeningHours as Evaluator
from opening_hours import validate

from .hours_rules import DAY, Kind, Rule, Rules, Slot

EXAMPLE = "Mo-Fr 09:00-18:00; PH off"
MAX_LENGTH = 1000

_EMPTY = gettext_lazy("The opening hours are empty.")
_TOO_LONG = gettext_lazy("The opening hours are too long.")
_UNREADABLE = gettext_lazy("The opening hours cannot be read.")
_NO_SUCH_DATE = gettext_lazy("There is no such date.")
_REFUSED = {
    r"\bSH\b": gettext_lazy("School holidays (SH) are in no calendar here, so they cannot be counted."),
    r"(?i)\b(?:sunrise|sunset|dawn|dusk)": gettext_lazy("The sun cannot be counted on: write the time of day."),
    r"(?<![-\d])(?<!- )\d{1,2}:\d\d\+": gettext_lazy("A closing time is missing."),
    r"(?<=:\d\d) ?/ ?\d": gettext_lazy("Points in time are not opening hours."),
}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DATE = re.compile(rf"(?i)(?:\b(?P<year>\d{{4}}) ?)?\b(?P<month>{'|'.join(_MONTHS)}) ?(?P<day>\d{{1,2}})(?![\d:])")
_COMMENT = re.compile(r'"[^"]*"')
_COMMENT_ONLY = re.compile(r'(^|; ?|\|\| |, )(?=")')
_RULE = re.compile(
    r"(?P<days>.*?)(?:(?:^| )(?P<times>\d\d:\d\d\S*))?(?:(?:^| )(?P<kind>closed|unknown))?(?: ?(?P<comment>\"x*\"))?"
)
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)\+?")
_HOLIDAY = re.compile(r"PH(?: ([+-]?\d+) days?)?")
_WEEKDAY = r"(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_ITEM = rf"(?:PH|{_WEEKDAY}(?:-{_WEEKDAY})?(?:\[[^]]*\])?)(?: [+-]?\d+ days?)?"
_WEEKDAYS = re.compile(rf"(?:^|(?<= )){_ITEM}(?:,{_ITEM})*$")


class OpeningHoursError(ValueError):
    """Opening hours that cannot be used, with the place in the text where reading stopped.

    `position` counts characters from 0 and is None where no single place is to blame. The message is in the language
    that is active when it is shown.
    """

    def __init__(self, expression: str, reason: str | Promise, position: int | None = None) -> None:
        super().__init__(expression, reason, position)
        self.expression = expression
        self.reason = reason
        self.position = position

    def __str__(self) -> str:
        words = {"reason": str(self.reason), "example": EXAMPLE}
        if self.position is None:
            return _("%(reason)s Write for example: %(example)s") % words
        rest = self.expression[self.position :]
        words |= {"place": str(self.position + 1), "text": rest[:20] + "…" if len(rest) > 20 else rest}
        if not rest:
            return _("%(reason)s The text ends too early. Write for example: %(example)s") % words
        return _("%(reason)s See character %(place)s: “%(text)s”. Write for example: %(example)s") % words


@lru_cache(maxsize=512)
def parse_rules(expression: str) -> Rules:
    """Read an expression. Raises OpeningHoursError with the place where reading stopped."""
    text = expression.strip()
    margin = len(expression) - len(expression.lstrip())
    if not text:
        raise OpeningHoursError(expression, _EMPTY)
    if len(text) > MAX_LENGTH:
        raise OpeningHoursError(expression, _TOO_LONG, MAX_LENGTH)
    try:
        return _read(text)
    except OpeningHoursError as error:
        position = None if error.position is None else error.position + margin
        raise OpeningHoursError(expression, error.reason, position) from None


def _read(text: str) -> Rules:
    masked = _COMMENT.sub(lambda comment: '"' + "x" * (len(comment[0]) - 2) + '"', text)
    _evaluator(masked)
    for pattern, reason in _REFUSED.items():
        if found := re.search(pattern, masked):
            raise OpeningHoursError(text, reason, found.start())
    canonical = str(_evaluator(_COMMENT_ONLY.sub(r"\1unknown ", masked)))
    _check_dates(text, masked, canonical)
    pieces = re.split(r"(; | \|\| |, )", canonical)
    operators = [";", *(piece.strip() for piece in pieces[1::2])]
    parts = [_rule(text, *pair) for pair in zip(operators, pieces[::2], strict=True)]
    return Rules(text, canonical, tuple(parts), '"' in canonical, bool(re.search(r"\d\d:\d\d\+", canonical)))


def _evaluator(text: str) -> Evaluator:
    try:
        return Evaluator(text)
    except Exception as error:
        place = re.search(r"--> (\d+):(\d+)", str(error))
        line, column = (int(place[1]), int(place[2])) if place else (1, 1)
        above = sum(len(line) for line in text.splitlines(keepends=True)[: line - 1])
        raise OpeningHoursError(text, _UNREADABLE, above + column - 1) from None


def _check_dates(text: str, *readings: str) -> None:
    for reading in readings:
        for found in _DATE.finditer(reading):
            month = _MONTHS.index(found["month"].capitalize()) + 1
            try:
                date(int(found["year"] or 2024), month, int(found["day"]))
            except ValueError:
                position = found.start() if reading is readings[0] else None
                raise OpeningHoursError(text, _NO_SUCH_DATE, position) from None


def _rule(text: str, operator: str, rule: str) -> Rule:
    found = _RULE.fullmatch(rule)
    spans = [_SPAN.fullmatch(span) for span in found["times"].split(",")] if found and found["times"] else []
    if found is None or None in spans:
        raise OpeningHoursError(text, _UNREADABLE)
    days = "" if found["days"] == "24/7" else found["days"]
    wide, weekdays, shifts = _split_days(days)
    return Rule(
        operator=cast(Literal[";", ",", "||"], operator),
        kind=cast(Kind, found["kind"] or "open"),
        slots=tuple(_slot(span) for span in spans if span) or ((0, DAY),),
        days=days,
        wide=wide,
        weekdays=weekdays,
        holidays=shifts,
    )


def _slot(span: re.Match[str]) -> Slot:
    opens, closes = int(span[1]) * 60 + int(span[2]), int(span[3]) * 60 + int(span[4])
    return opens, closes if closes > opens else closes + DAY


def _split_days(days: str) -> tuple[str, str | None, tuple[int, ...]]:
    """A selector of days as its years, months, dates and weeks; its weekdays; and the shifts of its `PH`."""
    found = _WEEKDAYS.search(days)
    if found is None:
        return days, None, ()
    wide, items = days[: found.start()].strip(), found[0].split(",")
    shifts = tuple(int(holiday[1] or 0) for item in items if (holiday := _HOLIDAY.fullmatch(item)))
    is_date = (wide[-3:] in _MONTHS and "[" in found[0]) or not (wide == "" or validate(wide))
    if is_date and not shifts:  # `Mar Su[-1]` is a date, not a month and a weekday
        return days, None, ()
    return wide, ",".join(item for item in items if not item.startswith("PH")), shifts
