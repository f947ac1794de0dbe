"""May a machine answer this mail? RFC 3834 section 2, and what else keeps two machines from a talk without end. Pure.

Two kinds of reasons against it. Some hold for everybody: nobody reads what is sent there, or it would come back to us.
The others bind only a machine that answers by itself; a person who has read the mail may know better.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

from complaints.formats.header_text import Headers, bare_address
from complaints.formats.received import same_organisation

MOST_HOPS = 30  # RFC 5321 section 6.3 counts a hundred; honest mail to us has far fewer
# Feedback loops and streams of findings: the provider reads no answers, and each would be one more abuse mail.
FEEDBACK_LOOPS = frozenset({"arf", "jmrp", "sesnotify", "statistics-report"})
WRITTEN_BY_HAND = frozenset({"freetext"})
READ_BY_HAND = "by hand"  # a person at the desk has read it: see complaints/by_hand.py
NO_MACHINE = WRITTEN_BY_HAND | {READ_BY_HAND}  # neither counts as a source that reports by machine

NOBODYS = re.compile(
    r"(?:mailer-daemon|double-bounce|bounces?|no-?reply|do-?not-?reply|nobody|listserv|majordomo|mailman|fbl)"
    r"(?:[+=._-].*)?|owner-.*|.*-(?:request|owner|bounces?|errors|relay)",
    re.I,
)
MACHINES_SUBJECT = re.compile(r"\s*auto(?:matic(?:ally)?|mated)?\W{0,2}\s*(?::|repl|respon|answer|generat)", re.I)
REPLIED = ("auto-replied", "auto-notified")
MARKS = (
    "x-autoreply", "x-autorespond", "x-auto-reply", "x-vacation", "x-failed-recipients", "x-abuse-case",
    "x-abuse-answer",
)  # fmt: skip
LISTS = ("list-id", "list-post", "list-help", "list-unsubscribe", "list-subscribe", "list-owner", "mailing-list")
BULK = ("bulk", "junk", "list")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A mail that we could answer.

    return_path: the envelope's sender, bare; "" is the null sender, None is not known (uploaded, posted).
    format: NAME of the format that read it. desks: our own addresses, one a brand.
    """

    headers: Headers
    return_path: str | None
    format: str
    desks: tuple[str, ...]

    @property
    def author(self) -> str:
        fields = self.headers.every("from")
        return (bare_address(fields[0]) or "").lower() if len(fields) == 1 else ""

    def value(self, name: str) -> str:
        """The first value up to a semicolon, lower case."""
        return (self.headers.first(name) or "").partition(";")[0].strip().lower()


def why_silent(mail: Incoming, *, by_hand: bool = False) -> str | None:
    """The reason, in words, why this mail gets no answer; None: it may be answered. by_hand: a person decided to."""
    for applies, reason in FOR_EVERYBODY if by_hand else FOR_EVERYBODY + FOR_MACHINES:
        if applies(mail):
            return reason
    return None


def return_path_of(headers: Headers, *, envelope_from: str, has_envelope: bool) -> str | None:
    """has_envelope: it came by SMTP or LMTP, so an empty sender is the null sender and no gap in what we know."""
    if envelope_from or has_envelope:
        return envelope_from.strip("<> ")
    written = headers.first("return-path")
    return None if written is None else (bare_address(written) or "")


def is_ours(address: str, desk: str) -> bool:
    """Our own mailbox, or one of the senders we make up for our mail (notices/bounces.py, the probes)."""
    local, _, domain = address.lower().rpartition("@")
    our_local, _, our_domain = desk.lower().rpartition("@")
    if domain == our_domain:
        return local.partition("+")[0] == our_local or local.startswith(("bounce+", "relaycheck"))
    return False


def comes_from_us(mail: Incoming) -> bool:
    theirs = [address for address in (mail.author, mail.return_path or "") if address]
    return any(is_ours(address, desk) for address in theirs for desk in mail.desks)


def bears_our_id(mail: Incoming) -> bool:
    """It is one of our own mails, come back with its Message-ID."""
    named = (mail.headers.first("message-id") or "").strip().lower()
    ends = tuple(f"@{domain_of(desk)}>" for desk in mail.desks)
    return named.startswith(("<case-", "<reporter-")) and named.endswith(ends)


def answers_us(mail: Incoming) -> bool:
    domains = "|".join(re.escape(domain_of(desk)) for desk in mail.desks)
    wanted = re.compile(rf"<(?:case|reporter)-[^<>\s]{{1,200}}@(?:{domains})>", re.I)
    named = (*mail.headers.every("in-reply-to"), *mail.headers.every("references"))
    return any(wanted.search(value[-8000:]) for value in named)


def is_report(mail: Incoming) -> bool:
    """RFC 6522: feedback reports, bounces, receipts; all of them written by machines."""
    kind = mail.value("content-type")
    return kind in ("multipart/report", "message/feedback-report", "message/delivery-status")


def is_reply_of_machine(mail: Incoming) -> bool:
    said = mail.value("auto-submitted")
    return said.startswith(REPLIED) or mail.value("precedence") in ("auto_reply", "auto-reply")


def goes_to_nobody(mail: Incoming) -> bool:
    addresses = (mail.author, mail.return_path or "")
    return any(NOBODYS.fullmatch(address.rpartition("@")[0]) for address in addresses if address)


def is_suppressed(mail: Incoming) -> bool:
    """Exchange's own word for Auto-Submitted; it names the kinds of answers that are not wanted."""
    return any(word in mail.value("x-auto-response-suppress") for word in ("all", "autoreply", "oof"))


def sender_is_another(mail: Incoming) -> bool:
    """An answer goes to the envelope's sender (section 4): a stranger's address there would be hit by our mail."""
    return not same_organisation(domain_of(mail.author), domain_of(mail.return_path or ""))


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


Rules = tuple[tuple[Callable[[Incoming], bool], str], ...]
FOR_EVERYBODY: Rules = (
    (lambda m: m.return_path == "", "its sender is the null sender, which wants no answer"),
    (lambda m: not m.author or "@" not in m.author, "it does not have exactly one author with a mail address"),
    (comes_from_us, "it comes from one of our own addresses"),
    (bears_our_id, "it is one of our own mails, come back"),
    (lambda m: m.format in FEEDBACK_LOOPS, "it comes from a feedback loop, where nobody reads answers"),
    (is_report, "it is a machine's report (multipart/report), where nobody reads answers"),
    (is_reply_of_machine, "it is an automatic reply"),
    (lambda m: any(mark in m.headers for mark in MARKS), "its header says that a machine answered or returned it"),
    (goes_to_nobody, "nobody reads mail to its sender's address"),
)
FOR_MACHINES: Rules = (
    (lambda m: m.return_path is None, "its envelope sender is not known"),
    (lambda m: m.value("auto-submitted") not in ("", "no"), "it says that a machine sent it (Auto-Submitted)"),
    (lambda m: any(name in m.headers for name in LISTS), "it came through a mailing list"),
    (lambda m: m.value("precedence") in BULK, "it is bulk mail (Precedence)"),
    (is_suppressed, "it asks for no automatic answer (X-Auto-Response-Suppress)"),
    (answers_us, "it answers one of our own mails"),
    (lambda m: len(m.headers.every("received")) > MOST_HOPS, "it has been through too many mail servers"),
    (lambda m: bool(MACHINES_SUBJECT.match(m.headers.readable("subject") or "")), "its subject is a machine's"),
    (lambda m: m.format not in WRITTEN_BY_HAND, "no person wrote it by hand"),
    (sender_is_another, "its envelope names another sender than its author's organisation"),
)
