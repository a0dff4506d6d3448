"""The OpenStreetMap grammar on a production calendar: what is open, what opens next, and what is refused where."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from opening_hours import OpeningHours as Evaluator
from opening_hours import State

from marketplaces.calendars import UnknownCountryError, production_calendar
from marketplaces.opening_hours import (
    MomentError,
    OpeningHoursError,
    UnknownZoneError,
    check_expression,
    opening_hours,
)

MOSCOW = ZoneInfo("Europe/Moscow")


def at(text: str, zone: str = "Europe/Moscow") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def open_times(expression: str, first: str, last: str, zone: str = "Europe/Moscow", country: str = "RU") -> list[str]:
    """Open time from the midnight of one day to the midnight that ends another, as "MM-DD HH:MM-HH:MM"."""
    hours = opening_hours(expression, zone, country)
    spans = hours.intervals(at(first, zone), at(last, zone) + timedelta(days=1))
    local = [(start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))) for start, end in spans]
    return [
        f"{start:%m-%d %H:%M}-{end:%H:%M}"
        if end - start <= timedelta(days=1)
        else f"{start:%m-%d %H:%M}-{end:%m-%d %H:%M}"
        for start, end in local
    ]


@pytest.mark.parametrize(
    ("expression", "first", "last", "expected"),
    [
        # several slots, past midnight, 24:00
        ("Mo-Fr 09:00-13:00,14:00-18:00", "2026-03-13", "2026-03-15", ["03-13 09:00-13:00", "03-13 14:00-18:00"]),
        ("22:00-09:00", "2026-03-14", "2026-03-14", ["03-14 00:00-09:00", "03-14 22:00-00:00"]),
        ("Fr 22:00-02:00", "2026-03-13", "2026-03-14", ["03-13 22:00-02:00"]),
        ("Fr 22:00-26:00", "2026-03-13", "2026-03-14", ["03-13 22:00-02:00"]),
        ("Mo 18:00-18:00", "2026-03-16", "2026-03-17", ["03-16 18:00-18:00"]),
        ("Mo 20:00-24:00; Tu 00:00-04:00", "2026-03-16", "2026-03-17", ["03-16 20:00-04:00"]),
        ("24/7", "2026-03-14", "2026-03-16", ["03-14 00:00-03-17 00:00"]),
        ("Mo-Su 00:00-24:00", "2026-03-14", "2026-03-16", ["03-14 00:00-03-17 00:00"]),
        ("Fr 18:00-48:00; Sa 10:00-11:00", "2026-03-13", "2026-03-15", ["03-13 18:00-00:00", "03-14 10:00-11:00"]),
        # later rules, additions, fallbacks
        ("Mo-Su 09:00-18:00; We 10:00-12:00", "2026-03-17", "2026-03-18", ["03-17 09:00-18:00", "03-18 10:00-12:00"]),
        ("Mo-Su 09:00-18:00; We off", "2026-03-18", "2026-03-19", ["03-19 09:00-18:00"]),
        (
            "Mo-Su 09:00-18:00; We 12:00-13:00 off",
            "2026-03-18",
            "2026-03-18",
            ["03-18 09:00-12:00", "03-18 13:00-18:00"],
        ),
        ("Mo-Su 09:00-12:00, We 11:00-15:00", "2026-03-18", "2026-03-18", ["03-18 09:00-15:00"]),
        ("Mo 10:00-12:00 || 15:00-16:00", "2026-03-16", "2026-03-17", ["03-16 10:00-12:00", "03-17 15:00-16:00"]),
        # what a rule leaves after midnight is not lost to an earlier rule, but a later one replaces the date
        ("Mo-Su 09:00-18:00; Fr 22:00-04:00", "2026-03-14", "2026-03-14", ["03-14 00:00-04:00", "03-14 09:00-18:00"]),
        ("Fr 22:00-04:00; Mo-Su 09:00-18:00", "2026-03-14", "2026-03-14", ["03-14 09:00-18:00"]),
        ("Fr 22:00-04:00 || Sa 10:00-12:00", "2026-03-14", "2026-03-14", ["03-14 00:00-04:00", "03-14 10:00-12:00"]),
        # seasons, dates, weeks
        (
            "Jan-Mar 09:00-12:00; Apr-Dec 10:00-13:00",
            "2026-03-31",
            "2026-04-01",
            ["03-31 09:00-12:00", "04-01 10:00-13:00"],
        ),
        ("Nov-Feb 09:00-12:00", "2026-02-28", "2026-03-01", ["02-28 09:00-12:00"]),
        ("09:00-18:00; 2026 Mar 17 off", "2026-03-16", "2026-03-18", ["03-16 09:00-18:00", "03-18 09:00-18:00"]),
        ("09:00-18:00; Mar 17-18 10:00-11:00", "2026-03-17", "2026-03-18", ["03-17 10:00-11:00", "03-18 10:00-11:00"]),
        ("2026-2027 Mar Mo 09:00-10:00", "2026-03-15", "2026-03-17", ["03-16 09:00-10:00"]),
        ("week 12 Mo,Su 09:00-10:00", "2026-03-15", "2026-03-23", ["03-16 09:00-10:00", "03-22 09:00-10:00"]),
        ("Su[-1] 09:00-10:00", "2026-03-22", "2026-03-29", ["03-29 09:00-10:00"]),
        ("Mar Su[-1]-Oct Su[-1] 09:00-10:00", "2026-03-28", "2026-03-29", ["03-29 09:00-10:00"]),
        ("easter -2 days 09:00-10:00", "2026-04-01", "2026-04-12", ["04-03 09:00-10:00"]),
        ("Feb 29 09:00-10:00", "2027-12-31", "2028-12-31", ["02-29 09:00-10:00"]),
        # states that nobody promised are not open
        ("Mo 09:00-12:00; Tu 09:00-12:00 unknown", "2026-03-16", "2026-03-17", ["03-16 09:00-12:00"]),
        ('Mo 09:00-12:00 || "by appointment"', "2026-03-16", "2026-03-17", ["03-16 09:00-12:00"]),
        ('Mo 09:00-12:00 open "ring; the || bell, twice"', "2026-03-16", "2026-03-17", ["03-16 09:00-12:00"]),
        ("Mo 09:00-12:00+", "2026-03-16", "2026-03-17", ["03-16 09:00-12:00"]),
    ],
)
def test_the_grammar(expression: str, first: str, last: str, expected: list[str]) -> None:
    assert open_times(expression, first, last) == expected


@pytest.mark.parametrize(
    ("expression", "first", "last", "expected"),
    [
        # 9 January 2026 is a Friday that was made a day off, the 12th is the first working day of the year
        ("Mo-Fr 09:00-18:00; PH off", "2026-01-01", "2026-01-12", ["01-12 09:00-18:00"]),
        ("Mo-Fr 09:00-18:00; PH 10:00-14:00", "2026-01-09", "2026-01-10", ["01-09 10:00-14:00"]),
        ("Mo-Fr,PH 09:00-18:00", "2026-01-03", "2026-01-04", ["01-03 09:00-18:00", "01-04 09:00-18:00"]),
        ("PH,Sa 09:00-18:00", "2026-01-09", "2026-01-12", ["01-09 09:00-18:00", "01-10 09:00-18:00"]),
        ("Mo-Fr 09:00-18:00, PH 20:00-21:00", "2026-01-09", "2026-01-09", ["01-09 09:00-18:00", "01-09 20:00-21:00"]),
        ("Jan PH 10:00-12:00", "2026-01-08", "2026-02-28", ["01-08 10:00-12:00", "01-09 10:00-12:00"]),
        ("PH -1 day 10:00-12:00", "2026-06-01", "2026-06-30", ["06-11 10:00-12:00"]),
        ("PH +1 day 10:00-12:00", "2026-06-01", "2026-06-30", ["06-13 10:00-12:00"]),
        (
            "Mo-Fr 09:00-18:00; PH 12:00-13:00 off",
            "2026-06-12",
            "2026-06-12",
            ["06-12 09:00-12:00", "06-12 13:00-18:00"],
        ),
        # 31 December 2026 is a Thursday that was made a day off
        ("Mo-Fr 09:00-18:00; PH off", "2026-12-30", "2027-01-10", ["12-30 09:00-18:00"]),
        # a night before a holiday ends with the day; what its own rule leaves after midnight is the next date's
        (
            "22:00-09:00; PH off",
            "2026-06-11",
            "2026-06-13",
            ["06-11 00:00-09:00", "06-11 22:00-00:00", "06-13 00:00-09:00", "06-13 22:00-00:00"],
        ),
        ("Mo-Fr 09:00-18:00; PH 22:00-02:00", "2026-06-12", "2026-06-13", ["06-12 22:00-02:00"]),
        # not named: holidays change nothing
        ("24/7", "2026-01-01", "2026-01-01", ["01-01 00:00-00:00"]),
        ("Mo-Fr 09:00-18:00", "2026-01-01", "2026-01-01", ["01-01 09:00-18:00"]),
        ('Mo-Fr 09:00-18:00 "PH off"', "2026-01-01", "2026-01-01", ["01-01 09:00-18:00"]),
    ],
)
def test_holidays_are_those_of_the_production_calendar(
    expression: str, first: str, last: str, expected: list[str]
) -> None:
    assert open_times(expression, first, last) == expected


@pytest.mark.parametrize(
    ("expression", "saturday", "expected"),
    [
        ("Mo-Fr 09:00-18:00; PH off", "2025-11-01", ["11-01 09:00-18:00"]),
        ("Mo-Fr 09:00-18:00; PH off", "2027-02-20", ["02-20 09:00-18:00"]),
        ("Mo-Th 09:00-18:00; Fr 09:00-16:45; Sa 10:00-12:00; PH off", "2025-11-01", ["11-01 09:00-16:45"]),
        ("Mo-Th 09:00-18:00; Sa 10:00-12:00; PH off", "2025-11-01", []),
        ("Mo-Fr 09:00-18:00; Sa off; PH off", "2025-11-01", ["11-01 09:00-18:00"]),
        ("Mo-Fr 22:00-02:00; PH off", "2025-11-01", ["11-01 00:00-02:00", "11-01 22:00-00:00"]),
        ("Jan-Oct Mo-Fr 09:00-18:00; Nov-Dec Mo-Fr 10:00-19:00; PH off", "2025-11-01", ["11-01 10:00-19:00"]),
        ("Mo-Fr 09:00-18:00; PH off; 2025 Nov 1 off", "2025-11-01", []),
        ("Mo-Fr 09:00-18:00; PH off; 2025 Nov 1 10:00-11:00", "2025-11-01", ["11-01 10:00-11:00"]),
        ("Fr[-1] 09:00-18:00; PH off", "2025-11-01", ["11-01 09:00-18:00"]),
        ("24/7; PH off", "2025-11-01", ["11-01 00:00-00:00"]),
        ("PH 10:00-12:00", "2025-11-01", []),
        # PH is not named: a Saturday is a Saturday
        ("Mo-Fr 09:00-18:00", "2025-11-01", []),
        ("Mo-Fr 09:00-18:00; Sa 10:00-12:00", "2025-11-01", ["11-01 10:00-12:00"]),
    ],
)
def test_a_working_saturday_follows_friday_where_holidays_are_named(
    expression: str, saturday: str, expected: list[str]
) -> None:
    assert open_times(expression, saturday, saturday) == expected


def test_an_ordinary_saturday_does_not() -> None:
    assert open_times("Mo-Fr 09:00-18:00; PH off", "2025-10-25", "2025-10-26") == []


def test_holidays_depend_on_the_country() -> None:
    assert open_times("Mo-Fr 09:00-18:00; PH off", "2026-01-02", "2026-01-02", "Europe/Berlin", "DE") != []
    assert open_times("Mo-Fr 09:00-18:00; PH off", "2026-01-02", "2026-01-02", "Europe/Berlin", "RU") == []


class TestMoments:
    def test_inside_outside_and_on_the_edges(self) -> None:
        hours = opening_hours("Mo-Fr 09:00-18:00; PH off", "Europe/Moscow", "RU")
        opening, closing = at("2026-03-16 09:00"), at("2026-03-16 18:00")
        tick = timedelta(microseconds=1)
        assert [hours.is_open(moment) for moment in (opening - tick, opening, closing - tick, closing)] == [
            False, True, True, False,
        ]  # fmt: skip
        assert hours.opens_at(opening - tick) == opening
        assert hours.opens_at(opening) is None
        assert hours.closes_at(opening) == closing
        assert hours.closes_at(closing) is None
        assert hours.opens_at(closing) == at("2026-03-17 09:00")

    def test_the_next_opening_may_lie_beyond_new_year(self) -> None:
        hours = opening_hours("Mo-Fr 09:00-18:00; PH off", "Europe/Moscow", "RU")
        assert hours.opens_at(at("2026-12-30 18:00")) == at("2027-01-11 09:00")
        assert opening_hours("Feb 29", "UTC", "RU").opens_at(at("2025-01-01", "UTC")) == at("2028-02-29", "UTC")

    def test_a_closing_beyond_new_year(self) -> None:
        assert opening_hours("22:00-09:00", "UTC", "RU").closes_at(at("2026-12-31 23:00", "UTC")) == at(
            "2027-01-01 09:00", "UTC"
        )

    def test_always_open_never_closes(self) -> None:
        assert opening_hours("24/7", "Europe/Moscow", "RU").closes_at(at("2026-03-16 12:00")) is None

    def test_never_open_again_never_opens(self) -> None:
        assert opening_hours("2020 Mo-Fr 09:00-18:00", "Europe/Moscow", "RU").opens_at(at("2026-03-16 12:00")) is None

    def test_intervals_are_cut_to_the_question_merged_and_in_utc(self) -> None:
        hours = opening_hours("Mo-Fr 09:00-18:00; Sa 00:00-24:00; Su 00:00-03:00", "Europe/Moscow", "RU")
        spans = list(hours.intervals(at("2026-03-13 12:00"), at("2026-03-15 01:30")))
        assert spans == [
            (at("2026-03-13 12:00"), at("2026-03-13 18:00")),
            (at("2026-03-14 00:00"), at("2026-03-15 01:30")),
        ]
        assert all(moment.tzinfo is UTC for span in spans for moment in span)
        assert list(hours.intervals(at("2026-03-13 12:00"), at("2026-03-13 12:00"))) == []

    def test_a_moment_without_a_zone_is_refused(self) -> None:
        with pytest.raises(MomentError):
            opening_hours("24/7", "UTC", "RU").is_open(datetime(2026, 3, 16))  # noqa: DTZ001

    def test_it_forgets_years_rather_than_growing(self) -> None:
        hours = opening_hours("Mo-Fr 09:00-18:00; PH off", "Europe/Moscow", "RU")
        for year in range(1995, 2090):
            hours.is_open(datetime(year, 6, 1, tzinfo=UTC))
        assert len(hours._years) < 40


class TestDaylightSaving:
    def test_the_skipped_hour_is_not_open(self) -> None:
        spans = open_times("01:00-02:30,02:45-04:00", "2026-03-29", "2026-03-29", "Europe/Berlin")
        assert spans == ["03-29 01:00-04:00"]  # 02:00 is 03:00; nothing closes in between
        hours = opening_hours("02:00-03:00", "Europe/Berlin", "DE")
        assert list(hours.intervals(at("2026-03-29", "Europe/Berlin"), at("2026-03-30", "Europe/Berlin"))) == []

    def test_the_repeated_hour_is_open_twice(self) -> None:
        hours = opening_hours("02:00-02:30", "Europe/Berlin", "DE")
        spans = list(hours.intervals(at("2026-10-25", "Europe/Berlin"), at("2026-10-26", "Europe/Berlin")))
        assert [start.hour * 60 + start.minute for start, _end in spans] == [0, 60]
        assert [end - start for start, end in spans] == [timedelta(minutes=30)] * 2

    def test_a_zone_that_skipped_a_whole_day(self) -> None:
        apia = opening_hours("Mo-Su 12:00-13:00", "Pacific/Apia", "RU")  # there was no 30 December 2011
        spans = list(apia.intervals(at("2011-12-29", "Pacific/Apia"), at("2012-01-01", "Pacific/Apia")))
        assert [f"{start.astimezone(ZoneInfo('Pacific/Apia')):%d}" for start, _end in spans] == ["29", "31"]

    def test_a_zone_that_changed_its_offset_for_good(self) -> None:
        spans = open_times("09:00-18:00", "2014-10-25", "2014-10-27", "Europe/Moscow")
        assert spans == ["10-25 09:00-18:00", "10-26 09:00-18:00", "10-27 09:00-18:00"]


@pytest.mark.parametrize(
    ("expression", "position"),
    [
        ("", None),
        ("   ", None),
        ("пн-пт 09:00-18:00", 0),
        ("Mo-Fr 9-18", 6),
        ("Mo-Fr 09:00-18:00; бла", 19),
        ("  Mo-Fr 09:00-18:00; бла", 21),
        ("Mo-Fr 09:00-18:00;", 18),
        ("Mo–Fr 09:00-18:00", 2),
        ("Mo-Fr 09:00-18:00\nSa 10:00-12:00", 17),
        ("Mo-Fr 09:60-18:00", 9),
        ("24/24", 0),
        ("10:00", 5),
        ("Mo-Fr 09:00-18:00; PH,SH off", 22),
        ('Mo-Fr 09:00-18:00 "SH"; SH off', 24),
        ("Mo-Fr sunrise-18:00", 6),
        ("Mo-Fr 09:00-(Sunset-01:00)", 13),
        ("Mo-Fr 17:00+", 6),
        ("Mo-Fr 10:00-16:00/01:30", 17),
        ("Feb 30 10:00-12:00", 0),
        ("Mo 10:00-12:00; 2026 Feb 29 off", 16),
        ("Feb 1-30 10:00-12:00", None),
        ("Mo 09:00-10:00" + ", Tu 09:00-10:00" * 100, 1000),
        ("off", None),
        ("Mo-Fr 09:00-18:00; off", None),
        ("2020 Mo-Fr 09:00-18:00", None),
        ("24/7 unknown", None),
        ('"by appointment"', None),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_place(expression: str, position: int | None) -> None:
    with pytest.raises(OpeningHoursError) as refusal:
        check_expression(expression)
    error = refusal.value
    assert isinstance(error, ValueError)
    assert (error.expression, error.position) == (expression, position)
    assert str(error.reason)
    assert "Mo-Fr 09:00-18:00; PH off" in str(error)


def test_a_refusal_names_the_place_for_people() -> None:
    with override("en"), pytest.raises(OpeningHoursError, match="character 20: “бла”"):
        check_expression("Mo-Fr 09:00-18:00; бла")
    with override("en"), pytest.raises(OpeningHoursError, match="ends too early"):
        check_expression("Mo-Fr 09:00-18:00;")


@pytest.mark.parametrize(
    "expression",
    ["24/7", "PH 10:00-12:00", "Feb 29", "2090 Mo-Fr 09:00-10:00 || Mo 10:00-11:00", "mo-fr 9:00-18:00", "closed; Mo"],
)
def test_what_opens_some_day_is_accepted(expression: str) -> None:
    check_expression(expression)


def test_unknown_zones_and_countries_are_refused() -> None:
    with pytest.raises(UnknownZoneError, match="Europe/Atlantis"):
        opening_hours("24/7", "Europe/Atlantis", "RU")
    with pytest.raises(UnknownCountryError):
        opening_hours("Mo-Fr 09:00-18:00; PH off", "UTC", "XX")


def test_hours_are_built_once() -> None:
    assert opening_hours("24/7", "UTC", "RU") is opening_hours("24/7", "UTC", "RU")


# Where the evaluator is right by itself, it must say the same: no moved days, no zone, nothing past midnight.

SELECTORS = [
    "", "Mo-Fr", "Sa,Su", "Mo,We", "Fr-Mo", "Su[-1]", "We[1,3]", "Mo[2] +1 day",
    "Jan-Mar", "Apr-Oct Tu-Th", "Jan 5-Feb 3", "Dec 20-Jan 10 Mo-We", "Mar Su[1]", "easter -3 days-easter +3 days",
    "2026", "2025-2027/2 Jul", "2026 Mar 10-2026 Apr 2", "week 1-20/2", "week 10 Fr",
    "PH", "Mo,PH", "PH,Sa", "Apr-Oct PH", "PH -1 day",
]  # fmt: skip
TIMES = ["", "09:00-18:00", "08:00-12:00,13:00-17:30", "00:00-24:00", "12:00-13:00", "20:00-24:00"]
KINDS = ["", "", "", "off", "unknown", 'open "ring, twice; please"']
RULES = st.builds(
    lambda days, times, kind: " ".join(filter(None, [days, times, kind])) or "24/7",
    st.sampled_from(SELECTORS),
    st.sampled_from(TIMES),
    st.sampled_from(KINDS),
)


@st.composite
def expressions(draw: st.DrawFn) -> str:
    first, *rest = draw(st.lists(RULES, min_size=1, max_size=5))
    return first + "".join(draw(st.sampled_from(["; ", "; ", ", ", " || "])) + rule for rule in rest)


def test_the_evaluator_and_the_calendar_agree_about_german_holidays() -> None:
    calendar, evaluator = production_calendar("DE"), Evaluator("PH", country="DE")
    day = datetime(2025, 1, 1)  # noqa: DTZ001
    while day.year < 2028:
        assert evaluator.is_open(day) == calendar.is_holiday(day.date()), day
        day += timedelta(days=1)


@settings(max_examples=1000, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(expressions())
def test_rules_meet_as_the_evaluator_lets_them(expression: str) -> None:
    # It takes any expression with such a rule for always the same, though its own schedule of a day says otherwise.
    assume(not re.search(r"\|\| (24/7|00:00-24:00|off|unknown|open)", expression))
    start, end = datetime(2025, 3, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)
    evaluator = Evaluator(expression, country="DE")
    naive = evaluator.intervals(start.replace(tzinfo=None), end.replace(tzinfo=None))
    expected: list[tuple[datetime, datetime]] = []
    for naive_start, naive_end, state, _comment in naive:
        if state == State.OPEN:
            opens, closes = naive_start.replace(tzinfo=UTC), naive_end.replace(tzinfo=UTC)
            touches = expected and expected[-1][1] == opens  # it parts what differs in the comment only
            expected.append((expected.pop()[0] if touches else opens, closes))
    assert list(opening_hours(expression, "UTC", "DE").intervals(start, end)) == expected
