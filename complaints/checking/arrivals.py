"""Mail that comes to the probe mailbox: proof for its run, or a stray that a human must see."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes

from django.conf import settings
from django.db import transaction
from django.db.models import F

from complaints.checking.outcomes import settle_arrival
from complaints.checking.setup import probe_secret
from complaints.checks import match_probe, match_return_path, nonce_of_probe, token_in
from complaints.models import CheckRun, Message, ProbeArrival

RETURN_PATH = "return-path"
log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Arrivals:
    """cases: ids of those whose runs are proven bad. strays: messages for the probe mailbox that are no probes."""

    cases: Sequence[int]
    strays: Sequence[Message]


def record_arrivals(messages: Sequence[Message], *, now: datetime) -> Arrivals:
    """Probes among `messages` prove their runs bad."""
    cases, strays = set(), []
    for message in messages:
        probes = [probe for to in recipients_of(message) if (probe := read_probe(to))]
        cases |= {record_arrival(message, run, form, now=now) for run, form in probes if form != RETURN_PATH}
        if not probes:
            strays.append(message)
    return Arrivals(sorted(case for case in cases if case is not None), strays)


def recipients_of(message: Message) -> list[str]:
    """A pipe tells no envelope; then the token that the probe itself carries, which is signed as well."""
    if message.envelope_to:
        return message.envelope_to.splitlines()
    token = message_from_bytes(message.raw).get("X-Relay-Check-Token")
    return [f"{str(token).strip()}@{settings.PROBE_DOMAIN}"] if token else []


def read_probe(recipient: str) -> tuple[CheckRun, str] | None:
    """The run and the form whose probe has this recipient; the form is RETURN_PATH for the sender we gave it."""
    token, domain = token_in(recipient), recipient.rpartition("@")[2]
    nonce = nonce_of_probe(token) if token else None
    run = CheckRun.objects.filter(nonce=nonce).first() if nonce else None
    if run is None or token is None or domain.lower() != settings.PROBE_DOMAIN:
        return None
    signed = (probe_secret(), token, run.nonce, run.address_text, run.port)
    form = RETURN_PATH if match_return_path(*signed) else match_probe(*signed)
    if form is None:
        log.warning("%r claims to be a probe of run %s, but its signature is wrong", recipient[:100], run.pk)
        return None
    return run, form


def record_arrival(message: Message, run: CheckRun, form: str, *, now: datetime) -> int | None:
    with transaction.atomic():
        # Locks the row: whoever writes the run's outcome at this moment comes before or after, and sees the arrival.
        CheckRun.objects.filter(pk=run.pk).update(tries=F("tries"))
        ProbeArrival.objects.get_or_create(
            run=run, form=form, defaults={"message": message, "peer": message.peer, "arrived_at": message.received_at}
        )
        settle_arrival(run.pk, now=now)
    return run.case_id
