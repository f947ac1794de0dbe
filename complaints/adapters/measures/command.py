"""A program of the ISP on this machine: the order as JSON on its standard input, the answer in its exit status."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import signal
import subprocess

from complaints.adapters.measures import Config, Order, Refused, TryLater

NAME = "command"
RANK = 30
TIMEOUT_S = 60
LATER = os.EX_TEMPFAIL  # 75, as in sysexits(3)
MOST_WORDS = 500
MOST_BYTES = 64 * 1024


def carry_out(order: Order, config: Config) -> str:
    """Exit 0 is done, 75 is "later", anything else is a no. No shell takes part, so nothing can be slipped in."""
    arguments = shlex.split(config["command"])
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}  # none of our secrets
    try:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except OSError as exc:
        raise Refused(f"{arguments[0]} cannot be run: {exc.strerror}") from None
    try:
        output, _ = process.communicate(json.dumps(dataclasses.asdict(order)).encode(), timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # and what it started
        process.wait()
        raise TryLater(f"{arguments[0]} did not end within {TIMEOUT_S} s") from None
    said = " ".join(output[:MOST_BYTES].decode("utf-8", "replace").split())[:MOST_WORDS]
    if process.returncode == 0:
        return said or "done"
    raise (TryLater if process.returncode == LATER else Refused)(f"exit status {process.returncode}: {said}")
