"""Raw mail in, records out: asks the formats in the order of their rank and never raises.

A format is a file beside this one (complaints.registry): NAME, RANK, recognises(mail) and parse(mail); formats of
what is no complaint also say DISPOSITION, and their parse answers nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC
from functools import cache
from types import ModuleType

from ..registry import load_plugins
from ..vocabulary import Disposition, ParsedComplaint, ParsedMessage
from .accounts import accounts_in_received
from .authentication import authenticated_domain
from .dates import ZONELESS, read_mail_date
from .errors import MalformedComplaint, NotThisFormat
from .header_text import bare_address, bare_id
from .mail import Mail

RECIPIENT_FIELDS = ("delivered-to", "x-original-to", "envelope-to", "to", "cc")
MOST_PROBLEMS = 5
NO_KIND = "no known format, and no header fields: not a mail"


@cache
def all_formats() -> tuple[ModuleType, ...]:
    return tuple(load_plugins(__package__, {"RANK": int, "recognises": None, "parse": None}))


def read_message(
    raw: bytes,
    *,
    is_ours: Callable[[str], bool] | None = None,
    probe_domain: str | None = None,
    authserv_id: str | None = None,
    account_headers: Sequence[str] = (),
) -> ParsedMessage:
    """Say what `raw` is and what it accuses whom of.

    is_ours: tells whether an address is in our networks; narrows what a free text means.
    probe_domain: mail to it is our own relay check's test mail, come back.
    authserv_id: under this name our own mail server says what it found of DKIM and SPF; nobody else is believed.
    account_headers: fields, lower case, in which our relay says in an original who had logged in.

    Never raises: what cannot be read is UNREADABLE, with the part or field in `problem`. Bounded in time and memory by
    the limits in mail.py.
    """
    try:
        mail = Mail(raw, is_ours=is_ours, account_headers=account_headers)
    except MalformedComplaint as exc:
        return ParsedMessage(format=None, disposition=Disposition.UNREADABLE, problem=str(exc))
    found = sort_out(mail, probe_domain)
    domain = authenticated_domain(mail.headers, authserv_id)
    return dataclasses.replace(found, authenticated=domain) if domain else found


def sort_out(mail: Mail, probe_domain: str | None) -> ParsedMessage:
    if probe_domain and is_addressed_to(mail, probe_domain.lower().rstrip(".")):
        return finish(mail, None, Disposition.PROBE)
    if not mail.data.strip(b"\0 \n\t"):
        return finish(mail, None, Disposition.UNREADABLE, problem="empty: no header and no body")
    kind: ModuleType | None = None
    name: str | None = None
    try:
        for kind in all_formats():
            if kind.recognises(mail):
                name = kind.NAME
                try:
                    return read_as(kind, mail)
                except NotThisFormat:
                    name = None
    except MalformedComplaint as exc:
        return finish(mail, name, Disposition.UNREADABLE, problem=str(exc))
    except Exception as exc:  # the door between hostile input and the desk: shown there, never lost, never a crash
        where = kind.NAME if kind else "reading"
        return finish(mail, None, Disposition.UNREADABLE, problem=f"{where}: {type(exc).__name__}: {exc}")
    if mail.problems:  # a report was seen and could not be read
        return finish(mail, None, Disposition.UNREADABLE)
    if not len(mail.headers):
        return finish(mail, None, Disposition.UNREADABLE, problem=NO_KIND)
    return finish(mail, None, Disposition.OTHER)


def read_as(kind: ModuleType, mail: Mail) -> ParsedMessage:
    disposition = getattr(kind, "DISPOSITION", Disposition.COMPLAINT)
    complaints = tuple(map(completed, kind.parse(mail)))
    return finish(mail, kind.NAME, disposition, complaints=complaints)


def completed(complaint: ParsedComplaint) -> ParsedComplaint:
    """What no format has to think of: the mark of a date without a zone becomes a field, and who had logged in."""
    seen_at = complaint.arrival_date
    if seen_at is not None and seen_at.tzinfo is ZONELESS:
        complaint = dataclasses.replace(complaint, arrival_date=seen_at.replace(tzinfo=UTC), zone_known=False)
    if complaint.received and complaint.source_ip:
        found = accounts_in_received(complaint.received, complaint.source_ip)
        if found:
            complaint = dataclasses.replace(complaint, accounts=(*found, *complaint.accounts))
    return complaint


def finish(
    mail: Mail,
    name: str | None,
    disposition: Disposition,
    *,
    problem: str | None = None,
    complaints: tuple[ParsedComplaint, ...] = (),
) -> ParsedMessage:
    return ParsedMessage(
        format=name,
        disposition=disposition,
        problem=problem or problem_of(mail),
        complaints=complaints,
        subject=mail.headers.readable("subject"),
        sender=bare_address(mail.headers.first("from")),
        message_id=bare_id(mail.headers.first("message-id")),
        sent_at=read_mail_date(mail.headers.first("date")),
    )


def problem_of(mail: Mail) -> str | None:
    """What was not read although something was: the first few sentences, and how many more there were."""
    sentences = [mail.limit_note, *mail.problems] if mail.limit_note else mail.problems
    if not sentences:
        return None
    rest = len(sentences) - MOST_PROBLEMS
    return "; ".join(sentences[:MOST_PROBLEMS]) + (f"; and {rest} more" if rest > 0 else "")


def is_addressed_to(mail: Mail, domain: str) -> bool:
    suffixes = ("@" + domain, "@" + domain + ">")
    for field in RECIPIENT_FIELDS:
        for value in mail.headers.every(field):
            if domain in value.lower() and any(
                word.endswith(suffixes) for word in value.lower().replace(",", " ").split()
            ):
                return True
    return False
