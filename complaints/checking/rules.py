"""The safety rules of checks (DESIGN section 6): what no connection may be opened to, and for whom none is.

Asked when a run is ordered and again before it starts, then for a whole batch at once. A rule that forbids answers
in words.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from complaints.addresses import address_text
from complaints.attribution import Holding, Question, attribute
from complaints.checking.opt_outs import OptOuts
from complaints.models import Case, CheckRun, Complaint
from complaints.vocabulary import Answer

MAIL_PORTS = frozenset({25, 26, 465, 587})  # of those below 1024; a mail server of anybody's own stands above
A_DAY = timedelta(days=1)
FEEDS_LAG = timedelta(minutes=10)  # of what happens now no feed of leases has told yet


# How a refusal ends whose address is not the case's alone: is_not_theirs_alone reads it back from the row.
ASSIGNED_TO_NOBODY = "is assigned to nobody now"
SAYS_NOTHING = "its answer would say nothing of this case"


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """One check that somebody wants. consent: the holder of the address agreed to it."""

    check: str
    address: bytes
    port: int | None = None
    case: Case | None = None
    consent: bool = False


def refusal(
    check: str, address: bytes, *, now: datetime, case: Case | None, consent: bool = False, port: int | None = None
) -> str | None:
    """The safety rule that forbids to order this check, in words; None when it may run."""
    rule = refusals([Asked(check, address, port, case, consent)], now=now)[0]
    return rule or tested_enough(check, address, now)


def refusals(asked: Sequence[Asked], *, now: datetime) -> list[str | None]:
    """The rule that forbids each of `asked`, or None, in a few queries for all of them."""
    left_out, reported = OptOuts(), reported_among(asked)
    questions = [Question(address=each.address, port=None, at=now, feeds_lag=FEEDS_LAG) for each in asked]
    return [
        unprepared(each.check)
        or unfit_target(each.check, each.address, each.port)
        or not_in_charge(each, holding)
        or left_out.rule(each.check, each.address)
        or (None if each.consent or is_reported(each, reported) else nobody_complained(each))
        or (somebody_elses(each.check, holding, each.case, each.address) if each.case else None)
        for each, holding in zip(asked, attribute(questions), strict=True)
    ]


def is_not_theirs_alone(reason: str) -> bool:
    """Whether a refusal was because the case's contract does not hold the address any more, or shares it."""
    return reason.endswith((ASSIGNED_TO_NOBODY, SAYS_NOTHING))


def not_in_charge(each: Asked, holding: Holding) -> str | None:
    if holding.answer is Answer.NOT_OURS:
        return f"{address_text(each.address)} is not in our networks"
    if holding.answer is Answer.NOBODY:
        return f"{address_text(each.address)} {ASSIGNED_TO_NOBODY}"
    if each.check == "relay" and holding.answer is Answer.UNSURE and not holding.candidates:
        return f"whose {address_text(each.address)} is cannot be told now"  # a source is away, or it is nobody's alone
    return None


def reported_among(asked: Sequence[Asked]) -> set[tuple[bytes, int | None]]:
    """(address, case) of which there are complaints; (address, None) for complaints of any case or of none."""
    of_cases = [each for each in asked if each.case and not each.consent]
    rows = Complaint.objects.filter(
        address__in={each.address for each in of_cases}, case__in={each.case.pk for each in of_cases if each.case}
    )
    found: set[tuple[bytes, int | None]] = {
        (bytes(address), case) for address, case in rows.order_by().values_list("address", "case").distinct()
    }
    alone = {each.address for each in asked if not each.case and not each.consent}
    found |= {(address, None) for address in alone if Complaint.objects.filter(address=address).exists()}
    return found


def is_reported(each: Asked, reported: set[tuple[bytes, int | None]]) -> bool:
    return (each.address, each.case.pk if each.case else None) in reported


def nobody_complained(each: Asked) -> str:
    return f"nobody complained about {address_text(each.address)}, and its holder has not agreed to a check"


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
    if text in settings.PROBE_HOSTS:
        return f"{text} is one of ABUSEDESK_PROBE_HOSTS: it takes mail for the probe mailbox, which proves nothing"
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


def tested_enough(check: str, address: bytes, now: datetime) -> str | None:
    if check != "relay":
        return None
    recent = CheckRun.objects.filter(check_name=check, address=address, queued_at__gt=now - A_DAY, queued_at__lte=now)
    count = recent.exclude(state=CheckRun.State.REFUSED).count()
    if count < settings.RELAY_PER_DAY:
        return None
    return f"{address_text(address)} was tested {count} times within 24 hours: ABUSEDESK_RELAY_PER_DAY allows no more"


def somebody_elses(check: str, holding: Holding, case: Case, address: bytes) -> str | None:
    """A line that changed hands since the complaint would answer for another customer, a shared address for all."""
    text, reference = address_text(address), case.contract.reference
    if holding.answer is Answer.OWNER and holding.contract_id != case.contract_id:
        return f"{text} is held by another contract than {reference} now: {SAYS_NOTHING}"
    if holding.answer is not Answer.UNSURE:
        return None
    if reference not in holding.candidates:
        return f"{text} is not held by {reference} now: {SAYS_NOTHING}"
    if len(holding.candidates) == 1:  # as far as the feed has told
        return f"whose {text} is cannot be told for certain now" if check == "relay" else None
    shared = f"{text} is shared by {len(holding.candidates)} contracts now"
    return f"{shared}: a test cannot tell which of them answers" if check == "relay" else f"{shared}: {SAYS_NOTHING}"
