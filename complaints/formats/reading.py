"""Raw mail in, records out: asks the formats in the order of their rank and never raises.

A format is a file beside this one (complaints.registry): NAME, RANK, recognises(mail) and parse(mail); formats of
what is no complaint also say DISPOSITION, and their parse answers nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

from ..registry import load_plugins
from ..vocabulary import Disposition, ParsedComplaint, ParsedMessage
from .accounts import accounts_in_received
from .authentication import authenticated_domain
from .clocks import EXACT, clock_error, line_error
from .dates import DAY, MAIL_TIME, ZONELESS
from .errors import MalformedComplaint, NotThisFormat
from .header_text import bare_address, bare_id
from .mail import Mail
from .taught import TaughtRule
from .texts import sent_at

RECIPIENT_FIELDS = ("delivered-to", "x-original-to", "envelope-to", "to", "cc")
MOST_PROBLEMS = 5
NO_KIND = "no known format, and no header fields: not a mail"


class HowWell(NamedTuple):
    """What the mark on a date (dates.py) means for the complaint."""

    mark: tzinfo
    fields: dict[str, Any]


HOW_WELL = (
    HowWell(ZONELESS, {"zone_known": False}),
    HowWell(DAY, {"zone_known": False, "off_by": 24 * 60 * 60}),
    HowWell(MAIL_TIME, {"time_stated": False}),
)


NOTHING: dict[str, Any] = {}
# Formats whose times are copied from a log into words; how soon such a report is usually written; how far zones go.
LOGS = frozenset({"fail2ban", "freetext"})
PROMPT, WIDEST_ZONE = 2 * 60 * 60, 14 * 60 * 60  # seconds


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
    taught: Sequence[TaughtRule] = (),
) -> ParsedMessage:
    """Say what `raw` is and what it accuses whom of.

    is_ours: tells whether an address is in our networks; narrows what a free text means.
    probe_domain: mail to it is our own relay check's test mail, come back.
    authserv_id: under this name our own mail server says what it found of DKIM and SPF; nobody else is believed.
    account_headers: fields, lower case, in which our relay says in an original who had logged in.
    taught: how to read the mails of some senders, as people have shown.

    Never raises: what cannot be read is UNREADABLE, with the part or field in `problem`. Bounded in time and memory by
    the limits in mail.py.
    """
    try:
        mail = Mail(raw, is_ours=is_ours, account_headers=account_headers, taught=taught)
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
    found = kind.parse(mail)
    sent = sent_at(mail)
    off = clock_error(mail.headers, sent) if found else EXACT
    tells_late = sent if kind.NAME in LOGS else None
    complaints = tuple(completed(complaint, off, tells_late) for complaint in found)
    return finish(mail, kind.NAME, disposition, complaints=complaints)


def completed(complaint: ParsedComplaint, clock_off: int, sent: datetime | None = None) -> ParsedComplaint:
    """What no format has to think of: how well the time is known, and who had logged in.

    clock_off: seconds by which the reporter's clock is known to be off. sent: of a mail with lines of a log.
    """
    news: dict[str, Any] = {}
    seen_at, source, received = complaint.arrival_date, complaint.source_ip, complaint.received
    if seen_at is not None:
        if seen_at.tzinfo is not UTC:
            known = next((each.fields for each in HOW_WELL if each.mark is seen_at.tzinfo), NOTHING)
            news |= {"arrival_date": seen_at.replace(tzinfo=UTC)} | known
        if received and source:
            clock_off = max(clock_off, line_error(seen_at, source, received))
        elif sent is not None:
            clock_off = max(clock_off, hours_old(seen_at, sent))
        if clock_off:
            news["off_by"] = clock_off + news.get("off_by", 0)
    if received and source and (accounts := accounts_in_received(received, source)):
        news["accounts"] = (*accounts, *complaint.accounts)
    return dataclasses.replace(complaint, **news) if news else complaint


def hours_old(seen_at: datetime, sent: datetime) -> int:
    """Seconds by which a log's time may be off: a line that is hours older than its mail was written in another zone
    than its reporter thinks, or is told late, and nobody can tell which."""
    behind = int((sent - seen_at.replace(tzinfo=UTC)).total_seconds())
    return behind if PROMPT <= behind <= WIDEST_ZONE else 0


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
        sent_at=sent_at(mail),
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
