"""The words for opening hours in Russian and English, and the names of time zones."""

from typing import NamedTuple

CODES = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]


class Words(NamedTuple):
    weekdays: list[str]
    on_weekday: list[str]
    months: list[str]
    tokens: dict[str, str]
    both: str
    daily: str
    round_the_clock: str
    never: str
    but_holidays: str
    on_holidays: str
    your_time: str
    your_zone: str
    open_always: str
    open_until: str
    never_again: str
    opens_in: str
    hours: str
    minutes: str
    opens: str
    today: str
    tomorrow: str
    date: str


RUSSIAN = Words(
    weekdays=["пн", "вт", "ср", "чт", "пт", "сб", "вс"],
    on_weekday=["в понедельник", "во вторник", "в среду", "в четверг", "в пятницу", "в субботу", "в воскресенье"],
    months=["января", "февраля", "марта", "апреля", "мая", "июня",
            "июля", "августа", "сентября", "октября", "ноября", "декабря"],
    tokens=dict(
        zip(
            [*CODES, "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
            ["пн", "вт", "ср", "чт", "пт", "сб", "вс",
             "янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
            strict=True,
        ),
        PH="праздники", off="закрыто", closed="закрыто", open="открыто", unknown="неизвестно", week="неделя",
        easter="западная Пасха", day="день", days="дн.",
    ) | {"24/7": "круглосуточно"},
    both=" и ",
    daily="ежедневно",
    round_the_clock="круглосуточно",
    never="закрыто",
    but_holidays="кроме праздников",
    on_holidays="в праздники {times}",
    your_time="ваше время",
    your_zone="ваше время, {zone}",
    open_always="открыто круглосуточно",
    open_until="открыто до {until}",
    never_again="больше не откроется",
    opens_in="откроется через {wait}",
    hours="{n}\u00a0ч",
    minutes="{n}\u00a0мин",
    opens="откроется {day} в {time}",
    today="сегодня",
    tomorrow="завтра",
    date="{day} {month}",
)  # fmt: skip
ENGLISH = Words(
    weekdays=["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    on_weekday=["on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday", "on Saturday", "on Sunday"],
    months=["January", "February", "March", "April", "May", "June",
            "July", "August", "September", "October", "November", "December"],
    tokens=dict(
        zip(CODES, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], strict=True),
        PH="public holidays", off="closed",
    ) | {"24/7": "round the clock"},
    both=" and ",
    daily="daily",
    round_the_clock="round the clock",
    never="closed",
    but_holidays="except public holidays",
    on_holidays="public holidays {times}",
    your_time="your time",
    your_zone="your time, {zone}",
    open_always="open round the clock",
    open_until="open until {until}",
    never_again="will not open again",
    opens_in="opens in {wait}",
    hours="{n}\u00a0h",
    minutes="{n}\u00a0min",
    opens="opens {day} at {time}",
    today="today",
    tomorrow="tomorrow",
    date="on {day} {month}",
)  # fmt: skip


def words_of(language: str) -> Words:
    """Any language but Russian is answered in English."""
    return RUSSIAN if language.lower().startswith("ru") else ENGLISH


_FROM_MOSCOW = {
    -1: ["Europe/Kaliningrad"],
    0: ["Europe/Moscow", "Europe/Simferopol", "Europe/Kirov", "Europe/Volgograd"],
    1: ["Europe/Samara", "Europe/Astrakhan", "Europe/Saratov", "Europe/Ulyanovsk"],
    2: ["Asia/Yekaterinburg"],
    3: ["Asia/Omsk"],
    4: ["Asia/Novosibirsk", "Asia/Krasnoyarsk", "Asia/Tomsk", "Asia/Barnaul", "Asia/Novokuznetsk"],
    5: ["Asia/Irkutsk"],
    6: ["Asia/Yakutsk", "Asia/Chita", "Asia/Khandyga"],
    7: ["Asia/Vladivostok", "Asia/Ust-Nera"],
    8: ["Asia/Magadan", "Asia/Sakhalin", "Asia/Srednekolymsk"],
    9: ["Asia/Kamchatka", "Asia/Anadyr"],
}
_ZONES = {zone: f"МСК{hours:+}" if hours else "МСК" for hours, zones in _FROM_MOSCOW.items() for zone in zones} | {
    "UTC": "UTC",
    "Europe/Minsk": "время Минска",
    "Europe/Berlin": "время Берлина",
    "Europe/Istanbul": "время Стамбула",
    "Asia/Almaty": "время Алматы",
    "Asia/Bishkek": "время Бишкека",
    "Asia/Dubai": "время Дубая",
    "Asia/Shanghai": "время Пекина",
    "Asia/Tashkent": "время Ташкента",
    "Asia/Tbilisi": "время Тбилиси",
    "Asia/Yerevan": "время Еревана",
}


def zone_name(zone: str, language: str) -> str:
    """A zone by its distance from Moscow in Russian ("МСК+7"), by its city in English; else by its key."""
    if language.lower().startswith("ru"):
        return _ZONES.get(zone, zone)
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time" if "/" in zone else zone
