from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from complaints.intake import TRAIN_FROM, train_dictionary


class Command(BaseCommand):
    help = f"Train a dictionary on the stored mails (from {TRAIN_FROM} on), so that new ones take half the space."
    requires_system_checks = []

    def handle(self, **_options: Any) -> None:
        found = train_dictionary()
        summary = {"dictionary": found.pk, "trained_on": found.trained_on} if found else {"dictionary": None}
        self.stdout.write(json.dumps(summary))
        if not found:
            self.stderr.write(f"no new dictionary: fewer than {TRAIN_FROM} mails, or the present one packs as well")
