"""What `manage.py run_smtp` and `manage.py run_lmtp` share."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from abusedesk.environment import parse_host_port
from complaints.listeners.server import Listener, serve
from complaints.listeners.sessions import DeskSMTP


def host_port(text: str) -> tuple[str, int]:
    try:
        return parse_host_port(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is not host:port, as 127.0.0.1:8025 or [::1]:8025: {exc}") from None


def wake_readers(ids: list[int]) -> None:
    from complaints import tasks

    tasks.wake(tasks.process_messages, ids)


class ListenerCommand(BaseCommand):
    requires_system_checks = []
    session_class: type[DeskSMTP]
    setting: str

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--listen", type=host_port, metavar="HOST:PORT", help=f"instead of ABUSEDESK_{self.setting}"
        )

    def handle(self, *, listen: tuple[str, int] | None, **_options: Any) -> None:
        host, port = listen or getattr(settings, self.setting)
        listener = Listener(self.session_class, wake_readers, max_bytes=settings.MAX_MESSAGE_BYTES)
        try:
            asyncio.run(serve(listener, host, port))
        except OSError as exc:
            raise CommandError(
                f"cannot listen on {host} port {port}: {exc.strerror or exc}. "
                f"Free it, or choose another by ABUSEDESK_{self.setting} or --listen."
            ) from exc
