from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from complaints.playbooks.documents import BadPlaybook
from complaints.playbooks.loading import SHIPPED, activate_playbook, read_playbook


class Command(BaseCommand):
    help = "Make playbook files the active versions of their names (default: those shipped). Running cases keep theirs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE.yaml")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            documents = [read_playbook(path) for path in options["files"] or sorted(SHIPPED.glob("*.yaml"))]
        except BadPlaybook as exc:
            raise CommandError(str(exc)) from exc
        for document in documents:
            self.stdout.write(f"{activate_playbook(document, now=timezone.now())} is active")
