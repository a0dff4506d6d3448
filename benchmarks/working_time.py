"""Deadlines per second, side by side with `businesstimedelta` and `business-duration` on the same calendar.

    python benchmarks/working_time.py

Office hours Mo-Fr 09:00-18:00 without public holidays, Moscow, random starts from January to October 2026 (a year
without working Saturdays, which the other two cannot express). Our clock adds and measures; `businesstimedelta` adds;
`business-duration` can only measure what lies between a start and its due moment. Neither knows a term in whole days:
the first is given as many office hours (9 a day), the second whole days of 24 hours. Medians of seven runs in one
process. "agree" is the share of their answers that equal ours.

22 November 2026, Python 3.11.7, one core of a shared two-core machine (the columns are those of the table it prints):

    per second            we add   measure bustimed.  bus-dur.        add    measure  v. faster agree +  agree -
    8 working_hours      482,146   417,783     8,708    26,836        55x        16x        18x    100%     100%
    100 working_hours    483,355   389,271       899    17,137       538x        23x        28x    100%     100%
    5 working_days       405,592   341,527     2,031    20,134       200x        17x        20x      0%      30%
    30 working_days      412,036   354,572       350    10,948     1,176x        32x        38x      0%      30%

"add" is we add over `businesstimedelta`, "measure" is we measure over `business-duration`, "v. faster" is we add over
the faster of the two.
"""

import random
import statistics
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import businesstimedelta
import pytz  # type: ignore[import-untyped]
from business_duration import businessDuration
from django.conf import settings

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from marketplaces.calendars import production_calendar
from marketplaces.working_time import Unit, clock

ZONE = "Europe/Moscow"
RUNS = 7
OURS, THEIRS = 20_000, 200
CASES = [
    (8, Unit.WORKING_HOURS),
    (100, Unit.WORKING_HOURS),
    (5, Unit.WORKING_DAYS),
    (30, Unit.WORKING_DAYS),
]


class Pair(NamedTuple):
    start: datetime
    due: datetime


class Line(NamedTuple):
    name: str
    adds: float
    measures: float
    businesstimedelta: float
    business_duration: float
    agree_adding: float
    agree_measuring: float


def per_second(question: Callable[[Pair], object], pairs: Sequence[Pair]) -> float:
    """Median over RUNS of answers per second."""
    rates = []
    for _ in range(RUNS):
        began = perf_counter()
        for pair in pairs:
            question(pair)
        rates.append(len(pairs) / (perf_counter() - began))
    return statistics.median(rates)


def days_off() -> frozenset[date]:
    calendar = production_calendar("RU")
    days = (date(2025, 1, 1) + timedelta(n) for n in range(5 * 365))
    return frozenset(day for day in days if calendar.is_holiday(day))


def rival_adding(amount: int, unit: Unit, off: frozenset[date]) -> Callable[[Pair], datetime]:
    zone = pytz.timezone(ZONE)
    rules = businesstimedelta.Rules(
        [
            businesstimedelta.WorkDayRule(start_time=time(9), end_time=time(18), tz=zone),
            businesstimedelta.HolidayRule(off, tz=zone),
        ]
    )
    delta = businesstimedelta.BusinessTimeDelta(rules, hours=amount * (9 if unit.in_days else 1))
    return lambda pair: pair.start + delta


def rival_measuring(unit: Unit, off: frozenset[date]) -> Callable[[Pair], float]:
    zone = ZoneInfo(ZONE)
    opens, closes, word = (None, None, "day") if unit.in_days else (time(9), time(18), "hour")

    def measure(pair: Pair) -> float:
        start, due = (moment.astimezone(zone).replace(tzinfo=None) for moment in pair)
        return float(businessDuration(start, due, opens, closes, holidaylist=off, unit=word))

    return measure


def starts(count: int) -> list[datetime]:
    chance = random.Random(20260101)
    first = datetime(2026, 1, 12, tzinfo=UTC)
    return [first + timedelta(minutes=chance.randrange(290 * 1440)) for _ in range(count)]


def compare(amount: int, unit: Unit) -> Line:
    ours, off = clock("Mo-Fr 09:00-18:00; PH off", ZONE, "RU"), days_off()
    pairs = [Pair(start, ours.add(start, amount, unit)) for start in starts(OURS)]
    few = pairs[:THEIRS]
    adding, measuring = rival_adding(amount, unit, off), rival_measuring(unit, off)
    elapsed: Callable[..., Any] = ours.elapsed_days if unit.in_days else ours.elapsed
    return Line(
        name=f"{amount} {unit.value}",
        adds=per_second(lambda pair: ours.add(pair.start, amount, unit), pairs),
        measures=per_second(lambda pair: elapsed(pair.start, pair.due, unit), pairs),
        businesstimedelta=per_second(adding, few),
        business_duration=per_second(measuring, few),
        agree_adding=sum(adding(pair) == pair.due for pair in few) / len(few),
        agree_measuring=sum(abs(measuring(pair) - amount) < 1e-6 for pair in few) / len(few),
    )


def show(line: Line) -> None:
    faster = max(line.businesstimedelta, line.business_duration)
    print(
        f"{line.name:18} {line.adds:9,.0f} {line.measures:9,.0f} {line.businesstimedelta:9,.0f} "
        f"{line.business_duration:9,.0f} {line.adds / line.businesstimedelta:9,.0f}x "
        f"{line.measures / line.business_duration:9,.0f}x {line.adds / faster:9,.0f}x "
        f"{line.agree_adding:7.0%} {line.agree_measuring:8.0%}"
    )


def main() -> None:
    settings.configure()
    print(
        f"{'per second':18} {'we add':>9} {'measure':>9} {'bustimed.':>9} {'bus-dur.':>9} "
        f"{'add':>10} {'measure':>10} {'v. faster':>10} {'agree +':>7} {'agree -':>8}"
    )
    for case in CASES:
        show(compare(*case))


if __name__ == "__main__":
    main()
