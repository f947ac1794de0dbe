"""Mail that comes to the probe mailbox: proof for its run, a bounce of a probe, or a stray that a human must see."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from email import message_from_bytes
from email.message import Message as Mail

from django.conf import settings
from django.db import transaction
from django.db.models import F

from complaints.checking.outcomes import settle_arrival, settle_bounce
from complaints.checking.setup import probe_secret
from complaints.checks import TOKEN_FIELD, is_return_path, match_probe, nonce_of_probe, token_in, tokens_in
from complaints.models import CheckRun, Message, ProbeArrival, ProbeBounce
from complaints.models.text import storable

log = logging.getLogger(__name__)
UNNAMED = "?"  # the form of a bounce that does not show what it returns
MOST_RECEIVED, LONGEST_RECEIVED = 30, 1000
BY_HAND_OVER = frozenset({Message.Channel.LMTP, Message.Channel.PIPE})  # a mail server of ours stands before us
SENT_BY = re.compile(
    r"\[(?:IPv6:)?([0-9a-f.:]{3,45})\]", re.IGNORECASE
)  # RFC 5321 section 4.4: "from name ([address])"


@dataclasses.dataclass(frozen=True, slots=True)
class Arrivals:
    """cases: ids of those whose runs were decided. strays: messages for the probe mailbox that are no probes."""

    cases: Sequence[int]
    strays: Sequence[Message]


@dataclasses.dataclass(frozen=True, slots=True)
class Probe:
    """What a recipient of ours says: which probe of which run. returns: it was that probe's sender."""

    run: CheckRun
    form: str
    port: int
    token: str
    returns: bool


def is_for_probes(message: Message) -> bool:
    """By the envelope: whatever the headers say, it was sent to the probe mailbox or to the probes' return path."""
    if not settings.PROBE_DOMAIN or not message.envelope_to:
        return False
    return any(domain_of(to) in our_domains() for to in message.envelope_to.splitlines())


def our_domains() -> set[str]:
    found = {settings.PROBE_DOMAIN, f"bounce.{settings.PROBE_DOMAIN}"}
    address = settings.PROBE_ADDRESS
    return found | ({f"[{address}]", f"[ipv6:{address}]"} if address else set())


def domain_of(recipient: str) -> str:
    return recipient.rpartition("@")[2].strip().rstrip(".>").lower()


def record_arrivals(messages: Sequence[Message], *, now: datetime) -> Arrivals:
    """Probes among `messages` prove their runs bad; bounces of probes say that the server returns what it takes."""
    cases, strays = set(), []
    for message in messages:
        mail = message_from_bytes(message.raw)
        probes = [probe for to in recipients_of(message, mail) if (probe := read_probe(to, message.raw))]
        kept = [probe for probe in probes if probe.returns or carries(mail, probe.token)]
        cases |= {record_one(message, mail, probe, now=now) for probe in kept}
        if not kept:
            strays.append(message)
    return Arrivals(sorted(case for case in cases if case is not None), strays)


def recipients_of(message: Message, mail: Mail) -> list[str]:
    """A pipe tells no envelope; then the token that the probe itself carries, which is signed as well."""
    if message.envelope_to:
        return message.envelope_to.splitlines()
    token = mail.get(TOKEN_FIELD)
    return [f"{str(token).strip()}@{settings.PROBE_DOMAIN}"] if token else []


def carries(mail: Mail, token: str) -> bool:
    """Whether this is our mail and not a stranger's, who found the recipient somewhere: its own header names it."""
    return any(
        token_in(str(value)) == token for name in (TOKEN_FIELD, "Message-ID") for value in mail.get_all(name, [])
    )


def read_probe(recipient: str, raw: bytes = b"") -> Probe | None:
    """Which probe was sent to, or from, this recipient; None when we signed no such thing."""
    token = token_in(recipient)
    nonce = nonce_of_probe(token) if token else None
    run = CheckRun.objects.filter(nonce=nonce).first() if nonce else None
    if run is None or token is None or domain_of(recipient) not in our_domains():
        return None
    for port in dict.fromkeys((run.port, *settings.RELAY_MORE_PORTS)):
        signed = (run.nonce, run.address_text, port)
        if is_return_path(probe_secret(), token, *signed):
            named = (match_probe(probe_secret(), each, *signed) for each in tokens_in(raw))
            return Probe(run, next(filter(None, named), UNNAMED), port, token, returns=True)
        if form := match_probe(probe_secret(), token, *signed):
            return Probe(run, form, port, token, returns=False)
    log.warning("%r claims to be a probe of run %s, but its signature is wrong", recipient[:100], run.pk)
    return None


def record_one(message: Message, mail: Mail, probe: Probe, *, now: datetime) -> int | None:
    received = [storable(" ".join(str(line).split()), LONGEST_RECEIVED) for line in mail.get_all("Received", [])]
    peer = handed_over_by(message, received)
    told = {"message": message, "peer": peer, "arrived_at": message.received_at}
    which = {"run": probe.run, "form": probe.form, "port": probe.port}
    with transaction.atomic():
        # Locks the row: whoever writes the run's outcome at this moment comes before or after, and sees the arrival.
        CheckRun.objects.filter(pk=probe.run.pk).update(tries=F("tries"))
        if probe.returns:
            ProbeBounce.objects.get_or_create(**which, defaults=told)
            settle_bounce(probe.run.pk, now=now)
        else:
            told["received"] = received[:MOST_RECEIVED]
            ProbeArrival.objects.get_or_create(**which, defaults=told)
            settle_arrival(probe.run.pk, now=now)
    return probe.run.case_id


def handed_over_by(message: Message, received: Iterable[str]) -> str:
    """The host that brought the mail into our house; our own machines before the listener are looked past."""
    if message.peer and message.peer not in settings.PROBE_HOSTS and message.channel not in BY_HAND_OVER:
        return message.peer
    addresses = (found[1] for line in received if (found := SENT_BY.search(line)))
    return next((address for address in addresses if address not in settings.PROBE_HOSTS), message.peer)
