"""What happens next in the simulated world: tasks of its memory, carried out one after the other, and remembered."""

from __future__ import annotations

import asyncio
import dataclasses
import heapq
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable

from complaints.demo.browser import PageProblem
from complaints.demo.memory import Memory, Task
from complaints.demo.post import NotNow, Refused

log = logging.getLogger(__name__)
MOST_TRIES = 20


class Clockwork:
    """verbs: names of the methods that carry tasks out. pace: what a second of the story lasts; tests live faster."""

    def __init__(self, memory: Memory, verbs: Iterable[str], *, pace: float) -> None:
        self.memory, self.pace = memory, pace
        self.changed = asyncio.Event()
        self.verbs: dict[str, Callable[[Task], Awaitable[None]]] = {name: getattr(self, name) for name in verbs}

    async def go_on(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            self.changed.clear()
            wait_s = max(0.0, self.memory.tasks[0].due - time.time()) if self.memory.tasks else None
            if wait_s == 0:
                await self.do_next()
                continue
            changing = asyncio.create_task(self.changed.wait())
            await asyncio.wait({changing, stopping}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            changing.cancel()
        self.memory.save()

    def catch_up(self, now: float) -> None:
        """What should have happened while nothing ran happens now, not all at once."""
        overdue = [task for task in sorted(self.memory.tasks) if task.due < now]
        for place, task in enumerate(overdue):
            task.due = now + place * self.pace
        heapq.heapify(self.memory.tasks)

    async def do_next(self) -> None:
        """Carry out the next task; it leaves the memory only when it is done."""
        task = self.memory.tasks[0]
        try:
            await self.verbs[task.verb](task)
        except (NotNow, PageProblem) as exc:
            is_final = isinstance(exc, PageProblem) and exc.is_final
            if is_final or task.tries >= MOST_TRIES:
                log.warning("%s given up: %s", task.verb, exc)
            else:
                later = time.time() + min(15.0, 1.0 + task.tries)
                heapq.heappush(self.memory.tasks, dataclasses.replace(task, due=later, tries=task.tries + 1))
        except Refused as exc:
            log.warning("the desk refused a mail: %s", exc)
        self.memory.tasks.remove(task)
        heapq.heapify(self.memory.tasks)
        self.memory.save()

    def plan(self, seconds: float, verb: str, **args: object) -> None:
        self.memory.plan(time.time() + seconds * self.pace, verb, **args)
        self.changed.set()

    def rng(self, number: int) -> random.Random:
        """Chance by the number of the task: a repetition throws the same dice."""
        return random.Random(f"{self.memory.seed}/{number}")
