from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from complaints.playbooks.documents import BadPlaybook
from complaints.playbooks.loading import SHIPPED, activate_playbook, read_playbook


class Command(BaseCommand):
    help = "Make a playbook file the active version of its name (default: the shipped one); running cases keep theirs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=SHIPPED)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = activate_playbook(read_playbook(options["file"]), now=timezone.now())
        except BadPlaybook as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"{version} is active")
