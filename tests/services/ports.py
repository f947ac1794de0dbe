"""Ports for servers that must know theirs before they start.

Each process that asks has a block of its own, below the range that the kernel gives to outgoing connections. So rows
of tests beside each other never choose the same, and nobody's outgoing connection takes one in between.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator
from functools import cache

FIRST, LAST, BLOCK = 20_000, 32_000, 200


def free_ports(count: int) -> list[int]:
    """`count` ports on which nobody listens, in TCP or UDP, at any address; none of them was given lately."""
    _, ports = claimed_block()
    return list(itertools.islice((port for port in itertools.islice(ports, BLOCK) if is_free(port)), count))


@cache
def claimed_block() -> tuple[socket.socket, Iterator[int]]:
    """The claim is an abstract unix socket (unix(7)): it ends with the process, however that ends."""
    firsts = range(FIRST, LAST, BLOCK)
    start = os.getpid() % len(firsts)
    for first in (*firsts[start:], *firsts[:start]):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            claim.bind(f"\0abusedesk-tests-ports-{first}")
            return claim, itertools.cycle(range(first, first + BLOCK))
        claim.close()
    raise OSError(f"every block of ports from {FIRST} to {LAST} is claimed by some other run of the tests")


def is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True
