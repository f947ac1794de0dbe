"""What the way of the original mail says: its Received lines around the accused address. Pure.

The line in which the reporter's side took the mail from the accused address is honest. The lines below it were
written by the accused host, or by whoever wrote the mail: they make a cause likely and never certain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..formats.addresses import is_public
from ..formats.received import Hop, organisation, read_hops, same_organisation
from ..vocabulary import ParsedComplaint
from .clues import Clue

# RFC 3848: the A of ESMTPA and ESMTPSA says that the sender logged in. Exim and Courier write it in other words.
LOGGED_IN = re.compile(
    r"\bwith\s+(?:E?SMTPS?A|ASMTP|UTF8SMTPS?A|LMTPS?A)\b|\(authenticated|\bauthenticated sender", re.I
)
DYNAMIC_NAME = re.compile(
    r"\b(?:dyn|dynamic|dsl|adsl|vdsl|dial|dialup|dip|ppp|pppoe|pool|cable|catv|dhcp|cust|client|host)[\d.-]"
    r"|(?:\d{1,3}[.-]){3}\d{1,3}|\b(?:dyn|dynamic|adsl|dsl|ppp|pool|dhcp|dialup|broadband)\b", re.I
)  # fmt: skip
# Local hand-over by the web server: user 33 (Debian), 48 (Red Hat), 80 (BSD), or its name.
WEB_USER = re.compile(
    r"\bfrom userid (?:33|48|80)\b|^(?:from )?\(?(?:from )?(?:www-data|apache|httpd|nginx|nobody|www)(?:@\S{1,80})?\)? "
    r"(?:by|\()|\(from (?:www-data|apache|httpd|nginx|nobody|www)@",
    re.I,
)
FOR = re.compile(r"\sfor\s+<?([^\s<>;]{1,250}@[\w.-]{1,250})>?")
DELIVERED = re.compile(
    r"^(?:delivered-to|x-original-to|x-forwarded-to|x-forwarded-for): .{0,150}?@([\w.-]{1,253})", re.I
)


@dataclass(frozen=True, slots=True)
class MailPath:
    """`handed_over`: the hop in which the accused address gave the mail away. `above`, `older`: the lines around it."""

    complaint: ParsedComplaint
    above: Sequence[Hop]
    handed_over: Hop
    older: Sequence[Hop]

    @property
    def own_names(self) -> list[str]:
        """What the accused machine is called: by the name server, and by itself."""
        return [name.strip("[]").lower() for name in (self.handed_over.name, self.handed_over.helo) if name]

    def is_own(self, domain: str) -> bool:
        return any(same_organisation(domain, name) for name in self.own_names)


def find_path(complaint: ParsedComplaint, hops: Sequence[Hop]) -> MailPath | None:
    """The topmost line that names the accused address as the peer."""
    if not complaint.source_ip:
        return None
    for place, hop in enumerate(hops):
        if hop.address == complaint.source_ip:
            return MailPath(complaint, hops[:place], hop, hops[place + 1 :])
    return None


def path_clues(complaint: ParsedComplaint) -> tuple[MailPath | None, list[Clue]]:
    """The way, if the header shows one, and what it says. The first of WAYS that speaks decides: the surest first."""
    hops = read_hops(complaint.received)
    path = find_path(complaint, hops)
    if path is None:
        shown = complaint.source_ip and any(hop.address and is_public(hop.address) for hop in hops)
        return None, [Clue("not_from_there")] if shown and not complaint.reported_uris else []
    for look in WAYS:
        if found := list(look(path)):
            return path, found
    return path, []


def unproven(path: MailPath) -> Iterator[Clue]:
    """A stranger's server gave the mail to the reporter; only it, or the sender, says that it had it from there."""
    for hop in path.above:
        inside = hop.name_is_proven and same_organisation(hop.name, hop.by)
        if hop.address and is_public(hop.address) and not inside:
            giver = f"{hop.name or hop.helo or 'a host'} [{hop.address}]"
            yield Clue(
                "unproven_line",
                f"Received line {path.handed_over.number}: below the line in which {giver} gave the mail to the "
                "reporter, so that it may have been made up",
            )
            return


