"""The simulated ISP as plain data with a known truth: networks, contracts, lines with their history, and hosts. Pure.

The same seed and birth give the same world. Our addresses are loopback ones, so that every host can really listen;
IPv6 lines have ended before the story begins, because nothing on loopback could answer for them.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import ipaddress
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from complaints.demo.people import BRANDS, HOME_BRAND, PRODUCTS, RESIDENTS, Resident

SEED = 77
NETWORKS = (("127.77.0.0/16", "Lines of the demo"), ("2001:db8:77::/48", "IPv6 lines of the demo"))
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
LEASE = timedelta(hours=26)  # how long before the birth of the world the shared leases changed hands
TOLD_LATE = timedelta(hours=5)
SHARED_ADDRESS = "127.77.64.1"
PORTS_EACH = 4096
UNASSIGNED = "127.77.200.9"


@dataclasses.dataclass(frozen=True, slots=True)
class Trouble:
    """behaviour: of the mail server while it lasts (smtp_hosts.BEHAVIOURS); None: there is no server.

    path: the way of its spam (spam.py). listed: what blacklists come to say of the address; "" is nothing.
    """

    behaviour: str | None
    path: str
    listed: str
    begins: str
    healthy: str | None = "closed"


TROUBLES = {
    "open_relay": Trouble("open", "relay", "spam-source", "relay at {address} begins to send spam"),
    "percent_relay": Trouble("open_percent", "relay", "spam-source", "server at {address} relays by percent form"),
    "bot": Trouble(None, "bot", "bot", "line {address} catches a bot", healthy=None),
    "forged": Trouble("closed", "relay", "", "server at {address} is wrongly accused by forged lines"),
    "sink": Trouble("accept_and_drop", "relay", "", "server at {address} takes every mail and delivers none"),
    "greylist": Trouble("greylist", "relay", "", "server at {address} puts strangers off (greylisting)"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """A contract's hold on a prefix. Ports only where the address is shared."""

    contract: str
    prefix: str
    kind: str
    valid_from: datetime = LONG_AGO
    valid_until: datetime | None = None
    port_first: int | None = None
    port_last: int | None = None

    def holds(self, address: str, at: datetime, port: int | None) -> bool:
        if ipaddress.ip_address(address) not in ipaddress.ip_network(self.prefix):
            return False
        if at < self.valid_from or (self.valid_until and at >= self.valid_until):
            return False
        if self.port_first is None or self.port_last is None:
            return True
        return port is not None and self.port_first <= port <= self.port_last


@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    """What stands at a line. port: the one its mail leaves from, where the address is shared."""

    resident: Resident
    address: str
    name: str
    port: int | None = None

    @property
    def contract(self) -> str:
        return self.resident.contract

    @property
    def trouble(self) -> Trouble:
        return TROUBLES[self.resident.trouble]


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    residents: Sequence[Resident]
    lines: Sequence[Line]
    hosts: Sequence[Host]
    networks: Sequence[tuple[str, str]] = NETWORKS

    def host_of(self, contract: str) -> Host:
        return next(host for host in self.hosts if host.contract == contract)

    def reader_of(self, email: str) -> Resident | None:
        return next((each for each in self.residents if each.email == email.lower()), None)

    def holder(self, address: str, at: datetime, port: int | None = None) -> str | None:
        """The truth: the contract that held the address at that moment; None: nobody, or it cannot be known."""
        return next((line.contract for line in self.lines if line.holds(address, at, port)), None)


