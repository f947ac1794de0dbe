from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from complaints.demo.life import Desk, Life
from complaints.demo.memory import ForgottenWorld, recall
from complaints.demo.places import Places, PlaceTaken, mailbox_place
from complaints.demo.seed import world_of
from complaints.demo.world import SEED


class Command(BaseCommand):
    help = "The simulated ISP around the desk: hosts, blacklists, mailboxes, reporters, customers. Demo mode only."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("demo_world belongs to the demo: it needs ABUSEDESK_DEMO=1 (script/demo)")
        try:
            asyncio.run(live())
        except (ForgottenWorld, PlaceTaken) as exc:
            raise CommandError(str(exc)) from exc


def tell_the_story() -> None:
    """What happens in the simulated world is read by newcomers: the clock and the sentence, nothing else."""
    story = logging.StreamHandler(sys.stderr)
    story.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    told = logging.getLogger("complaints.demo")
    told.handlers, told.propagate = [story], False


async def live() -> None:
    """Until SIGTERM or Ctrl-C. Raises ForgottenWorld, PlaceTaken."""
    stop = asyncio.Event()
    tell_the_story()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    memory = recall(settings.DATA_DIR, seed=SEED, now=timezone.now())
    world = world_of(memory)
    life = Life(world, memory, Desk(settings.BASE_URL, settings.SMTP_LISTEN, settings.DESK_EMAIL))
    places = Places(
        world,
        relay_port=settings.RELAY_PORT,
        next_server=settings.SMTP_LISTEN,
        dns=settings.DNS_RESOLVERS[0],
        mailbox=mailbox_place(),
        on_mail=life.receive,
    )
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(places)
        await life.live(places, stop)
