"""The ISP's network as it carries the desk's measures out: what is held, what that stops, and who notices it.

The product's own adapter `command` runs a program for each order; here that program is a line of shell that writes the
order into a file, and the world reads it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from complaints.demo.simulation.abuse import Abuse
from complaints.demo.simulation.population import Kind

ORDERS = "measures.jsonl"
SCRIPT = "measures.sh"
STOPS: dict[str, Callable[[Abuse], bool]] = {
    "limit_25": lambda abuse: abuse.category == "spam",
    "lock_account": lambda abuse: abuse.path == "stolen",
    "quarantine": lambda abuse: True,
    "suspend": lambda abuse: True,
}
AT_HOME = (Kind.HOME, Kind.SHARED)
# How many notice it, in a hundred, and after how many hours: at home, at work. Who is cut off finds the page quickly.
NOTICED = {
    "limit_25": ((0.1, 72.0), (0.7, 12.0)),
    "lock_account": ((0.8, 10.0), (0.8, 10.0)),
    "quarantine": ((0.85, 10.0), (0.95, 4.0)),
    "suspend": ((0.9, 8.0), (0.95, 4.0)),
}


def command_in(folder: Path) -> str:
    """The program for ABUSEDESK_MEASURES_COMMAND: it keeps every order that it is given."""
    script = folder / SCRIPT
    kept = shlex.quote(str(folder / ORDERS))
    script.write_text(f"cat >> {kept} && echo >> {kept}\n")
    return f"/bin/sh {shlex.quote(str(script))}"


class Network:
    """What is held just now, by contract. folder: where the orders are written; None: nobody is connected."""

    def __init__(self, folder: Path | None) -> None:
        self.path = folder / ORDERS if folder else None
        self.read = 0
        self.held: dict[str, set[str]] = {}

    def fresh_orders(self) -> Iterator[dict[str, Any]]:
        """Those since the last call, each carried out."""
        if self.path is None or not self.path.exists():
            return
        lines = self.path.read_text().splitlines()
        for line in filter(None, lines[self.read :]):
            order = json.loads(line)
            held = self.held.setdefault(order["contract"], set())
            (held.discard if order["lift"] else held.add)(order["kind"])
            yield order
        self.read = len(lines)

    def stops(self, contract: str, abuse: Abuse) -> bool:
        return any(STOPS[kind](abuse) for kind in self.held.get(contract, ()))

    def holds(self, contract: str, kind: str) -> bool:
        return kind in self.held.get(contract, ())
