"""Who answers port 25 of an address of ours just now: the mail server of whoever holds it, in the state it is in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from complaints.demo.simulation.network import Serve
from complaints.demo.simulation.population import Customer, Kind, name_of, weighted
from complaints.demo.smtp_behaviours import Envelope
from complaints.demo.smtp_hosts import MailServer
from complaints.intake import Arrival

if TYPE_CHECKING:
    from complaints.demo.simulation.world import World

# Servers with nothing wrong, of a hundred: some make it hard to see.
HEALTHY = {"closed": 86, "greylist": 8, "banner_554": 3, "accept_and_drop": 1, "tarpit": 1, "auth_required": 1}
FILTERED = 0.7  # of the homes: nothing answers; at the others the connection is refused
QUEUES = {"none": 85, "busy": 12, "stuck": 3}
QUEUED_S = {"busy": 240.0, "stuck": 1500.0}  # until a relayed mail leaves the server


class CustomersServer(MailServer):
    """What it relays for the tester reaches the probe mailbox a little later."""

    def __init__(self, world: World, address: str, name: str) -> None:
        super().__init__(address, "closed", name)
        self.world = world

    def hand_on(self, envelope: Envelope) -> None:
        holder = self.world.book.holder(self.address, self.world.clock.now(), None)
        if holder and any(self.world.network.holds(holder, kind) for kind in ("limit_25", "quarantine", "suspend")):
            return  # nothing leaves that line
        to = tuple(envelope.recipients)
        arrival = Arrival(envelope.data, "smtp", self.address, envelope.sender or "", to)
        seconds = QUEUED_S.get(weighted(QUEUES, self.world.dice("queue", self.name)), 2.0)
        due_s = asyncio.get_running_loop().time() + seconds
        self.world.mailbag.post_probe(arrival, due_s)


class Servers:
    """Servers are made when somebody connects, and keep their memory (greylisting) afterwards."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.made: dict[tuple[str, str], CustomersServer] = {}

    def at(self, address: str, port: int) -> Serve | None:
        """Raises ConnectionRefusedError where a machine is and no server; None where packets are lost."""
        world = self.world
        customer = world.by_contract.get(world.book.holder(address, world.clock.now(), None) or "")
        if customer is None or port != 25:
            return None
        if customer.kind is Kind.HOME:
            if world.dice("firewall", customer.contract).random() < FILTERED:
                return None
            raise ConnectionRefusedError(111, "refused")
        server = self.server_of(customer, address)
        server.behaviour = self.behaviour_of(customer, address)
        server.accepted.clear()
        return server.serve

    def server_of(self, customer: Customer, address: str) -> CustomersServer:
        key = (customer.contract, address)
        if key not in self.made:
            self.made[key] = CustomersServer(self.world, address, name_of(customer, address))
        return self.made[key]

    def behaviour_of(self, customer: Customer, address: str) -> str:
        trouble = self.world.trouble_of(customer.contract)
        if trouble and trouble.look.server and self.world.machine_of(trouble) == address:
            return (trouble.look.half_server if trouble.halves else None) or trouble.look.server
        return weighted(HEALTHY, self.world.dice("server", customer.contract, address))
