"""Limits on what work may cost, for machines of any speed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

USUAL_S = 0.02  # what a_bit_of_work costs on the machines for which the limits were written


@contextmanager
def cpu_within(limit_s: float) -> Iterator[None]:
    """What is done inside costs less CPU time than `limit_s`, and as much more as this machine is slower."""
    began = time.process_time()
    yield
    spent = time.process_time() - began
    assert spent < limit_s or spent < limit_s * slowness(), f"{spent:.2f} s of CPU time, allowed are {limit_s:g} s"


def slowness() -> float:
    return min(cost_of_a_bit_of_work() for _ in range(3)) / USUAL_S


def cost_of_a_bit_of_work() -> float:
    began = time.process_time()
    words = {str(number): number for number in range(100_000)}
    sum(words[name] for name in sorted(words))
    return time.process_time() - began
