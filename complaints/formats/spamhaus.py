"""Spamhaus SBL notices: "SBL123456 - The Spamhaus Project - SBL Alert" over the fields IP/cidr, Problem and SBL Ref.

They come straight, or inside the ticket of an upstream provider. A listing of more than one address is kept without
one: which customer is meant is for people to say.
"""

from __future__ import annotations

import ipaddress
import re
from itertools import islice
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import read_address
from .arf import read_reporter
from .dates import read_mail_date
from .mail import Mail
from .plain_words import category_of
from .texts import done_before, text_of

NAME: Final = "spamhaus"
RANK: Final = 82

MOST_LISTINGS: Final = 200
# Bounded: each listing is the lines after its IP/cidr up to the next one.
LISTED = re.compile(r"^[> \t]*IP/cidr:[ \t]*(?P<network>[0-9A-Fa-f.:]{3,45}(?:/\d{1,3})?)[ \t]*$", re.I | re.M)
FIELD = re.compile(
    r"^[> \t]*(?P<name>Problem|SBL Ref|Date|Listed|Created|SBL)[ \t]*:[ \t]*(?P<value>[^\n]{1,300})", re.I | re.M
)
REFERENCE = re.compile(r"\bSBL(?:CSS)?\d{2,8}\b", re.I)
LONGEST_LISTING: Final = 2_000
LONGEST_PREFIX: Final = {4: 32, 6: 64}  # of what is one customer's


def recognises(mail: Mail) -> bool:
    text = text_of(mail)
    return REFERENCE.search(text) is not None and LISTED.search(text) is not None


def parse(mail: Mail) -> list[ParsedComplaint]:
    text = text_of(mail)
    places = [*islice(LISTED.finditer(text), MOST_LISTINGS)]
    ends = [*(found.start() for found in places[1:]), len(text)]
    return [
        read_listing(found["network"], text[found.end() : min(end, found.end() + LONGEST_LISTING)], text, mail)
        for found, end in zip(places, ends, strict=True)
    ]


def read_listing(network: str, below: str, text: str, mail: Mail) -> ParsedComplaint:
    fields = {found["name"].lower(): found["value"].strip() for found in FIELD.finditer(below)}
    named = REFERENCE.search(fields.get("sbl ref", "")) or REFERENCE.search(text)
    reference = named[0].upper() if named else "SBL"
    address = single_address(network)
    said = next((fields[name] for name in ("date", "listed", "created") if name in fields), None)
    return ParsedComplaint(
        category=category_of(fields.get("problem", ""), "") or Category.SPAM,
        source_ip=address,
        arrival_date=read_mail_date(said) or done_before(mail),
        reporter=read_reporter(mail),
        source_reason=f"IP/cidr of {reference}" if address else f"{reference} lists {network}, no single address",
        extra={"report_id": reference, "listed": network},
    )


def single_address(network: str) -> str | None:
    """The address of a listing of one; an IPv6 listing of a /64 is one line's."""
    try:
        listed = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return None
    if listed.prefixlen < LONGEST_PREFIX[listed.version]:
        return None
    return read_address(network.partition("/")[0])