def stolen_mailbox(path: MailPath) -> Iterator[Clue]:
    """The accused server itself notes that the sender had logged in: with a password that spammers know."""
    if (
        path.older
        and LOGGED_IN.search(path.older[0].text)
        and written_by_accused(path)
        and not is_inside(path.older[0])
    ):
        number = path.older[0].number
        yield Clue(
            "logged_in", f"Received line {number}: the accused server took the mail from somebody who had logged in"
        )


def web_script(path: MailPath) -> Iterator[Clue]:
    """The mail began on the accused machine, and its web server handed it in."""
    for hop in path.older[:2]:
        if WEB_USER.search(hop.text):
            yield Clue("script_user", f"Received line {hop.number}: the web server's own user handed the mail in")
            return


def passed_on(path: MailPath) -> Iterator[Clue]:
    """It came into the accused server from outside, without log-in, and left again."""
    older = path.older
    if not older or older[0].address in (None, path.handed_over.address) or LOGGED_IN.search(older[0].text):
        return
    came = older[0]
    if not came.by or is_inside(came):
        return
    stranger = came.name or came.helo or "a host"
    line = f"Received line {came.number}: the mail came to {came.by} from outside ({stranger} [{came.address}])"
    if not written_by_accused(path):
        doubt = "the name in that line is not the one the server gave itself: the line may be forged"
        yield Clue("relayed_unsure", f"{line} and left again; {doubt}")
        return
    yield Clue("relayed", f"{line} and left again")
    meant = FOR.search(came.text)
    if meant and not is_own_recipient(path, came, meant[1]):
        yield Clue("relayed_to_strangers", f"Received line {came.number}: taken for a recipient of another domain")
    elif own := meant or sent_on_field(path):
        where = f"Received line {came.number}" if own is meant else "a field of the mail"
        yield Clue("sent_on", f"{where}: meant for an address of the customer's own, and sent on")


def is_own_recipient(path: MailPath, came: Hop, recipient: str) -> bool:
    domain = recipient.rpartition("@")[2]
    return path.is_own(domain) or same_organisation(domain, came.by)


def sent_on_field(path: MailPath) -> re.Match[str] | None:
    """Delivered-To and the like of the customer's own domain; the reporter's own server writes such fields, too.
    A sender rewritten for forwarding (SRS0=…@own domain) says the same."""
    for text in path.complaint.traces:
        found = DELIVERED.match(text)
        if found and path.is_own(found[1]):
            return found
    sender = path.complaint.original_mail_from or ""
    rewritten = re.match(r"SRS[01][=+-].{1,200}@([\w.-]{1,253})$", sender, re.I)
    return rewritten if rewritten and path.is_own(rewritten[1]) else None


def bot(path: MailPath) -> Iterator[Clue]:
    """Straight from the line to the recipient's server, by something that is no mail server."""
    if any(hop.address for hop in path.older):
        return
    hop = path.handed_over
    found = []
    if hop.name and DYNAMIC_NAME.search(hop.name):
        found.append(Clue("home_line", f"its name {hop.name} is that of a dial-in or home line"))
    if made_up := made_up_helo(hop):
        found.append(Clue("made_up_helo", made_up))
    if found:
        yield Clue("direct", f"Received line {hop.number}: straight from the accused address, no mail server before it")
        yield from found


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
    return by.lower() in path.own_names or by == path.handed_over.address or path.is_own(by)


def is_inside(hop: Hop) -> bool:
    """Mail from the server's own house: its own network behind it, or a host of its own organisation."""
    if hop.address is None or not is_public(hop.address):
        return True
    return same_organisation(hop.name, hop.by)


WAYS: tuple[Callable[[MailPath], Iterator[Clue]], ...] = (unproven, stolen_mailbox, web_script, passed_on, bot)
