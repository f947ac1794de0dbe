from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from complaints.models import User


class Command(BaseCommand):
    help = "Let the next company account with this user name log in: for who has got a new one at the provider."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **_options: Any) -> None:
        if not getattr(settings, "OIDC_URL", ""):
            raise CommandError("no provider of company accounts is set: ABUSEDESK_OIDC_URL names it")
        from complaints.desk.log_in_oidc import forget_company_account  # needs tables that are there with a provider

        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"nobody has the user name {username!r}")
        count = forget_company_account(user)
        self.stdout.write(
            f"{username} was known by {count} company account{'' if count == 1 else 's'}, and by none now"
        )
