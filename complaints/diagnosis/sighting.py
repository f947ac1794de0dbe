"""One complaint as the diagnosis sees it: its clues, and what can be compared with the other complaints. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ..formats.received import organisation
from ..vocabulary import Category, ParsedComplaint
from .clues import POSSIBLE, SEEN_BY_REPORTER, Clue
from .mail_path import MailPath, path_clues

MAIL_CATEGORIES = {Category.SPAM, Category.PHISHING, Category.MALWARE, Category.FRAUD, Category.OTHER}
ABOUT_PAGES = {Category.PHISHING, Category.MALWARE, Category.FRAUD}
BULK_SENDER = re.compile(
    r"^(?:[^@]*[+=-])?(?:bounces?|return|newsletter|mailing|news|owner)[^@]*[+=-][^@]*@|^[^@]+=[^@]+@", re.I
)
REWRITTEN = re.compile(r"^SRS[01][=+-]", re.I)
LIST_FIELD = re.compile(
    r"^(?:list-unsubscribe|list-id|feedback-id|x-campaign(?:id)?|precedence: (?:bulk|list)\b)", re.I
)
SCRIPT_FIELD = re.compile(
    r"^(?:x-php-originating-script|x-php-script|x-source(?:-args|-dir)?|x-wp-mailer): \S"
    r"|^x-mailer: (?:phpmailer|wordpress)",
    re.I,
)
# Those who look for open relays send the address they test, so that they know which one let their mail through.
PROBE = re.compile(r"^BC_(\S+)|open relay check succe\S{0,3}ded, hostname = (\S+)", re.I)
LONGEST_SUBJECT = 400


@dataclass(frozen=True, slots=True)
class Sighting:
    """reporter: who says so; empty: unknown. helo: how the machine introduced itself; sender: domain of the mail's."""

    category: Category
    clues: tuple[Clue, ...]
    reporter: str = ""
    helo: str = ""
    sender: str = ""
    hour: int | None = None
    why_none: str = ""


def look_at(complaint: ParsedComplaint) -> Sighting:
    """What one complaint says of the cause."""
    clues, path, why_none = read(
        ParsedComplaint(
            category=complaint.category,
            source_ip=complaint.source_ip,
            original_mail_from=complaint.original_mail_from,
            original_subject=complaint.original_subject,
            received=complaint.received,
            traces=complaint.traces,
            reported_uris=complaint.reported_uris,
        )
    )
    return Sighting(
        category=complaint.category,
        clues=clues,
        reporter=complaint.reporter or "",
        helo=(path.handed_over.helo or "").lower() if path else "",
        sender=sender_domain(complaint),
        hour=complaint.arrival_date.hour if complaint.arrival_date else None,
        why_none=why_none,
    )


@lru_cache(maxsize=4096)
def read(complaint: ParsedComplaint) -> tuple[tuple[Clue, ...], MailPath | None, str]:
    """→ (clues, the mail's way, why there is no clue). Remembered: a case is looked at again with every event."""
    if complaint.category not in POSSIBLE:
        return (), None, f"category {complaint.category}: there is no cause to be found"
    if seen := SEEN_BY_REPORTER.get(complaint.category):
        return (Clue(seen),), None, ""
    path, clues = path_clues(complaint)
    clues += field_clues(complaint, path)
    if path is None and complaint.category in ABOUT_PAGES and complaint.reported_uris:
        clues.append(Clue("page"))
    if clues:
        return tuple(clues), path, ""
    no_way = "no Received line shows the accused address handing the mail over"
    return (), path, "the mail's way shows nothing particular" if path else no_way


def field_clues(complaint: ParsedComplaint, path: MailPath | None) -> Iterator[Clue]:
    probe = PROBE.search((complaint.original_subject or "")[:LONGEST_SUBJECT])
    if probe and names(probe[1] or probe[2], complaint.source_ip):
        yield Clue("probe")
    sender = complaint.original_mail_from or ""
    if BULK_SENDER.search(sender) and not REWRITTEN.match(sender):
        yield Clue("verp", f"envelope sender {sender[:120]}: made for each recipient, as mailing software does")
    if script := next(filter(SCRIPT_FIELD.match, complaint.traces), None):
        yield Clue("script_field", f"the field {script[:120]} names a script")
    if field := next(filter(LIST_FIELD.match, complaint.traces), None):
        yield Clue("list_field", f"the field {field.partition(':')[0]} is what mailing software writes")
    if path is not None:
        yield from own_domain(complaint, path)


def own_domain(complaint: ParsedComplaint, path: MailPath) -> Iterator[Clue]:
    signers = [text.removeprefix("dkim: ") for text in complaint.traces if text.startswith("dkim: ")]
    if signer := next(filter(path.is_own, signers), None):
        yield Clue("own_signature", f"signed (DKIM) for {signer}, the accused machine's own domain")
    if (domain := sender_domain(complaint)) and path.is_own(domain):
        yield Clue("own_sender", f"the sender is of {domain}, the accused machine's own domain")


def sender_domain(complaint: ParsedComplaint) -> str:
    sender = next((text[6:] for text in complaint.traces if text.startswith("from: ")), complaint.original_mail_from)
    return organisation((sender or "").rpartition("@")[2])


def names(text: str, address: str | None) -> bool:
    """Whether the text is that address; some probes write it with dashes."""
    return address is not None and text.strip("[]().,").lower() in (address, address.replace(".", "-"))
