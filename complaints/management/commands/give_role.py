from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from complaints.desk.people import give_role
from complaints.desk.roles import Role
from complaints.models import User


class Command(BaseCommand):
    help = "Give somebody a role at the desk, in place of the one they have. What each may do: docs/access.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("role", choices=[role.value for role in Role])

    def handle(self, *, username: str, role: str, **_options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"nobody has the user name {username!r}")
        give_role(user, role)
        self.stdout.write(f"{username} is {role}")
