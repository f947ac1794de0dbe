"""The demo's master data, log-ins and playbook: brought in by the product's own verbs, as often as you like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from complaints.attribution.importing import Summary, import_assignments, import_contracts, import_networks
from complaints.demo.memory import Memory, recall
from complaints.demo.past import bring_past
from complaints.demo.playbook import demo_playbooks
from complaints.demo.set_up import set_up_desk
from complaints.demo.world import SEED, World, build_world, corrected, csv_of
from complaints.desk.people import give_role
from complaints.desk.roles import Role
from complaints.models import Reporter, User
from complaints.playbooks.loading import activate_playbook

PASSWORD = "demo"  # noqa: S105 - public on purpose; a production start refuses accounts that are marked is_demo
ACCOUNTS = (
    ("ada", "Ada", "Analyst", Role.ANALYST),
    ("bruno", "Bruno", "Senior", Role.SENIOR),
    ("carla", "Carla", "Supervisor", Role.SUPERVISOR),
    ("dora", "Dora", "Administrator", Role.ADMINISTRATOR),
    ("olga", "Olga", "Auditor", Role.AUDITOR),
)
TRUSTED = ("lena@studio-hoff.example",)  # a person: asked by machine for what she leaves out
IMPORTS: dict[str, Callable[..., Summary]] = {
    "networks": import_networks,
    "contracts": import_contracts,
    "assignments": import_assignments,
}


class NotADemo(Exception):
    """Refused: demo accounts have a public password and must not get into a real database."""


def seed_demo(now: datetime, *, folder: Path | None = None) -> World:
    """Everything the demo starts with. The second time changes nothing.

    Raises NotADemo outside demo mode.
    """
    if not settings.DEMO:
        raise NotADemo("ABUSEDESK_DEMO is not set")
    memory = recall(folder or settings.DATA_DIR, seed=SEED, now=now)
    memory.save()
    world = world_of(memory)
    import_world(world)
    seed_accounts()
    vouch_for(TRUSTED, now=now)
    set_up_desk(world, born_at=memory.born_at, now=now)
    bring_past(born_at=memory.born_at)
    for document in demo_playbooks():
        activate_playbook(document, now=now)
    return world


def world_of(memory: Memory) -> World:
    """As it is remembered: with what was corrected since its birth."""
    world = build_world(memory.seed, born_at=memory.born_at)
    for former in sorted(memory.corrected):
        world, _ = corrected(world, former)
    return world


def import_world(world: World) -> None:
    """As the ISP's own systems would export it. Raises ImportRefused."""
    for kind, text in csv_of(world).items():
        IMPORTS[kind](text.splitlines(keepends=True), name=f"demo {kind}.csv")


def vouch_for(addresses: Sequence[str], *, now: datetime) -> None:
    """As an analyst would who knows them; their own mail server proves nothing here."""
    for address in addresses:
        found: dict[str, Any] = {"authenticated": True}
        Reporter.objects.update_or_create(
            address=address, defaults=found, create_defaults=found | {"first_seen_at": now}
        )


def seed_accounts() -> None:
    for username, first, last, role in ACCOUNTS:
        with transaction.atomic():
            user, is_new = User.objects.get_or_create(
                username=username,
                defaults={"first_name": first, "last_name": last, "is_demo": True},
            )
            if is_new:
                user.set_password(PASSWORD)
                user.save(update_fields=["password"])
            give_role(user, role)
