"""The worked examples of the specification, then the rules around them, one by one.

Local times are written as people say them ("2026-01-08 15:00"); every clock answers in UTC.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketplaces.calendars import UnknownCountryError
from marketplaces.opening_hours import OpeningHoursError, UnknownZoneError
from marketplaces.working_time import (
    AmountError,
    Clock,
    MomentError,
    NeverOpensError,
    TooFarError,
    Unit,
    UnitError,
    clock,
)

OFFICE = "Mo-Fr 09:00-18:00; PH off"
DAILY = "Mo-Su 08:00-20:00"
NIGHT = "22:00-09:00"
ANY = (OFFICE, DAILY, NIGHT, "24/7", "Sa 10:00-11:00")


def at(text: str, zone: str = "Europe/Moscow", *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def moscow(expression: str) -> Clock:
    return clock(expression, "Europe/Moscow", "RU")


@pytest.mark.parametrize(
    ("hours", "start", "amount", "unit", "due"),
    [
        (OFFICE, "2026-01-08 15:00", 4, "working_hours", "2026-01-12 13:00"),
        (OFFICE, "2026-05-08 17:00", 2, "working_hours", "2026-05-12 10:00"),
        (OFFICE, "2025-10-31 16:00", 3, "working_hours", "2025-11-01 10:00"),
        (OFFICE, "2026-12-30 17:30", 1, "working_hours", "2027-01-11 09:30"),
        (DAILY, "2026-03-14 19:30", 1, "working_hours", "2026-03-15 08:30"),
        (NIGHT, "2026-03-15 08:30", 1, "working_hours", "2026-03-15 22:30"),
    ],
)
def test_worked_examples_in_opening_hours(hours: str, start: str, amount: int, unit: str, due: str) -> None:
    assert moscow(hours).add(at(start), amount, Unit(unit)) == at(due)


@pytest.mark.parametrize("hours", ANY)
@pytest.mark.parametrize(
    ("start", "amount", "unit", "last_day"),
    [
        ("2026-04-30 12:00", 3, "working_days", "2026-05-06"),
        ("2025-10-30 23:30", 2, "working_days", "2025-11-01"),
        ("2026-12-29 10:00", 3, "working_days", "2027-01-12"),
        ("2026-10-05 10:00", 15, "calendar_days", "2026-10-20"),
        ("2026-11-20 10:00", 15, "calendar_days", "2026-12-07"),
        ("2026-12-03 09:00", 30, "calendar_days", "2027-01-11"),
    ],
)
def test_worked_examples_in_days_whatever_the_hours(
    hours: str, start: str, amount: int, unit: str, last_day: str
) -> None:
    midnight = at(last_day) + timedelta(days=1)
    assert moscow(hours).add(at(start), amount, Unit(unit)) == midnight


def test_minutes_and_hours_are_elapsed_time_round_the_clock() -> None:
    start = at("2026-01-01 23:50")
    assert moscow(OFFICE).add(start, 20, Unit.MINUTES) == at("2026-01-02 00:10")
    assert moscow(OFFICE).add(start, 24, Unit.HOURS) == at("2026-01-02 23:50")


def test_what_ends_exactly_at_closing_time_is_due_at_closing_time() -> None:
    assert moscow(OFFICE).add(at("2026-03-16 17:00"), 1, Unit.WORKING_HOURS) == at("2026-03-16 18:00")
    assert moscow(OFFICE).add(at("2026-03-16 17:00"), 60, Unit.WORKING_MINUTES) == at("2026-03-16 18:00")
    assert moscow(OFFICE).add(at("2026-03-16 20:00"), 9, Unit.WORKING_HOURS) == at("2026-03-17 18:00")


def test_from_outside_the_hours_counting_starts_at_the_next_opening() -> None:
    assert moscow(OFFICE).add(at("2026-03-14 12:00"), 1, Unit.WORKING_MINUTES) == at("2026-03-16 09:01")


def test_seconds_and_microseconds_of_the_start_are_kept() -> None:
    start = at("2026-03-16 10:00:00.000001")
    assert moscow(OFFICE).add(start, 10, Unit.WORKING_HOURS) == at("2026-03-17 11:00:00.000001")


def test_a_target_may_run_over_new_year_round_the_clock() -> None:
    assert moscow("24/7").add(at("2026-12-31 20:00"), 8, Unit.WORKING_HOURS) == at("2027-01-01 04:00")
    assert moscow(NIGHT).add(at("2026-12-31 23:00"), 11, Unit.WORKING_HOURS) == at("2027-01-01 23:00")


def test_the_start_may_be_given_in_any_zone() -> None:
    start = at("2026-01-08 15:00").astimezone(ZoneInfo("Asia/Vladivostok"))
    due = moscow(OFFICE).add(start, 4, Unit.WORKING_HOURS)
    assert due == at("2026-01-12 13:00")
    assert due.tzinfo is UTC


def test_days_are_those_of_the_channels_zone() -> None:
    late_in_moscow = at("2026-03-16 23:30")  # already Tuesday in Vladivostok
    assert moscow(OFFICE).add(late_in_moscow, 1, Unit.WORKING_DAYS) == at("2026-03-18 00:00")
    far_east = clock(OFFICE, "Asia/Vladivostok", "RU")
    assert far_east.add(late_in_moscow, 1, Unit.WORKING_DAYS) == at("2026-03-19 00:00", "Asia/Vladivostok")


class TestDaylightSaving:
    BERLIN = "Europe/Berlin"  # 2026: 29 March 02:00 -> 03:00, 25 October 03:00 -> 02:00

    def berlin(self, expression: str) -> Clock:
        return clock(expression, self.BERLIN, "DE")

    def test_hours_are_elapsed_time_over_gap_and_fold(self) -> None:
        assert self.berlin("24/7").add(at("2026-03-29 01:30", self.BERLIN), 1, Unit.HOURS) == at(
            "2026-03-29 03:30", self.BERLIN
        )
        assert self.berlin("24/7").add(at("2026-10-25 02:30", self.BERLIN), 1, Unit.HOURS) == at(
            "2026-10-25 02:30", self.BERLIN, fold=1
        )

    def test_the_missing_hour_is_not_worked(self) -> None:
        due = self.berlin("00:00-06:00").add(at("2026-03-29 00:00", self.BERLIN), 5, Unit.WORKING_HOURS)
        assert due == at("2026-03-29 06:00", self.BERLIN)

    def test_the_repeated_hour_is_worked_twice(self) -> None:
        due = self.berlin("00:00-06:00").add(at("2026-10-25 00:00", self.BERLIN), 7, Unit.WORKING_HOURS)
        assert due == at("2026-10-25 06:00", self.BERLIN)

    def test_an_opening_inside_the_gap_is_the_end_of_the_gap(self) -> None:
        due = self.berlin("02:30-05:00").add(at("2026-03-29 00:00", self.BERLIN), 1, Unit.WORKING_HOURS)
        assert due == at("2026-03-29 04:00", self.BERLIN)

    def test_a_slot_that_begins_in_the_fold_is_open_by_the_wall_clock(self) -> None:
        start = at("2026-10-25 00:00", self.BERLIN)
        slow = self.berlin("02:30-05:00")
        assert slow.add(start, 30, Unit.WORKING_MINUTES) == at("2026-10-25 02:00", self.BERLIN, fold=1)
        assert slow.add(start, 31, Unit.WORKING_MINUTES) == at("2026-10-25 02:31", self.BERLIN, fold=1)

    def test_a_day_of_23_hours_ends_at_its_midnight(self) -> None:
        due = self.berlin("24/7").add(at("2026-03-28 12:00", self.BERLIN), 1, Unit.CALENDAR_DAYS)
        assert due == at("2026-03-31 00:00", self.BERLIN)  # the 29th is a Sunday: the 30th instead

    def test_midnight_that_does_not_exist_is_the_moment_the_clock_jumps(self) -> None:
        beirut = clock("24/7", "Asia/Beirut", "LB")  # 29 March 2026 begins at 01:00
        due = beirut.add(at("2026-03-26 12:00", "Asia/Beirut"), 2, Unit.CALENDAR_DAYS)
        assert due == datetime(2026, 3, 30, 21, tzinfo=UTC)
        saturday_end = beirut.add(at("2026-03-26 12:00", "Asia/Beirut"), 1, Unit.WORKING_DAYS)
        assert saturday_end == datetime(2026, 3, 27, 22, tzinfo=UTC)


class TestElapsed:
    def test_it_undoes_adding(self) -> None:
        for hours in ANY:
            for unit in (Unit.MINUTES, Unit.HOURS, Unit.WORKING_MINUTES, Unit.WORKING_HOURS):
                start = at("2026-04-30 12:34:56")
                spent = moscow(hours).elapsed(start, moscow(hours).add(start, 7, unit), unit)
                assert spent == 7 * (timedelta(hours=1) if "hours" in unit else timedelta(minutes=1))

    def test_nothing_has_run_before_the_start_or_while_closed(self) -> None:
        start = at("2026-03-13 18:00")  # Friday, closing time
        assert moscow(OFFICE).elapsed(start, at("2026-03-16 09:00"), Unit.WORKING_HOURS) == timedelta(0)
        assert moscow(OFFICE).elapsed(start, at("2026-03-12 09:00"), Unit.WORKING_HOURS) == timedelta(0)
        assert moscow(OFFICE).elapsed(start, at("2026-03-12 09:00"), Unit.HOURS) == timedelta(0)

    def test_over_several_years(self) -> None:
        spent = moscow("24/7").elapsed(at("2025-06-01 00:00"), at("2027-06-01 00:00"), Unit.WORKING_HOURS)
        assert spent == timedelta(days=730)

    def test_whole_days_are_those_that_have_fully_passed(self) -> None:
        office, start = moscow(OFFICE), at("2026-04-30 12:00")  # Thursday; 1-3 May are off
        days = [
            ("2026-05-04 23:59", 0),
            ("2026-05-05 00:00", 1),
            ("2026-05-06 12:00", 2),
            ("2026-05-07 00:00", 3),
            ("2026-04-29 00:00", 0),
        ]
        for moment, passed in days:
            assert office.elapsed_days(start, at(moment), Unit.WORKING_DAYS) == passed
        assert office.elapsed_days(start, at("2026-05-06 12:00"), Unit.CALENDAR_DAYS) == 5

    def test_days_and_time_are_not_mixed_up(self) -> None:
        start = at("2026-04-30 12:00")
        with pytest.raises(UnitError):
            moscow(OFFICE).elapsed(start, start, Unit.WORKING_DAYS)
        with pytest.raises(UnitError):
            moscow(OFFICE).elapsed_days(start, start, Unit.HOURS)


class TestPausing:
    def test_the_rest_of_the_hours_runs_on_after_the_pause(self) -> None:
        office, start, paused = moscow(OFFICE), at("2026-03-16 15:00"), at("2026-03-16 17:00")
        ran = office.elapsed(start, paused, Unit.WORKING_HOURS)
        due = office.add(at("2026-03-18 12:00"), 8, Unit.WORKING_HOURS, counted=ran)
        assert ran == timedelta(hours=2)
        assert due == at("2026-03-18 18:00")

    def test_a_pause_that_lasts_no_time_moves_nothing(self) -> None:
        office, start, pause = moscow(OFFICE), at("2026-01-08 15:00"), at("2026-01-12 10:17:03")
        ran = office.elapsed(start, pause, Unit.WORKING_HOURS)
        assert office.add(pause, 4, Unit.WORKING_HOURS, counted=ran) == office.add(start, 4, Unit.WORKING_HOURS)

    def test_whole_counted_days_stay_and_the_rest_is_counted_from_the_day_after(self) -> None:
        office, start, paused = moscow(OFFICE), at("2026-04-30 12:00"), at("2026-05-05 15:00")
        ran = office.elapsed_days(start, paused, Unit.WORKING_DAYS)
        assert ran == 1  # Monday 4 May; Tuesday had not passed
        due = office.add(at("2026-05-08 10:00"), 3, Unit.WORKING_DAYS, counted=ran)
        assert due == at("2026-05-14 00:00")  # 9-11 May are off: Tuesday 12 and Wednesday 13 are left

    def test_calendar_days_after_a_pause_still_end_on_a_working_day(self) -> None:
        due = moscow(OFFICE).add(at("2026-03-18 10:00"), 15, Unit.CALENDAR_DAYS, counted=12)
        assert due == at("2026-03-24 00:00")  # Saturday 21 March becomes Monday 23

    def test_when_everything_had_run_nothing_is_left(self) -> None:
        resumed = at("2026-03-14 12:00")
        assert moscow(OFFICE).add(resumed, 2, Unit.WORKING_HOURS, counted=timedelta(hours=2)) == resumed
        assert moscow(OFFICE).add(resumed, 2, Unit.HOURS, counted=timedelta(hours=3)) == resumed
        assert moscow(OFFICE).add(resumed, 2, Unit.WORKING_DAYS, counted=2) == resumed

    def test_a_calendar_term_whose_days_had_run_out_on_a_day_off_ends_on_the_working_day(self) -> None:
        due = moscow(OFFICE).add(at("2026-03-22 12:00"), 15, Unit.CALENDAR_DAYS, counted=15)
        assert due == at("2026-03-24 00:00")

    def test_what_was_counted_must_be_in_the_unit_and_not_negative(self) -> None:
        start = at("2026-03-16 12:00")
        for unit, counted in (
            (Unit.HOURS, 3),
            (Unit.WORKING_DAYS, timedelta(days=1)),
            (Unit.HOURS, timedelta(-1)),
            (Unit.CALENDAR_DAYS, -1),
        ):
            with pytest.raises(AmountError):
                moscow(OFFICE).add(start, 5, unit, counted=counted)


class TestShare:
    def test_of_hours(self) -> None:
        office, start = moscow(OFFICE), at("2026-03-16 17:00")
        assert office.share(start, start, 4, Unit.WORKING_HOURS) == 0
        assert office.share(start, at("2026-03-16 21:00"), 4, Unit.WORKING_HOURS) == 0.25
        assert office.share(start, at("2026-03-17 12:00"), 4, Unit.WORKING_HOURS) == 1
        assert office.share(start, at("2026-03-17 16:00"), 4, Unit.WORKING_HOURS) == 2

    def test_it_keeps_what_had_run_before_a_pause(self) -> None:
        share = moscow(OFFICE).share(
            at("2026-03-16 12:00"), at("2026-03-16 13:00"), 4, Unit.HOURS, counted=timedelta(hours=2)
        )
        assert share == 0.75

    def test_days_use_up_their_share_by_the_hour(self) -> None:
        office, start = moscow(OFFICE), at("2026-03-12 15:00")  # Thursday
        for moment, share in [
            ("2026-03-12 23:00", 0),
            ("2026-03-13 12:00", 0.25),
            ("2026-03-14 12:00", 0.5),
            ("2026-03-16 06:00", 0.625),
            ("2026-03-17 00:00", 1),
            ("2026-03-18 00:00", 1.5),
        ]:
            assert office.share(start, at(moment), 2, Unit.WORKING_DAYS) == share

    def test_calendar_days_reach_the_whole_when_they_are_due(self) -> None:
        office, start = moscow(OFFICE), at("2026-11-20 10:00")
        due = office.add(start, 15, Unit.CALENDAR_DAYS)
        assert office.share(start, due, 15, Unit.CALENDAR_DAYS) == 1
        assert office.share(start, at("2026-11-20 23:00"), 15, Unit.CALENDAR_DAYS) == 0
        assert office.share(start, at("2026-11-30 00:00"), 15, Unit.CALENDAR_DAYS) == 9 / 17
        assert office.share(at("2026-12-01 10:00"), at("2026-12-08 00:00"), 15, Unit.CALENDAR_DAYS, counted=9) == 1


class TestRefusals:
    def test_a_moment_without_a_zone(self) -> None:
        naive = datetime(2026, 3, 16, 12)  # noqa: DTZ001
        with pytest.raises(MomentError):
            moscow(OFFICE).add(naive, 1, Unit.HOURS)
        with pytest.raises(MomentError):
            moscow(OFFICE).elapsed(at("2026-03-16 12:00"), naive, Unit.WORKING_HOURS)
        with pytest.raises(MomentError):
            moscow(OFFICE).elapsed_days(naive, naive, Unit.WORKING_DAYS)

    @pytest.mark.parametrize("year", [1, 1950, 2100, 9999])
    @pytest.mark.parametrize("unit", list(Unit))
    def test_a_moment_that_no_calendar_covers(self, year: int, unit: Unit) -> None:
        with pytest.raises(MomentError):
            moscow(OFFICE).add(datetime(year, 6, 1, tzinfo=UTC), 1, unit)

    @pytest.mark.parametrize("amount", [0, -1, 10**6, 10**12])
    @pytest.mark.parametrize("unit", [Unit.HOURS, Unit.WORKING_HOURS, Unit.WORKING_DAYS, Unit.CALENDAR_DAYS])
    def test_an_amount_that_nobody_can_mean(self, amount: int, unit: Unit) -> None:
        with pytest.raises(AmountError):
            moscow(OFFICE).add(at("2026-03-16 12:00"), amount, unit)

    def test_a_unit_that_does_not_exist(self) -> None:
        with pytest.raises(UnitError):
            moscow(OFFICE).add(at("2026-03-16 12:00"), 1, "fortnights")  # type: ignore[arg-type]

    @pytest.mark.parametrize("hours", ["off", "Mo-Fr 09:00-18:00; off", "2020 Mo-Fr 09:00-18:00", "24/7 unknown"])
    def test_hours_that_never_open_again(self, hours: str) -> None:
        with pytest.raises(NeverOpensError):
            moscow(hours).add(at("2026-03-16 12:00"), 1, Unit.WORKING_HOURS)

    def test_a_start_past_the_last_opening(self) -> None:
        last_day = moscow("2026 Mar 16 09:00-18:00")
        assert last_day.add(at("2026-03-16 12:00"), 6, Unit.WORKING_HOURS) == at("2026-03-16 18:00")
        with pytest.raises(NeverOpensError):
            last_day.add(at("2026-03-16 18:00"), 1, Unit.WORKING_HOURS)
        with pytest.raises(NeverOpensError):
            last_day.add(at("2026-03-16 12:00"), 7, Unit.WORKING_HOURS)

    def test_an_amount_that_would_take_decades(self) -> None:
        with pytest.raises(TooFarError):
            moscow("Mo 09:00-10:00").add(at("2026-03-16 12:00"), 5_000, Unit.WORKING_HOURS)

    def test_hours_that_never_open_still_count_days(self) -> None:
        assert moscow("off").add(at("2026-03-16 12:00"), 1, Unit.WORKING_DAYS) == at("2026-03-18 00:00")

    def test_a_bad_expression_zone_or_country(self) -> None:
        with pytest.raises(OpeningHoursError):
            clock("by day", "Europe/Moscow", "RU")
        for zone in ("Europe/Atlantis", "", "../etc", "Moscow time"):
            with pytest.raises(UnknownZoneError):
                clock(OFFICE, zone, "RU")
        for country in ("XX", "", "Russia", "HolidayBase"):
            with pytest.raises(UnknownCountryError):
                clock(OFFICE, "Europe/Moscow", country)

    def test_every_refusal_is_a_value_error(self) -> None:
        for error in (AmountError, MomentError, NeverOpensError, TooFarError, UnitError):
            assert issubclass(error, ValueError)


def test_a_unit_says_whether_it_ends_with_a_day() -> None:
    assert [unit for unit in Unit if unit.in_days] == [Unit.WORKING_DAYS, Unit.CALENDAR_DAYS]


def test_clocks_are_built_once_and_not_without_bound() -> None:
    assert moscow(OFFICE) is moscow(OFFICE)
    assert clock.cache_info().maxsize is not None
