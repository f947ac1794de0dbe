"""Times as a customer reads them: weekday, date, hour and the zone by name."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format, get_format

# Where Django's own date of the language, with the weekday before it, would not be what a letter says.
DAY = {"en": "l j F Y", "de": "l, j. F Y"}
HOUR = "H:i"


@dataclasses.dataclass(frozen=True, slots=True)
class Moment:
    iso: str
    day: str
    hour: str
    zone: str

    def __str__(self) -> str:
        return f"{self.day}, {self.hour} ({self.zone})"


def moment(at: datetime, language: str = "en") -> Moment:
    """Raises ValueError for a naive time: its zone would be a guess."""
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no zone")
    local = at.astimezone(ZoneInfo(settings.DISPLAY_TIME_ZONE))
    with translation.override(language):
        day = date_format(
            local, DAY.get(language.partition("-")[0]) or f"l {get_format('DATE_FORMAT', language)}", use_l10n=False
        )
        hour = date_format(local, HOUR, use_l10n=False)
    return Moment(local.isoformat(timespec="minutes"), day, hour, settings.DISPLAY_TIME_ZONE.replace("_", " "))
