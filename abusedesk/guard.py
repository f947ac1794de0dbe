"""A small process beside the launcher that outlives it, and takes the children's children along.

The kernel kills the launcher's children with it, but not what those have started: gunicorn's workers
would hold the port, and the next start would find it busy. The guard is told the process group of
each child; when its input ends, the launcher is gone, and it kills the groups that are left.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress

NONE = 0  # in place of a group: that child has ended


class Guard:
    def __init__(self) -> None:
        # -I -S: nothing of the environment and no packages, so that it is small and starts at once.
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            process_group=0,
        )

    def watch(self, number: int, group: int) -> None:
        """Child `number` of the tree now leads `group`. To be called with NONE before it is reaped."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # somebody ended the guard; the tree runs on without
            self.process.stdin.write(b"%d %d\n" % (number, group))
            self.process.stdin.flush()

    def close(self) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


def last_groups(lines: Iterable[str]) -> list[int]:
    """What `watch` said last of each child, without those that have ended."""
    groups: dict[str, int] = {}
    for line in lines:
        number, _, group = line.partition(" ")
        groups[number] = int(group)
    return [group for group in groups.values() if group != NONE]


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the launcher, never before
    for group in last_groups(sys.stdin):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
