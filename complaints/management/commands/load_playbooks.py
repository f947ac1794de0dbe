from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from complaints.models import PlaybookVersion
from complaints.playbooks.actions import load_actions
from complaints.playbooks.documents import BadPlaybook, parse_steps
from complaints.playbooks.loading import SHIPPED, activate_playbook, active_playbooks
from complaints.playbooks.parameters import suspends
from complaints.playbooks.versions import NotNow, checked, make_draft
from complaints.playbooks.yaml_text import read_yaml, write_yaml
from complaints.registry import by_name

ACTOR = "command line"


class Command(BaseCommand):
    help = "Make playbook files the active versions of their names (default: those shipped). Running cases keep theirs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE.yaml")
        parser.add_argument("--draft", action="store_true", help="Only as drafts: the desk looks at them first.")
        parser.add_argument("--export", type=Path, metavar="DIR", help="Write the active playbooks there, and stop.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["export"]:
            return self.export(options["export"])
        documents = [read(path) for path in options["files"] or sorted(SHIPPED.glob("*.yaml"))]
        for document in documents:
            self.load(document, as_draft=options["draft"])

    def load(self, document: dict[str, Any], *, as_draft: bool) -> None:
        alone = any(suspends(step) for step in parse_steps(document, by_name(load_actions())))
        if not as_draft and not alone:
            self.stdout.write(f"{activate_playbook(document, now=timezone.now())} is active")
            return
        try:
            version = make_draft(document, actor=ACTOR, now=timezone.now())
        except NotNow as exc:
            raise CommandError(str(exc)) from exc
        why = "it suspends, so a second person must agree" if alone else "activate it"
        self.stdout.write(f"{version} is a draft: {why} on the desk's page of playbooks")

    def export(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for version in active_playbooks():
                path = folder / f"{file_name(version)}.yaml"
                path.write_text(write_yaml(version.document), encoding="utf-8")
                self.stdout.write(f"{version} is in {path}")
        except OSError as exc:
            raise CommandError(str(exc)) from exc


def read(path: Path) -> dict[str, Any]:
    try:
        return read_yaml(path.read_bytes(), checked)
    except (OSError, BadPlaybook) as exc:
        raise CommandError(f"{path}: {exc}") from exc


def file_name(version: PlaybookVersion) -> str:
    """Of letters and digits only: a name is anybody's text."""
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in version.name)
