"""What the world does of its own accord when the story is told: pure choices from what it remembers."""

from __future__ import annotations

import random
from typing import Any

from complaints.demo.memory import Memory
from complaints.demo.strays import STRAYS
from complaints.demo.world import World

UNDERWAY_S = 900.0  # a trouble that began longer ago has come to rest somewhere on the desk
REST_S = 240.0
SHORT_REST_S = 120.0  # of those who relapse
BY_HAND = 3
MOST_UNDERWAY = 20
BEGIN_SHARE = 0.6


def wanted_by_hand(world: World, memory: Memory, now: float) -> list[str]:
    """Who begins next, so that always a few relays are repaired and wait for somebody to press the button."""
    waiting = [contract for contract in by_habit(world, "by_hand") if is_underway(memory, contract, now)]
    idle = [contract for contract in by_habit(world, "by_hand") if contract not in waiting]
    idle.sort(key=lambda contract: (memory.solved.get(contract, 0.0), contract))  # the longest rested first
    return idle[: max(0, BY_HAND - len(waiting))]


def next_move(world: World, memory: Memory, rng: random.Random, now: float) -> tuple[str, dict[str, Any]]:
    """A host that rested long enough gets into trouble again, or a stray mail comes."""
    rested = [host.contract for host in world.hosts if is_rested(world, memory, host.contract, now)]
    busy = sum(is_underway(memory, host.contract, now) for host in world.hosts)
    if rested and busy < MOST_UNDERWAY and rng.random() < BEGIN_SHARE:
        return "begin", {"contract": rng.choice(rested)}
    return "stray", {"kind": rng.choice(sorted(STRAYS))}


def by_habit(world: World, habit: str) -> list[str]:
    return [host.contract for host in world.hosts if host.resident.habit == habit]


def is_underway(memory: Memory, contract: str, now: float) -> bool:
    begun = memory.begun.get(contract)
    return begun is not None and now - begun < UNDERWAY_S


def is_rested(world: World, memory: Memory, contract: str, now: float) -> bool:
    habit = world.host_of(contract).resident.habit
    if habit == "by_hand" or is_underway(memory, contract, now):
        return False
    rest = SHORT_REST_S if habit == "relapses" else REST_S
    return now - memory.solved.get(contract, 0.0) >= rest
