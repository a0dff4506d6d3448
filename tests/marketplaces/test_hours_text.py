"""Hours in people's words, in both languages, and what they mean at a moment."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from marketplaces.hours_text import describe, status_text
from marketplaces.opening_hours import OpeningHoursError, UnknownZoneError, opening_hours

MOSCOW, KALININGRAD, VLADIVOSTOK, BERLIN = "Europe/Moscow", "Europe/Kaliningrad", "Asia/Vladivostok", "Europe/Berlin"


def at(text: str, zone: str = MOSCOW) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("expression", "russian", "english"),
    [
        ("24/7", "круглосуточно", "round the clock"),
        ("Mo-Su,PH 00:00-24:00", "круглосуточно", "round the clock"),
        ("Mo-Su 08:00-20:00", "ежедневно 08:00–20:00 (МСК)", "daily 08:00–20:00 (Moscow time)"),
        ("22:00-09:00", "ежедневно 22:00–09:00 (МСК)", "daily 22:00–09:00 (Moscow time)"),
        (
            "Mo-Fr 09:00-18:00; PH off",
            "пн–пт 09:00–18:00, кроме праздников (МСК)",
            "Mon–Fri 09:00–18:00, except public holidays (Moscow time)",
        ),
        (
            "Mo-Fr 09:00-13:00,14:00-18:00; Sa 10:00-24:00; PH 10:00-14:00",
            "пн–пт 09:00–13:00 и 14:00–18:00, сб 10:00–24:00, в праздники 10:00–14:00 (МСК)",
            "Mon–Fri 09:00–13:00 and 14:00–18:00, Sat 10:00–24:00, public holidays 10:00–14:00 (Moscow time)",
        ),
        (
            "Mo-Su 09:00-18:00; We off, Fr 20:00-21:00",
            "пн–вт,чт,сб–вс 09:00–18:00, пт 09:00–18:00 и 20:00–21:00 (МСК)",
            "Mon–Tue,Thu,Sat–Sun 09:00–18:00, Fri 09:00–18:00 and 20:00–21:00 (Moscow time)",
        ),
        ("Fr-Mo 10:00-12:00", "пн,пт–вс 10:00–12:00 (МСК)", "Mon,Fri–Sun 10:00–12:00 (Moscow time)"),
        (
            "24/7; PH off",
            "круглосуточно, кроме праздников (МСК)",
            "round the clock, except public holidays (Moscow time)",
        ),
        (
            "Mo-Fr; PH off",
            "пн–пт круглосуточно, кроме праздников (МСК)",
            "Mon–Fri round the clock, except public holidays (Moscow time)",
        ),
        (
            "Mo-Fr,PH 09:00-18:00",
            "пн–пт 09:00–18:00, в праздники 09:00–18:00 (МСК)",
            "Mon–Fri 09:00–18:00, public holidays 09:00–18:00 (Moscow time)",
        ),
        ("off", "закрыто (МСК)", "closed (Moscow time)"),
    ],
)
def test_hours_that_are_the_same_every_week(expression: str, russian: str, english: str) -> None:
    assert describe(expression, MOSCOW, "ru") == russian
    assert describe(expression, MOSCOW, "en") == english


@pytest.mark.parametrize(
    ("expression", "russian", "english"),
    [
        (
            "Nov-Mar Mo-Fr 09:00-18:00; PH off",
            "ноя–мар пн–пт 09:00–18:00; праздники закрыто (МСК)",
            "Nov–Mar Mon–Fri 09:00–18:00; public holidays closed (Moscow time)",
        ),
        ("Mo-Fr 09:00-18:00; We 12:00-13:00 off", "пн–пт 09:00–18:00; ср 12:00–13:00 закрыто (МСК)",
         "Mon–Fri 09:00–18:00; Wed 12:00–13:00 closed (Moscow time)"),
        ('Mo 09:00-12:00 open "ask for Mo"', 'пн 09:00–12:00 открыто "ask for Mo" (МСК)',
         'Mon 09:00–12:00 open "ask for Mo" (Moscow time)'),
        ("Mo 09:00-12:00+", "пн 09:00–12:00+ (МСК)", "Mon 09:00–12:00+ (Moscow time)"),
        ("Su[-1] 09:00-12:00", "вс[-1] 09:00–12:00 (МСК)", "Sun[-1] 09:00–12:00 (Moscow time)"),
        ("Fr 22:00-04:00; Sa 09:00-18:00", "пт 22:00–04:00; сб 09:00–18:00 (МСК)",
         "Fri 22:00–04:00; Sat 09:00–18:00 (Moscow time)"),  # Saturday replaces what Friday left
    ],
)  # fmt: skip
def test_unusual_hours_are_spelt_out(expression: str, russian: str, english: str) -> None:
    assert describe(expression, MOSCOW, "ru") == russian
    assert describe(expression, MOSCOW, "en") == english


class TestReaderElsewhere:
    def test_the_readers_own_zone_is_used_and_said(self) -> None:
        office = "Mo-Fr 09:00-18:00; PH off"
        assert describe(office, MOSCOW, "ru", KALININGRAD) == "пн–пт 08:00–17:00, кроме праздников (ваше время, МСК-1)"
        assert describe(office, MOSCOW, "ru", VLADIVOSTOK) == "пн–пт 16:00–01:00, кроме праздников (ваше время, МСК+7)"
        assert (
            describe(office, MOSCOW, "en", VLADIVOSTOK)
            == "Mon–Fri 16:00–01:00, except public holidays (your time, Vladivostok time)"
        )

    def test_days_move_with_the_hours(self) -> None:
        assert describe("Mo-Fr 18:00-23:00", MOSCOW, "ru", VLADIVOSTOK) == "вт–сб 01:00–06:00 (ваше время, МСК+7)"
        assert describe("Mo 00:00-05:00", MOSCOW, "ru", KALININGRAD) == "вс 23:00–04:00 (ваше время, МСК-1)"

    def test_holidays_do_not_move_to_other_days(self) -> None:
        assert (
            describe("Mo-Fr 18:00-23:00; PH off", MOSCOW, "ru", VLADIVOSTOK)
            == "пн–пт 18:00–23:00, кроме праздников (МСК)"
        )
        assert (
            describe("Mo-Fr 09:00-12:00; PH 18:00-20:00", MOSCOW, "ru", VLADIVOSTOK)
            == "пн–пт 09:00–12:00, в праздники 18:00–20:00 (МСК)"
        )

    def test_whole_days_stay_days_of_the_channel(self) -> None:
        assert describe("Mo-Fr", MOSCOW, "ru", VLADIVOSTOK) == "пн–пт круглосуточно (МСК)"
        assert describe("24/7", MOSCOW, "ru", VLADIVOSTOK) == "круглосуточно"

    def test_a_reader_with_the_same_clock_reads_the_channels_zone(self) -> None:
        assert describe("09:00-18:00", MOSCOW, "ru", "Europe/Simferopol") == "ежедневно 09:00–18:00 (МСК)"
        assert describe("09:00-18:00", MOSCOW, "ru", MOSCOW) == "ежедневно 09:00–18:00 (МСК)"

    def test_a_distance_that_changes_in_the_year_is_not_reckoned(self) -> None:
        assert describe("09:00-18:00", MOSCOW, "ru", BERLIN) == "ежедневно 09:00–18:00 (МСК)"
        assert describe("09:00-18:00", BERLIN, "ru", MOSCOW) == "ежедневно 09:00–18:00 (время Берлина)"
        assert describe("09:00-18:00", BERLIN, "en", "Europe/Rome", 2026) == "daily 09:00–18:00 (Berlin time)"


def test_a_zone_without_a_name_is_called_by_its_key() -> None:
    assert describe("09:00-18:00", "America/New_York", "ru") == "ежедневно 09:00–18:00 (America/New_York)"
    assert describe("09:00-18:00", "America/New_York", "en") == "daily 09:00–18:00 (New York time)"
    assert describe("09:00-18:00", "UTC", "en") == "daily 09:00–18:00 (UTC)"


def test_other_languages_are_answered_in_english() -> None:
    assert describe("24/7", MOSCOW, "de") == "round the clock"
    assert describe("24/7", MOSCOW, "ru-RU") == "круглосуточно"


def test_bad_hours_and_zones_are_refused() -> None:
    with pytest.raises(OpeningHoursError):
        describe("by day", MOSCOW, "ru")
    with pytest.raises(UnknownZoneError):
        describe("09:00-18:00", "Europe/Atlantis", "ru")


OFFICE = "Mo-Fr 09:00-18:00; PH off"


@pytest.mark.parametrize(
    ("expression", "moment", "russian", "english"),
    [
        (OFFICE, "2026-03-16 12:00", "открыто до 18:00", "open until 18:00"),
        ("24/7", "2026-03-16 12:00", "открыто круглосуточно", "open round the clock"),
        ("Mo-Su 12:00-24:00", "2026-03-16 12:00", "открыто до 24:00", "open until 24:00"),
        ("22:00-09:00", "2026-03-16 23:00", "открыто до 09:00", "open until 09:00"),
        ("Mo-Fr", "2026-03-16 12:00", "открыто до 20 марта, 24:00", "open until 20 March, 24:00"),
        ("Mo 12:00-36:00", "2026-03-16 12:00", "открыто до 17 марта, 12:00", "open until 17 March, 12:00"),
        (OFFICE, "2026-03-16 08:20", "откроется через 40\u00a0мин", "opens in 40\u00a0min"),
        (OFFICE, "2026-03-16 08:59:30", "откроется через 1\u00a0мин", "opens in 1\u00a0min"),
        (OFFICE, "2026-03-16 07:00", "откроется через 2\u00a0ч", "opens in 2\u00a0h"),
        (OFFICE, "2026-03-16 06:45", "откроется через 2\u00a0ч 15\u00a0мин", "opens in 2\u00a0h 15\u00a0min"),
        (OFFICE, "2026-03-16 05:00", "откроется сегодня в 09:00", "opens today at 09:00"),
        (OFFICE, "2026-03-16 18:00", "откроется завтра в 09:00", "opens tomorrow at 09:00"),
        (OFFICE, "2026-03-13 18:00", "откроется в понедельник в 09:00", "opens on Monday at 09:00"),
        ("Tu 09:00-10:00", "2026-03-14 12:00", "откроется во вторник в 09:00", "opens on Tuesday at 09:00"),
        (OFFICE, "2026-01-01 12:00", "откроется 12 января в 09:00", "opens on 12 January at 09:00"),
        (OFFICE, "2026-12-31 12:00", "откроется 11 января 2027 в 09:00", "opens on 11 January 2027 at 09:00"),
        ("2020 Mo", "2026-03-16 12:00", "больше не откроется", "will not open again"),
    ],
)
def test_what_the_hours_mean_now(expression: str, moment: str, russian: str, english: str) -> None:
    hours = opening_hours(expression, MOSCOW, "RU")
    assert status_text(hours, at(moment), "ru") == russian
    assert status_text(hours, at(moment), "en", MOSCOW) == english


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2026-03-16 12:00", VLADIVOSTOK, "открыто до 01:00 (ваше время)"),
        ("2026-03-16 18:00", VLADIVOSTOK, "откроется сегодня в 16:00 (ваше время)"),  # there it is Tuesday, 01:00
        ("2026-03-16 18:00", BERLIN, "откроется завтра в 07:00 (ваше время)"),
        ("2026-07-16 18:00", BERLIN, "откроется завтра в 08:00 (ваше время)"),
        ("2026-03-16 12:00", "Europe/Simferopol", "открыто до 18:00"),
        ("2026-03-16 08:00", VLADIVOSTOK, "откроется через 1\u00a0ч"),
    ],
)
def test_a_reader_elsewhere_reads_their_own_time(moment: str, zone: str, expected: str) -> None:
    assert status_text(opening_hours(OFFICE, MOSCOW, "RU"), at(moment), "ru", zone) == expected
