from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from complaints.desk.people import reset_second_factor
from complaints.models import User


class Command(BaseCommand):
    help = "Take somebody's second factor away and log them out everywhere: for who lost phone, key and recovery codes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **_options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"nobody has the user name {username!r}")
        reset_second_factor(user)
        self.stdout.write(f"{username} sets up a new second factor at the next log-in")
