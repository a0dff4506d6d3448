"""Opening hours that explain themselves: presets, what an expression means for a week, and where it cannot be read."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextInputWidget

from marketplaces.calendars import UnknownCountryError
from marketplaces.hours_text import describe
from marketplaces.hours_words import zone_name
from marketplaces.models import Marketplace
from marketplaces.opening_hours import (
    OpeningHours,
    OpeningHoursError,
    UnknownZoneError,
    check_expression,
    opening_hours,
)

PRESETS = [
    "24/7",
    "Mo-Fr 09:00-18:00; PH off",
    "Mo-Fr 10:00-19:00; PH off",
    "Mo-Su 08:00-20:00",
    "Mo-Su 09:00-21:00",
    "Mo-Fr 09:00-18:00; Sa 10:00-16:00; PH off",
]


class OpeningHoursWidget(UnfoldAdminTextInputWidget):
    """The text of an expression with presets and a preview: as the page was asked for, and by script while typing."""

    zone, country = "", "RU"

    class Media:
        js = ["marketplaces/hours.js"]

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        context = {
            "input": super().render(name, value, attrs, renderer),
            "presets": [(preset, meaning(preset, self.zone, self.country)["text"]) for preset in PRESETS],
            "preview": preview_html(value or "", self.zone, self.country),
        }
        return render_to_string("admin/marketplaces/hours.html", context)


def explain(field: forms.Field, marketplace: Marketplace | None, zone: str) -> None:
    """Makes the field show what its value means on this marketplace."""
    if isinstance(field.widget, OpeningHoursWidget):
        field.widget.zone = zone or (marketplace.time_zone if marketplace else "")
        field.widget.country = marketplace.country if marketplace else "RU"


def preview_view(request: HttpRequest) -> JsonResponse:
    """What `expression` means in `time_zone` on the calendar of `marketplace`: its week, or what cannot be read."""
    place = Marketplace.objects.filter(pk=_number(request.GET.get("marketplace", ""))).first()
    zone = request.GET.get("time_zone") or (place.time_zone if place else "")
    expression = request.GET.get("expression", "")[:255]
    country = place.country if place else "RU"
    return JsonResponse({**meaning(expression, zone, country), "html": preview_html(expression, zone, country)})


def preview_html(expression: str, zone: str, country: str) -> SafeString:
    return render_to_string("admin/marketplaces/hours_preview.html", meaning(expression, zone, country))


def meaning(expression: str, zone: str, country: str) -> dict[str, Any]:
    """In words and day by day; `error`, and the `position` of it in the text, where it cannot be read."""
    if not expression:
        return {"text": _("Nobody knows the hours: promises here are counted round the clock.")}
    zone = zone or timezone.get_current_timezone_name()
    try:
        check_expression(expression)
        hours = opening_hours(expression, zone, country)
        language = get_language() or "ru"
        text = describe(expression, zone, language)
        return {"text": text, "zone": zone_name(zone, language), "week": _week(hours)}
    except OpeningHoursError as error:
        place = error.position if error.position is not None else len(expression)
        return {
            "error": str(error),
            "position": error.position,
            "before": expression[:place],
            "after": expression[place:],
        }
    except (UnknownZoneError, UnknownCountryError) as error:
        return {"error": str(error), "position": None}


def _week(hours: OpeningHours) -> list[dict[str, str]]:
    """The seven days from today on in the zone of the channel, with holidays and moved days off as they fall."""
    zone = ZoneInfo(hours.zone)
    today = timezone.now().astimezone(zone).date()
    return [_day(hours, today + timedelta(days=ahead), zone) for ahead in range(7)]


def _day(hours: OpeningHours, day: date, zone: ZoneInfo) -> dict[str, str]:
    start, end = (datetime.combine(day + timedelta(days=ahead), time(), zone) for ahead in (0, 1))
    spans = [
        f"{opens.astimezone(zone):%H:%M}–{_closing(closes.astimezone(zone), end)}"
        for opens, closes in hours.intervals(start, end)
    ]
    return {"day": date_format(day, "D, j E"), "hours": ", ".join(spans) or _("closed")}


def _closing(closes: datetime, end: datetime) -> str:
    return "24:00" if closes == end else f"{closes:%H:%M}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
