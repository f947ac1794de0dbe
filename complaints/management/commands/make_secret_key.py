from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from abusedesk.start import make_secret_key


class Command(BaseCommand):
    help = "Make the secret key that links and probes are signed with, once, in the data directory."

    def handle(self, *args: Any, **options: Any) -> None:
        made = make_secret_key()
        self.stdout.write(f"{settings.KEY_FILE} made" if made else "there is a key already; nothing changed")
