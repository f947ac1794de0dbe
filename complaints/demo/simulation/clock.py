"""The clock of the simulated world. Outside the product there is one clock, and this takes its place.

All of the product that is not handed `now` asks django.utils.timezone.now, by that name (a test holds it to that). So
one name is changed for as long as the simulation runs, and no code of the product knows of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone


class VirtualClock:
    """Stands still until it is told to go on; never goes back."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def go_to(self, when: datetime) -> None:
        self._now = max(self._now, when)

    def seconds(self) -> float:
        return self._now.timestamp()

    @contextlib.contextmanager
    def ruling(self) -> Iterator[None]:
        """Inside, this is the time of the whole process, as far as Django and the product ask."""
        real = timezone.now
        setattr(timezone, "now", self.now)  # noqa: B010 - mypy takes functions of modules for constants
        try:
            yield
        finally:
            setattr(timezone, "now", real)  # noqa: B010
