from typing import Any

from django.core.management.base import BaseCommand

from complaints.models import User


class Command(BaseCommand):
    help = "Delete the demo's log-ins, whose passwords are public. A production start asks for it."

    def handle(self, *args: Any, **options: Any) -> None:
        count, _ = User.objects.filter(is_demo=True).delete()
        self.stdout.write(f"{count} rows deleted")
