import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from complaints import tasks
from complaints.pipeline import process_messages, queue_again


class Command(BaseCommand):
    help = "Read messages shown as unread once more, after a format was mended. Prints a JSON summary."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "messages", nargs="*", type=int, metavar="ID", help="message numbers; none: all that are unread"
        )

    def handle(self, *, messages: list[int], **_options: Any) -> None:
        ids = queue_again(messages or None)
        done = process_messages(ids)
        tasks.wake(tasks.advance_cases, done.cases)
        shown = {"messages": len(ids), "read": done.read, "unread": done.unread, "complaints": done.complaints}
        self.stdout.write(json.dumps(shown | {"cases_opened": done.opened}))