def build_world(seed: int = SEED, *, born_at: datetime, residents: Sequence[Resident] = RESIDENTS) -> World:
    rng = random.Random(seed)
    static, homes = iter(rng.sample(range(10, 250), 60)), iter(rng.sample(range(10, 250), 60))
    lines: list[Line] = []
    hosts: list[Host] = []
    shared = 0
    for resident in residents:
        match resident.line:
            case "static":
                line = Line(resident.contract, f"127.77.0.{next(static)}/32", "static")
            case "cgnat":
                first = 1024 + PORTS_EACH * shared
                shared += 1
                line = Line(resident.contract, f"{SHARED_ADDRESS}/32", "cgnat", LONG_AGO, None,
                            first, first + PORTS_EACH - 1)  # fmt: skip
            case "six":
                line = Line(resident.contract, f"2001:db8:77:{next(homes):x}::/64", "lease", LONG_AGO, born_at - LEASE)
            case _:
                line = Line(resident.contract, f"127.77.40.{next(homes)}/32", "lease", LONG_AGO)
        lines.append(line)
        if resident.trouble:
            hosts.append(host_at(line, resident, rng))
    return World(residents, tuple(with_history(lines, residents, born_at)), tuple(hosts))


def with_history(lines: Sequence[Line], residents: Sequence[Resident], born_at: datetime) -> list[Line]:
    """Each `former` resident held, until a day before the birth, the address of a neighbour with nothing wrong."""
    change = born_at - LEASE
    quiet = [each.contract for each in residents if each.line == "lease" and not each.trouble]
    former = [each.contract for each in residents if each.line == "former"]
    heirs = {line.contract: line for line in lines if line.contract in quiet}
    found = [line for line in lines if line.contract not in quiet and line.contract not in former]
    for before, after in zip(former, quiet, strict=True):
        prefix = heirs[after].prefix
        found += [
            Line(before, prefix, "lease", LONG_AGO, change),
            Line(after, prefix, "lease", change + timedelta(minutes=5)),
        ]
    return found


def corrected(world: World, former: str) -> tuple[World, list[Line]]:
    """As it really was: the line changed hands some hours before it was told. And the two lines that say so."""
    was = next(line for line in world.lines if line.contract == former)
    heir = next(line for line in world.lines if line.prefix == was.prefix and line.contract != former)
    assert was.valid_until is not None
    change = was.valid_until - TOLD_LATE
    right = {
        was: dataclasses.replace(was, valid_until=change),
        heir: dataclasses.replace(heir, valid_from=change),
    }
    lines = tuple(right.get(line, line) for line in world.lines)
    return dataclasses.replace(world, lines=lines), list(right.values())


def host_at(line: Line, resident: Resident, rng: random.Random) -> Host:
    address = line.prefix.partition("/")[0]
    port = rng.randint(line.port_first, line.port_last) if line.port_first and line.port_last else None
    is_server = TROUBLES[resident.trouble].behaviour is not None
    name = f"mail.{resident.email.rpartition('@')[2]}" if is_server else f"dyn-{address.replace('.', '-')}.isp.example"
    return Host(resident, address, name, port)


CSV_COLUMNS = {
    "networks": "prefix,name",
    "contracts": "contract,customer,customer_name,product,brand,contact_name,contact_email,contact_role,language",
    "assignments": "contract,prefix,kind,valid_from,valid_until,port_first,port_last",
}


def csv_of(world: World) -> dict[str, str]:
    """The master data as the ISP's own systems would export it: text of a file each, by kind."""
    rows: dict[str, list[Sequence[object]]] = {
        "networks": list(world.networks),
        "contracts": [
            (r.contract, r.customer, r.name, PRODUCTS[r.line], BRANDS.get(r.line, HOME_BRAND), *contact_of(r))
            for r in world.residents
        ],
    }
    found = {kind: csv_text([CSV_COLUMNS[kind].split(","), *rows[kind]]) for kind in rows}
    return found | {"assignments": lines_csv(world.lines)}


def lines_csv(lines: Iterable[Line]) -> str:
    rows = [
        (
            line.contract,
            line.prefix,
            line.kind,
            line.valid_from.isoformat(),
            line.valid_until.isoformat() if line.valid_until else "",
            "" if line.port_first is None else line.port_first,
            "" if line.port_last is None else line.port_last,
        )
        for line in lines
    ]
    return csv_text([CSV_COLUMNS["assignments"].split(","), *rows])


def contact_of(resident: Resident) -> tuple[str, ...]:
    return (resident.contact, resident.email, "holder", "en") if resident.email else ("", "", "", "")


def csv_text(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
