"""The safety rules of checks (DESIGN section 6): what no connection may be opened to, and for whom none is.

Asked when a run is ordered and again before it starts. A rule that forbids answers in words.
"""

from __future__ import annotations

import ipaddress
import socket
from datetime import datetime

from django.conf import settings

from complaints.addresses import address_text
from complaints.attribution import Holding, Question, attribute
from complaints.models import Case, Complaint
from complaints.vocabulary import Answer

MAIL_PORTS = frozenset({25, 26, 465, 587})  # of those below 1024; a mail server of anybody's own stands above


def refusal(
    check: str, address: bytes, *, now: datetime, case: Case | None, consent: bool = False, port: int | None = None
) -> str | None:
    """The safety rule that forbids this check, in words; None when it may run."""
    text = address_text(address)
    if rule := unprepared(check) or unfit_target(check, address, port):
        return rule
    holding = attribute([Question(address=address, port=None, at=now)])[0]
    if holding.answer is Answer.NOT_OURS:
        return f"{text} is not in our networks"
    if holding.answer is Answer.NOBODY:
        return f"{text} is assigned to nobody now"
    reported = Complaint.objects.filter(address=address)
    if case is not None:
        reported = reported.filter(case=case)
    if not consent and not reported.exists():
        return f"nobody complained about {text}, and its holder has not agreed to a check"
    return somebody_elses(check, text, holding, case) if case else None


def unprepared(check: str) -> str | None:
    if check == "relay" and not settings.PROBE_DOMAIN:
        return "no probe mailbox: set ABUSEDESK_PROBE_DOMAIN, without it nothing can be proven"
    if check == "relay" and not settings.HAS_SECRET_KEY:
        return "no secret key: run manage.py make_secret_key, the probes are signed with it"
    if check == "dnsbl" and not settings.DNS_RESOLVERS:
        return "no resolver: set ABUSEDESK_DNS, most lists refuse public resolvers"
    return None


def unfit_target(check: str, address: bytes, port: int | None) -> str | None:
    """What no connection may be opened to, whoever holds it."""
    text, port = address_text(address), settings.RELAY_PORT if port is None else port
    ip = ipaddress.ip_address(text)
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local or (ip.version == 4 and ip.is_reserved):
        return f"{text} is no address of a single host that can be reached from here"
    if check != "relay":
        return None
    if not 1 <= port <= 65535:
        return f"{port} is no port: 1 to 65535"
    if port < 1024 and port not in {*MAIL_PORTS, settings.RELAY_PORT}:
        return f"port {port} is none of mail: {', '.join(map(str, sorted(MAIL_PORTS)))}, or 1024 and above"
    if is_this_machine(ip, port):
        return f"{text} port {port} is this machine itself: it takes mail for the probe mailbox, which proves nothing"
    return None


def is_this_machine(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> bool:
    """One of our listeners; or any port of an address of this machine, where a mail server may feed them.

    Loopback is a whole network, on which others may stand beside us: there only the listeners' ports are ours.
    """
    listening = [host for host, taken in (settings.SMTP_LISTEN, settings.LMTP_LISTEN) if taken == port]
    if ip.is_loopback:
        return any(host in (str(ip), "0.0.0.0", "::") for host in listening)  # noqa: S104 - compared, not bound
    with socket.socket(socket.AF_INET if ip.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(ip), 0))
        except OSError:
            return False
    return True


def somebody_elses(check: str, text: str, holding: Holding, case: Case) -> str | None:
    """A line that changed hands since the complaint would answer for another customer."""
    reference = case.contract.reference
    if holding.answer is Answer.OWNER and holding.contract_id != case.contract_id:
        return f"{text} is held by another contract than {reference} now: its answer would say nothing of this case"
    if holding.answer is not Answer.UNSURE:
        return None
    if reference not in holding.candidates:
        return f"{text} is not held by {reference} now: its answer would say nothing of this case"
    if check == "relay":
        return f"{text} is shared by {len(holding.candidates)} contracts now: a test cannot tell which of them answers"
    return None
