"""What a new desk still lacks before it can work: shown where its first case will stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from complaints.desk.rights import can
from complaints.desk.roles import Can
from complaints.desk.words import Word
from complaints.models import Assignment, Case, Contact, Message, Network, User

DONE, TO_DO = Word("done", "good"), Word("to do", "warn")


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """how: the command or the setting that does it."""

    title: str
    done: bool
    why: str
    how: str

    @property
    def word(self) -> Word:
        return DONE if self.done else TO_DO


def first_steps(user: User | AnonymousUser) -> list[Step]:
    """Nothing once all is done, or a case was ever opened; nothing for those who may not see the whole network."""
    if not can(user, Can.SEE_NETWORK) or Case.objects.exists():
        return []
    steps = list(all_steps())
    return [] if all(step.done for step in steps) else steps


def all_steps() -> Iterator[Step]:
    host, port = settings.LMTP_LISTEN
    yield Step(
        "Your networks",
        Network.objects.exists(),
        "Complaints about other addresses are not ours, and nothing outside is ever tested.",
        "manage.py import_networks networks.csv",
    )
    yield Step(
        "Contracts and whom to write to",
        Contact.objects.exists(),
        "A case without a contact can tell nobody.",
        "manage.py import_contracts contracts.csv",
    )
    yield Step(
        "Who held which address, and when",
        Assignment.objects.exists(),
        "Fixed lines from a file, leases and shared addresses from your systems’ logs.",
        "manage.py import_assignments assignments.csv",
    )
    yield Step(
        "Complaints",
        Message.objects.exists(),
        f"Let your mail server hand {settings.DESK_EMAIL} to {host} port {port} by LMTP, or try one that you have.",
        "manage.py receive_mail --wait complaint.eml",
    )
    yield Step(
        "Proof of open relays",
        bool(settings.PROBE_DOMAIN),
        "Only a test mail that comes back to a domain of ours proves one.",
        "ABUSEDESK_PROBE_DOMAIN=probe.isp.example",
    )
    yield Step(
        "Who is who among reporters", bool(settings.AUTHSERV_ID),
        "Your mail server’s word on DKIM and SPF: without it no reporter counts as known.",
        "ABUSEDESK_AUTHSERV_ID=mx.isp.example",
    )  # fmt: skip
