"""Who had logged in at the relay that the accused address is: its own Received line says it, or a header it adds.

The line directly below the one that names the accused address was written by the machine at that address, if by
anybody but the sender; what stands further down counts only as far as each machine on the way is trusted. Formats do
not know which machines are ours: an account says which it rests on, and attribution asks.

    anna@isp.example                  the machine at the accused address wrote it
    anna@isp.example via 10.0.0.5     it took the mail from that machine, which wrote it
    anna@isp.example via 127.0.0.1    a filter on the machine gave the mail back; or a script there wrote all of it
    4711 in x-customer-id             a header of the original says it
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .header_text import Headers, readable
from .received import LONGEST_LINE, read_hop

MOST_MACHINES = 5  # of ours that one mail passes
MOST_ACCOUNTS = 5
LONGEST_ACCOUNT = 255
VIA: Final = " via "
IN: Final = " in "

# What the sender chose: the envelope, and how he greeted.
CHOSEN_BY_SENDER = re.compile(r"<[^<>]*>?|\b(?:helo|ehlo|lhlo|ident)[=\s]\S*", re.I)
QUOTE: Final = '"'  # inside a quoted local part (RFC 5321 section 4.1.2) a sender may write anything, brackets too
LOGGED_IN = re.compile(r"\bwith\s+(?:E?SMTPS?A|ASMTP|UTF8SMTPS?A|LMTPS?A)\b", re.I)  # RFC 3848
ANYTHING = re.compile("")
WHO = r"(?P<name>[^\s()<>,;\"\[\]]{1,254})"
# → (what writes so, the protocol it needs beside it)
SHAPES = tuple(
    (re.compile(shape, re.I), needed)
    for shape, needed in (
        (rf"\(Authenticated sender: {WHO}\)", LOGGED_IN),  # Postfix, smtpd_sasl_authenticated_header
        (rf"\(auth(?:enticated)?(?:[ _-]?id)?(?:=|: ?| as ){WHO}\)", LOGGED_IN),  # Exim, in received_header_text
        (rf"\bauthenticated_id={WHO}", LOGGED_IN),
        (rf"\(auth=\w+:{WHO}\)", LOGGED_IN),
        (rf"\((?:authenticated[^()]{{0,40}} )?user={WHO}(?: [^()]{{0,80}})?\)", ANYTHING),  # sendmail, changed
        (rf"\(AUTH: \w+ {WHO}", ANYTHING),  # Courier
        (rf"\(account {WHO}(?=[ )])", LOGGED_IN),  # CommuniGate
        (rf"\bauth=yes user={WHO}", ANYTHING),  # OpenSMTPD
        (r"^from \S+ \((?P<name>[^\s()<>@]{1,200}(?:@[\w.-]{1,200})?)@[\d.:A-Fa-f]{3,45}\)", LOGGED_IN),  # qmail
    )
)


@dataclass(frozen=True, slots=True)
class Account:
    """via: machines that must be ours as well. header: the field that says it; empty: a Received line does."""

    name: str
    via: tuple[str, ...] = ()
    header: str = ""


def read_account(text: str) -> Account:
    """An entry of ParsedComplaint.accounts, taken apart."""
    name, in_header, header = text.rpartition(IN)
    if in_header:
        return Account(name, header=header)
    name, *via = text.split(VIA)
    return Account(name, tuple(via))


def accounts_in_header(original: Headers | None, names: Sequence[str]) -> tuple[str, ...]:
    """names: header fields, lower case, that our own relay adds, and takes off when a sender brings one."""
    if original is None or not names:
        return ()
    said = ((name, readable(value)) for name in names for value in original.every(name)[:MOST_ACCOUNTS])
    found = (f"{value}{IN}{name}" for name, value in said if value and len(value) <= LONGEST_ACCOUNT)
    return tuple(dict.fromkeys(found))[:MOST_ACCOUNTS]


def accounts_in_received(lines: Sequence[str], source: str) -> tuple[str, ...]:
    """lines: topmost first. source: the accused address, as the complaint names it."""
    at = line_that_names(source, lines)
    if at is None:
        return ()
    via: list[str] = []
    for number, line in enumerate(lines[at + 1 :], start=at + 2):
        if names := logins(line):
            # A reporter's own mail servers ask nobody to log in: then the lines above are not his, or not all there.
            above = any(LOGGED_IN.search(line) for line in lines[: at + 1])
            return () if above or len(names) > 1 else (VIA.join([names[0], *via]),)
        address = read_hop(number, line).address
        if address is None or len(via) == MOST_MACHINES:
            return ()
        via.append(address)
    return ()


def line_that_names(source: str, lines: Sequence[str]) -> int | None:
    """The topmost; not the last line, as nothing stands below it."""
    is_ipv6 = ":" in source  # may be written in many ways; IPv4 that does not stand there needs no closer look
    for at, line in enumerate(lines[:-1]):
        if (source in line or is_ipv6) and read_hop(at + 1, line).address == source:
            return at
    return None


def logins(line: str) -> list[str]:
    """Every name that one Received line says has logged in; what the sender may write into it is left out."""
    if QUOTE in line:
        return []
    seen = CHOSEN_BY_SENDER.sub(" ", line[:LONGEST_LINE])
    found: dict[str, None] = {}
    for shape, needed in SHAPES:
        if needed.search(seen):
            found |= dict.fromkeys(match["name"] for match in shape.finditer(seen))
    return list(found)
