"""Whose is a claimed row? A claim names the machine and the process, so that a dead worker's rows are free at once.

Where that cannot be told (another machine, another container), a claim simply grows old.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)
T = TypeVar("T")
PAUSES_S = (0.5, 1, 2, 5, 10, 20)


def new_claim() -> str:
    """At most 32 characters, never the same twice: machine-process-chance."""
    return f"{this_machine()}-{os.getpid()}-{secrets.token_hex(6)}"


def dead_claims(claims: Iterable[str]) -> set[str]:
    """Those of `claims` whose process ran here and is gone."""
    return {claim for claim in claims if is_dead(claim)}


def is_dead(claim: str) -> bool:
    machine, _, rest = claim.partition("-")
    pid = rest.partition("-")[0]
    if machine != this_machine() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's process: it lives
        return False
    return is_zombie(int(pid))


def is_zombie(pid: int) -> bool:
    """A killed child that its parent has not yet collected does nothing any more."""
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as stat:
        return stat.read().rpartition(b")")[2].split()[0] == b"Z"
    return False


@lru_cache(maxsize=1)
def this_machine() -> str:
    """Host name and process namespace: containers of one host do not see each other's processes."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return hashlib.sha256(f"{socket.gethostname()} {namespace}".encode()).hexdigest()[:8]


def insist(write: Callable[[], T]) -> T:
    """Do `write`, again and again while the database is away, for some 40 seconds; then its error is raised.

    For what ends a claim: the claim of a process that lives on is freed by nobody else until it has grown old.
    """
    for pause_s in PAUSES_S:
        try:
            return write()
        except (OperationalError, InterfaceError) as exc:
            if connection.in_atomic_block:  # nothing more can be written before the rollback
                raise
            log.warning("the database is away, trying again in %g s: %s", pause_s, exc)
            connection.close()
            time.sleep(pause_s)
    return write()
