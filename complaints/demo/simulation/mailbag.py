"""The mail that is on its way to the desk, and its arrival by the product's own door."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from datetime import UTC, datetime

from complaints import tasks
from complaints.demo.simulation.truth import Told
from complaints.intake import Arrival, store_messages


class Mailbag:
    """told: the complaints in a mail. Probes travel apart: they come back while checks still talk."""

    def __init__(self) -> None:
        self.count = 0
        self.mails: list[tuple[datetime, int, Arrival, list[Told]]] = []
        self.probes: list[tuple[float, int, Arrival]] = []  # relayed ones, on their way back; seconds

    def post(self, arrival: Arrival, at: datetime, told: Sequence[Told] = ()) -> None:
        self.count += 1
        heapq.heappush(self.mails, (at, self.count, arrival, list(told)))

    def post_probe(self, arrival: Arrival, at_s: float) -> None:
        self.count += 1
        heapq.heappush(self.probes, (at_s, self.count, arrival))

    def next_probe(self) -> float:
        return self.probes[0][0] if self.probes else math.inf

    def arrived(self, until: datetime) -> list[tuple[datetime, Arrival, list[Told]]]:
        found = []
        while self.mails and self.mails[0][0] <= until:
            at, _, arrival, told = heapq.heappop(self.mails)
            found.append((at, arrival, told))
        return found

    def hand_in_probes(self, until_s: float) -> None:
        while self.probes and self.probes[0][0] <= until_s:
            at_s, _, arrival = heapq.heappop(self.probes)
            hand_in([arrival], datetime.fromtimestamp(at_s, UTC))


def hand_in(arrivals: Sequence[Arrival], at: datetime) -> list[int]:
    """As the listener does; the ids of the product's messages."""
    stored = [row.message_id for row in store_messages(arrivals, now=at)]
    tasks.wake(tasks.process_messages, stored)
    return stored
