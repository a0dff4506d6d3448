"""Validators of texts that have a grammar of their own. Each says what is wrong and what is meant."""

import re
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from marketplaces.opening_hours import OpeningHoursError, check_expression

MAIL = re.compile(r"[^@\s,;:]+@[^@\s,;:]+\.[\w-]{2,}")


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(_("“%(zone)s” is no time zone. An example: Europe/Moscow."), params={"zone": value})


def validate_opening_hours(value: str) -> None:
    try:
        check_expression(value)
    except OpeningHoursError as error:
        raise ValidationError(str(error)) from error


def validate_pattern(value: str) -> None:
    try:
        re.compile(value)
    except re.error as error:
        raise ValidationError(
            _("The pattern cannot be read at position %(position)s. An example: ^[0-9]{8}$."),
            params={"position": (error.pos or 0) + 1},
        ) from error
