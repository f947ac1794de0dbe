"""What the simulated world remembers between two starts: a small file, written whole or not at all."""

from __future__ import annotations

import dataclasses
import heapq
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "world.json"
VERSION = 1


class ForgottenWorld(Exception):
    """The file cannot be used; the text says why and what to do."""


@dataclasses.dataclass(order=True, slots=True)
class Task:
    """Something that will happen. due: epoch seconds. Equal moments keep the order in which they were planned."""

    due: float
    number: int
    verb: str = dataclasses.field(compare=False)
    args: dict[str, Any] = dataclasses.field(compare=False, default_factory=dict)
    tries: int = dataclasses.field(compare=False, default=0)


@dataclasses.dataclass(slots=True)
class Memory:
    """troubled: contracts whose host is in trouble now. begun, solved: when a contract's last story began and ended.
    listed: contracts whose address stands on blacklists now. corrected: former holders whose end was told anew."""

    path: Path | None
    seed: int
    born_at: datetime
    count: int = 0
    started: bool = False
    troubled: set[str] = dataclasses.field(default_factory=set)
    listed: set[str] = dataclasses.field(default_factory=set)
    corrected: set[str] = dataclasses.field(default_factory=set)
    begun: dict[str, float] = dataclasses.field(default_factory=dict)
    solved: dict[str, float] = dataclasses.field(default_factory=dict)
    tasks: list[Task] = dataclasses.field(default_factory=list)

    def next_number(self) -> int:
        self.count += 1
        return self.count

    def plan(self, due: float, verb: str, **args: Any) -> None:
        heapq.heappush(self.tasks, Task(due, self.next_number(), verb, args))

    def has_plan(self, verb: str) -> bool:
        return any(task.verb == verb for task in self.tasks)

    def save(self) -> None:
        """A memory without a path lives as long as its process."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.as_json(), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)

    def as_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "seed": self.seed,
            "born_at": self.born_at.isoformat(),
            "count": self.count,
            "started": self.started,
            "troubled": sorted(self.troubled),
            "listed": sorted(self.listed),
            "corrected": sorted(self.corrected),
            "begun": self.begun,
            "solved": self.solved,
            "tasks": [dataclasses.asdict(task) for task in sorted(self.tasks)],
        }


def recall(folder: Path, *, seed: int, now: datetime) -> Memory:
    """The world of this folder; a new one, born now, where there is none.

    Raises ForgottenWorld when the file is there and cannot be read.
    """
    path = folder / FILE
    try:
        told = json.loads(path.read_text())
    except FileNotFoundError:
        return Memory(path, seed, now.astimezone(UTC).replace(microsecond=0))
    except (OSError, ValueError) as exc:
        raise ForgottenWorld(f"{path} cannot be read ({exc}); delete it, or start afresh with --fresh") from exc
    try:
        return from_json(path, told)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ForgottenWorld(f"{path}: {exc!r} is missing or wrong; delete it, or start afresh with --fresh") from exc


def from_json(path: Path, told: Mapping[str, Any]) -> Memory:
    if told["version"] != VERSION:
        raise ValueError(f"version {told['version']}")
    return Memory(
        path=path,
        seed=told["seed"],
        born_at=datetime.fromisoformat(told["born_at"]),
        count=told["count"],
        started=told["started"],
        troubled=set(told["troubled"]),
        listed=set(told["listed"]),
        corrected=set(told.get("corrected", ())),
        begun=dict(told["begun"]),
        solved=dict(told["solved"]),
        tasks=sorted(Task(**task) for task in told["tasks"]),
    )
