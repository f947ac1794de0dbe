"""Times as people write and read them here: ISO 8601 with a zone in, UTC in words out. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@lru_cache(maxsize=4096)  # a lease file repeats its times
def read_time(text: str) -> datetime:
    """An aware time in UTC. Raises ValueError that says what is missing; a zone is never guessed."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an ISO 8601 time, such as 2026-03-10T12:00:00Z") from None
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write {at.isoformat()}Z, or an offset such as +01:00 for Z")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is not a time in the years 1 to 9999 in UTC") from None


def shifted(at: datetime, by: timedelta) -> datetime:
    """`at + by`; the first or last moment of the calendar where that lies outside it."""
    try:
        return at + by
    except OverflowError:
        return EARLIEST if by < timedelta(0) else LATEST


def utc_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(" ", "seconds")[:19] + " UTC"


def age_text(length: timedelta) -> str:
    """Roughly: "3 days", "5 hours", "12 minutes"; of the future "0 minutes"."""
    minutes = max(0, int(length.total_seconds() // 60))
    for name, size in (("day", 2 * 1440), ("hour", 2 * 60)):
        if minutes >= size:
            return f"{minutes // (size // 2)} {name}s"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def length_text(length: timedelta) -> str:
    """A length of time in the largest unit that fits: "5 minutes", "14 hours", "90 seconds"."""
    seconds = length.total_seconds()
    for name, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {name}{'' if seconds == size else 's'}"
    return f"{seconds:g} seconds"
