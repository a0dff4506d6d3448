"""Random targets against a walk that looks at every minute, and every day, one after the other.

The walk shares nothing with the clock: the hours are made up as data here, asked minute by minute, and only their text
is given to the clock. The calendar is asked of `holidays` directly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplaces.working_time import Unit, clock

ZONES = ["Europe/Moscow", "Europe/Kaliningrad", "Asia/Vladivostok", "Europe/Berlin", "UTC"]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
RUSSIA = holidays.country_holidays("RU", years=range(2024, 2030))
WEEK = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]


@dataclass(frozen=True)
class Rule:
    """`slots` in minutes, the end may lie past midnight; no slots is `off` for the whole day."""

    days: frozenset[int] | str | date
    slots: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        if isinstance(self.days, date):
            days = f"{self.days:%Y %b} {self.days.day}"
        else:
            days = self.days if isinstance(self.days, str) else ",".join(WEEK[day] for day in sorted(self.days))
        return f"{days} " + (",".join(f"{_hm(start)}-{_hm(end % 1440 or 1440)}" for start, end in self.slots) or "off")

    def speaks_for(self, day: date, friday_rule: bool) -> bool:
        if isinstance(self.days, date):
            return day == self.days
        if self.days == "PH":
            return day in RUSSIA
        weekday = 4 if friday_rule and day in RUSSIA.weekend_workdays else day.weekday()
        return weekday in self.days


def _hm(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@dataclass(frozen=True)
class Hours:
    rules: tuple[Rule, ...]

    @property
    def text(self) -> str:
        return "; ".join(rule.text for rule in self.rules)

    def asker(self, zone: ZoneInfo) -> Callable[[datetime], bool]:
        friday_rule = any(rule.days == "PH" for rule in self.rules)

        @cache
        def speaking(day: date) -> list[tuple[Rule, bool, bool]]:
            return [
                (rule, rule.speaks_for(day, friday_rule), rule.speaks_for(day - DAY, friday_rule))
                for rule in self.rules
            ]

        def is_open(moment: datetime) -> bool:
            wall = moment.astimezone(zone)
            minute = wall.hour * 60 + wall.minute
            answer = False
            for rule, today, yesterday in speaking(wall.date()):
                if today:
                    answer = any(start <= minute < end for start, end in rule.slots)
                if yesterday and any(start <= minute + 1440 < end for start, end in rule.slots):
                    answer = True
            return answer

        return is_open


QUARTERS = st.integers(0, 95).map(lambda quarter: quarter * 15)


@st.composite
def slots(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """One or two slots of at least two hours, the last one perhaps past midnight."""
    first = draw(st.integers(0, 14 * 4)) * 15
    if draw(st.booleans()):
        return ((first, first + draw(st.integers(8, 80)) * 15),)
    noon = first + draw(st.integers(8, 20)) * 15
    return ((first, noon), (noon + 60, noon + 60 + draw(st.integers(8, 24)) * 15))


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    weekdays = st.frozensets(st.integers(0, 6), min_size=2)
    rules = [Rule(draw(weekdays), draw(slots()))]
    if draw(st.booleans()):
        rules.append(Rule(draw(weekdays), draw(slots())))
    holiday = draw(st.sampled_from(["none", "off", "hours"]))
    if holiday != "none":
        rules.append(Rule("PH", () if holiday == "off" else draw(slots())))
    if draw(st.integers(0, 3)) == 0:
        rules.append(Rule(draw(st.sampled_from(STARTS)).date(), draw(st.just(()) | slots())))
    return Hours(tuple(rules))


def _around(*days: str) -> list[datetime]:
    return [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in days]


# Half of all cases start near a day on which something happens.
STARTS = _around(
    "2025-01-08", "2025-03-29", "2025-05-08", "2025-10-25", "2025-10-31", "2025-11-01", "2025-12-30", "2026-01-09",
    "2026-02-22", "2026-03-08", "2026-03-28", "2026-05-10", "2026-10-24", "2026-12-30", "2027-02-19", "2027-03-27",
    "2027-05-02", "2027-10-30", "2027-11-04", "2027-12-30",
)  # fmt: skip
STARTING = st.one_of(
    st.builds(lambda day, minute: day + minute * MINUTE, st.sampled_from(STARTS), st.integers(0, 2 * 1440)),
    st.integers(0, 3 * 365 * 1440 - 1).map(lambda minute: datetime(2025, 1, 1, tzinfo=UTC) + minute * MINUTE),
)
MANY = settings(
    max_examples=2000,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@MANY
@given(hours(), st.sampled_from(ZONES), STARTING, st.integers(1, 900), st.booleans())
def test_working_time_is_what_a_walk_by_the_minute_finds(
    model: Hours, zone: str, start: datetime, amount: int, in_hours: bool
) -> None:
    unit, amount = (Unit.WORKING_HOURS, amount // 60 + 1) if in_hours else (Unit.WORKING_MINUTES, amount)
    is_open, moment = model.asker(ZoneInfo(zone)), start
    left = amount * (60 if in_hours else 1)
    half_way = (start, left)
    while left:
        left -= is_open(moment)
        moment += MINUTE
        if left * 2 >= half_way[1]:
            half_way = (moment, half_way[1])
    the_clock = clock(model.text, zone, "RU")
    assert the_clock.add(start, amount, unit) == moment, model.text
    assert the_clock.elapsed(start, moment, unit) == half_way[1] * MINUTE
    ran = the_clock.elapsed(start, half_way[0], unit)
    assert ran == half_way[1] // 2 * MINUTE
    assert the_clock.add(half_way[0], amount, unit, counted=ran) == moment
    assert the_clock.hours.is_open(start) == is_open(start)


@MANY
@given(
    st.sampled_from(ZONES),
    STARTING,
    st.integers(1, 60),
    st.sampled_from([Unit.WORKING_DAYS, Unit.CALENDAR_DAYS]),
    st.integers(0, 59),
)
def test_days_are_what_a_walk_by_the_day_finds(
    zone: str, start: datetime, amount: int, unit: Unit, counted: int
) -> None:
    place = ZoneInfo(zone)
    counted %= amount
    first = day = start.astimezone(place).date()
    left = amount - counted
    while left or not RUSSIA.is_working_day(day):
        day += DAY
        left -= unit == Unit.CALENDAR_DAYS or RUSSIA.is_working_day(day) if left else 0
    due = datetime.combine(day + DAY, time.min, place)
    the_clock = clock("24/7", zone, "RU")
    assert the_clock.add(start, amount, unit, counted=counted) == due
    assert the_clock.share(start, due, amount, unit, counted=counted) == 1
    between = [first + DAY * n for n in range(1, (day - first).days + 1)]
    passed = [each for each in between if unit == Unit.CALENDAR_DAYS or RUSSIA.is_working_day(each)]
    assert the_clock.elapsed_days(start, due, unit) == len(passed)
    assert the_clock.elapsed_days(start, due - timedelta(microseconds=1), unit) == len(passed) - 1


@settings(MANY, max_examples=500)
@given(
    hours(),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 200),
    st.sampled_from([Unit.MINUTES, Unit.HOURS, Unit.WORKING_MINUTES, Unit.WORKING_HOURS]),
)
def test_elapsed_undoes_add_to_the_microsecond(
    model: Hours, zone: str, start: datetime, amount: int, unit: Unit
) -> None:
    the_clock = clock(model.text, zone, "RU")
    due = the_clock.add(start, amount, unit)
    assert the_clock.elapsed(start, due, unit) == amount * (MINUTE if "minutes" in unit else 60 * MINUTE)
    assert the_clock.share(start, due, amount, unit) == 1
    just_before = the_clock.elapsed(start, due - timedelta(microseconds=1), unit)
    assert just_before == the_clock.elapsed(start, due, unit) - timedelta(microseconds=1)


@settings(MANY, max_examples=500)
@given(hours(), st.sampled_from(ZONES), STARTING, st.integers(1, 300))
def test_a_pause_of_no_length_moves_no_deadline(model: Hours, zone: str, start: datetime, minutes: int) -> None:
    the_clock, pause = clock(model.text, zone, "RU"), start + minutes * 7 * MINUTE
    due = the_clock.add(start, 40, Unit.WORKING_HOURS)
    if pause < due:
        ran = the_clock.elapsed(start, pause, Unit.WORKING_HOURS)
        assert the_clock.add(pause, 40, Unit.WORKING_HOURS, counted=ran) == due
