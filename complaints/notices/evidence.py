"""What the checks found, cut down to what the customer may see and can use.

Never in it: who complained, what they received, spam trap addresses, the whole recipient of a probe.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from complaints.models import Case, CheckRun
from complaints.vocabulary import Verdict

MAX_LINES = 8
PROBE = re.compile(r"\b(probe-[a-z0-9]{4})[a-z0-9]{4,28}-[a-z2-7]{16}\b", re.IGNORECASE)
MAILBOX = re.compile(r"[^\s<>\"'(),;:@…]+@(?=[\w.\[])")
OUR_SENDERS = ("relaycheck@", "postmaster@")
SAID_BY_US = ">"


@dataclasses.dataclass(frozen=True, slots=True)
class RelayProof:
    """An open relay, proven by a test mail that came back. `peer`: who delivered it, where it was another host."""

    at: datetime
    address: str
    lines: tuple[str, ...]
    forms: tuple[str, ...]
    peer: str


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    name: str
    meaning: str
    delisting: str
    how: str


@dataclasses.dataclass(frozen=True, slots=True)
class Blacklists:
    """What the last look at the blacklists gave. `silent`: lists that gave no usable answer, so unknown."""

    at: datetime
    listed: tuple[Listing, ...]
    silent: tuple[str, ...]
    asked: int


def relay_proof(case: Case) -> RelayProof | None:
    run = case.checks.filter(check_name="relay", verdict=Verdict.BAD).order_by("-finished_at", "-pk").first()
    if run is None:
        return None
    arrivals = list(run.arrivals.order_by("arrived_at", "pk"))
    proven = [arrival.form for arrival in arrivals] or forms_accepted(run.details)
    return RelayProof(
        at=run.finished_at or run.queued_at,
        address=run.address_text,
        lines=transcript_extract(run.details, proven[0] if proven else None),
        forms=tuple(dict.fromkeys(proven)),
        peer=other_host(arrivals[0].peer, run.address_text) if arrivals else "",
    )


def other_host(peer: str, address: str) -> str:
    """The address in "192.0.2.1", "192.0.2.1:25" or "[2001:db8::1]:25"; empty when it is `address` or none at all."""
    for text in (peer, peer.rpartition(":")[0].strip("[]")):
        try:
            found = str(ipaddress.ip_address(text))
        except ValueError:
            continue
        return "" if found == address else found
    return ""


def blacklists(case: Case) -> Blacklists | None:
    """From the newest finished look at each address of the case; None before the first one."""
    newest: dict[bytes, CheckRun] = {}
    for run in case.checks.filter(check_name="dnsbl", state=CheckRun.State.DONE).order_by("-finished_at", "-pk")[:50]:
        newest.setdefault(bytes(run.address), run)
    if not newest:
        return None
    lists = [entry for run in newest.values() for entry in run.details.get("lists", ()) if isinstance(entry, Mapping)]
    listed = {listing(entry): None for entry in lists if entry.get("status") == "listed"}
    silent = {str(entry.get("list", "")): None for entry in lists if entry.get("status") == "unknown"}
    return Blacklists(
        at=max(run.finished_at or run.queued_at for run in newest.values()),
        listed=tuple(listed),
        silent=tuple(silent),
        asked=len({entry.get("list") for entry in lists}),
    )


def listing(entry: Mapping[str, Any]) -> Listing:
    link = str(entry.get("delisting") or "")
    return Listing(
        name=str(entry.get("list") or entry.get("zone") or ""),
        meaning=str(entry.get("meaning") or ""),
        delisting=link if link.startswith(("https://", "http://")) else "",
        how=str(entry.get("how") or ""),
    )


def forms_accepted(details: Mapping[str, Any]) -> list[str]:
    return [str(form["form"]) for form in details.get("forms", ()) if form.get("accepted")]


def transcript_extract(details: Mapping[str, Any], form: str | None, limit: int = MAX_LINES) -> tuple[str, ...]:
    """The part of the conversation where `form` was accepted, from MAIL FROM on, at most `limit` lines."""
    said = [(str(entry.get("dir", "")), str(entry.get("text", ""))) for entry in details.get("transcript", ())]
    attempt: Mapping[str, Any] = next((each for each in details.get("forms", ()) if each.get("form") == form), {})
    start = start_of(said, str(attempt.get("recipient") or ""))
    return tuple(shown_line(direction, text) for direction, text in said[start : start + limit])


def start_of(said: Sequence[tuple[str, str]], recipient: str) -> int:
    """Index of the MAIL FROM that belongs to `recipient`, the last time it was offered: then a message was sent.

    Of the first MAIL FROM when `recipient` is unknown.
    """
    start = first = found = None
    for index, (direction, text) in enumerate(said):
        if direction != SAID_BY_US:
            continue
        if text.upper().startswith("MAIL FROM:"):
            start, first = index, index if first is None else first
        elif recipient and text.upper().startswith("RCPT TO:") and recipient in text and start is not None:
            found = start
    return found if found is not None else first or 0


def shown_line(direction: str, text: str) -> str:
    """One line of the conversation: what we said is marked, tokens are shortened, foreign mailboxes hidden."""
    text = PROBE.sub(r"\1…", " ".join(text.split()))
    if direction == SAID_BY_US:
        return f"> {text}"
    return MAILBOX.sub(lambda found: found[0] if found[0] in OUR_SENDERS else "…@", text)
