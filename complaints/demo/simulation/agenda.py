"""What happens next in the simulated world: a list of tasks by time, each a verb of the world with its arguments."""

from __future__ import annotations

import dataclasses
import heapq
import random
from datetime import datetime, timedelta
from typing import Any

from complaints.demo.simulation.clock import VirtualClock


@dataclasses.dataclass(order=True, slots=True)
class Task:
    """Equal moments keep the order in which they were planned."""

    due: datetime
    number: int
    verb: str = dataclasses.field(compare=False)
    args: dict[str, Any] = dataclasses.field(compare=False)


class Agenda:
    """Verbs are the methods of a subclass."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self.seed, self.clock = seed, clock
        self.tasks: list[Task] = []
        self.count = 0

    def dice(self, *what: object) -> random.Random:
        """Chance by what it is about: independent of everything else that happens."""
        return random.Random("/".join(map(str, (self.seed, *what))))

    def next_number(self) -> int:
        self.count += 1
        return self.count

    def plan_at(self, due: datetime, verb: str, **args: Any) -> None:
        heapq.heappush(self.tasks, Task(due, self.next_number(), verb, args))

    def plan_in(self, hours: float, verb: str, **args: Any) -> None:
        self.plan_at(self.clock.now() + timedelta(hours=hours), verb, **args)

    def go_on_until(self, when: datetime) -> None:
        while self.tasks and self.tasks[0].due <= when:
            task = heapq.heappop(self.tasks)
            self.clock.go_to(task.due)
            getattr(self, task.verb)(**task.args)
        self.clock.go_to(when)
