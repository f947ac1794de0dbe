"""What the way of the original mail says about its cause: its Received lines around the accused address.

The line in which the reporter's side took the mail from the accused address is honest. The lines below it were
written by the accused host, or by whoever wrote the mail: they make a cause likely and never certain, so no
confidence here goes above LIKELY.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..formats.addresses import is_public
from ..formats.received import Hop, organisation, read_hops
from ..vocabulary import Category, Cause, Diagnosis, ParsedComplaint

LIKELY = 0.6
POSSIBLE = 0.5
WEAK = 0.4

MAIL_CATEGORIES = {Category.SPAM, Category.PHISHING, Category.MALWARE, Category.FRAUD, Category.OTHER}
# RFC 3848: the A of ESMTPA and ESMTPSA says that the sender logged in. Exim and Courier write it in other words.
LOGGED_IN = re.compile(
    r"\bwith\s+(?:E?SMTPS?A|ASMTP|UTF8SMTPS?A|LMTPS?A)\b|\(authenticated|\bauthenticated sender", re.I
)
DYNAMIC_NAME = re.compile(
    r"\b(?:dyn|dynamic|dsl|adsl|vdsl|dial|dialup|dip|ppp|pppoe|pool|cable|catv|dhcp|cust|client|host)[\d.-]"
    r"|(?:\d{1,3}[.-]){3}\d{1,3}|\b(?:dyn|dynamic|adsl|dsl|ppp|pool|dhcp|dialup|broadband)\b", re.I
)  # fmt: skip
BULK_SENDER = re.compile(
    r"^(?:[^@]*[+=-])?(?:bounces?|return|newsletter|mailing|news|owner)[^@]*[+=-][^@]*@|^[^@]+=[^@]+@", re.I
)


@dataclass(frozen=True, slots=True)
class MailPath:
    """`handed_over`: the hop in which the accused address gave the mail away. `older`: the lines below it."""

    complaint: ParsedComplaint
    handed_over: Hop
    older: Sequence[Hop]


def diagnose_complaint(complaint: ParsedComplaint) -> Diagnosis:
    """Guess the cause of one complaint; Cause.UNKNOWN with confidence 0 and the reason when nothing speaks."""
    if complaint.category not in MAIL_CATEGORIES:
        return unknown(f"category {complaint.category}: nothing to learn from a mail's way")
    path = find_path(complaint)
    if path is None:
        return unknown("no Received line shows the accused address handing the mail over")
    for look in SHAPES:  # the first that speaks decides: the surest evidence stands first
        if diagnosis := look(path):
            return diagnosis
    return unknown("the mail's way shows nothing particular")


def find_path(complaint: ParsedComplaint) -> MailPath | None:
    if not complaint.source_ip:
        return None
    hops = read_hops(complaint.received)
    for place, hop in enumerate(hops):
        if hop.address == complaint.source_ip:
            return MailPath(complaint, hop, hops[place + 1 :])
    return None


def stolen_mailbox(path: MailPath) -> Diagnosis | None:
    """The accused server itself notes that the sender had logged in: with a password that spammers know."""
    if path.older and LOGGED_IN.search(path.older[0].text) and written_by_accused(path):
        hop = path.older[0]
        return Diagnosis(
            cause=Cause.STOLEN_MAILBOX,
            confidence=LIKELY,
            reasons=(f"Received line {hop.number}: the accused server took the mail from somebody who had logged in",),
        )
    return None


def bulk_mail(path: MailPath) -> Diagnosis | None:
    """One envelope sender for each recipient (VERP) is how mailing software counts its bounces."""
    sender = path.complaint.original_mail_from or ""
    if not BULK_SENDER.search(sender):
        return None
    reason = f"envelope sender {sender}: made for each recipient, as mailing software does"
    return Diagnosis(cause=Cause.BULK_MAIL, confidence=WEAK, reasons=(reason,))


def open_relay(path: MailPath) -> Diagnosis | None:
    """It came into the accused server from outside, without log-in, and left again for somebody else's domain."""
    older = path.older
    if not older or older[0].address in (None, path.handed_over.address) or LOGGED_IN.search(older[0].text):
        return None
    came = older[0]
    if not came.by or is_inside(came):
        return None
    sure = written_by_accused(path)
    stranger = came.name or came.helo or "a host"
    reasons = [f"Received line {came.number}: the mail came to {came.by} from outside ({stranger} [{came.address}])"]
    reasons.append("and left again")
    if not sure:
        reasons.append("the name in that line is not the one the server gave itself: the line may be forged")
    return Diagnosis(cause=Cause.OPEN_RELAY, confidence=LIKELY if sure else WEAK, reasons=tuple(reasons))


def bot(path: MailPath) -> Diagnosis | None:
    """Straight from the line to the recipient's server, by something that is no mail server."""
    if any(hop.address for hop in path.older):
        return None
    hop = path.handed_over
    reasons = [f"Received line {hop.number}: straight from the accused address, no mail server before it"]
    if hop.name and DYNAMIC_NAME.search(hop.name):
        reasons.append(f"its name {hop.name} is that of a dial-in or home line")
    if made_up := made_up_helo(hop):
        reasons.append(made_up)
    if len(reasons) == 1:
        return None
    return Diagnosis(cause=Cause.BOT, confidence=LIKELY if len(reasons) > 2 else POSSIBLE, reasons=tuple(reasons))


def made_up_helo(hop: Hop) -> str | None:
    helo = (hop.helo or "").strip("[]")
    if not helo:
        return None
    if "." not in helo and ":" not in helo:
        return f"it called itself {helo}: not a full name (RFC 5321 section 4.1.1.1)"
    if re.fullmatch(r"[\d.]+", helo) and helo != hop.address:
        return f"it called itself {helo}, which is another address"
    if hop.name and organisation(helo) != organisation(hop.name) and DYNAMIC_NAME.search(hop.name):
        return f"it called itself {helo}, a name that is not its own"
    return None


def written_by_accused(path: MailPath) -> bool:
    """The server that wrote the next older line bears the name under which the accused address introduced itself."""
    by = path.older[0].by if path.older else None
    if not by:
        return False
    names = {name.strip("[]").lower() for name in (path.handed_over.helo, path.handed_over.name) if name}
    if by.lower() in names or by == path.handed_over.address:
        return True
    return any(organisation(by) == organisation(name) != "" for name in names)


def is_inside(hop: Hop) -> bool:
    """Mail from the server's own house: its own network behind it, or a host of its own organisation."""
    if hop.address is None or not is_public(hop.address):
        return True
    return bool(hop.name and hop.by and organisation(hop.name) == organisation(hop.by) != "")


def unknown(reason: str) -> Diagnosis:
    return Diagnosis(cause=Cause.UNKNOWN, confidence=0.0, reasons=(reason,))


SHAPES: tuple[Callable[[MailPath], Diagnosis | None], ...] = (stolen_mailbox, open_relay, bulk_mail, bot)
