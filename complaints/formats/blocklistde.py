"""blocklist.de: one address that attacked one service of one of its users, with an X-ARF block and a log.

The Subject says the same as the block, so a mail that lost its attachments on the way is still read:

    [noreply] abuse report about 192.0.2.7 - Wed, 04 Mar 2026 07:19:02 +0100 -- service: ssh (First x 1) RID: 12345
"""

from __future__ import annotations

import re
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import read_address
from .arf import read_reporter
from .dates import read_mail_date
from .header_text import Headers
from .mail import Mail
from .report_block import TYPES, complaint_of, read_block
from .texts import done_before, subject_of

NAME: Final = "blocklistde"
RANK: Final = 33

SUBJECT = re.compile(
    r"\babuse report about (?P<address>\S{3,60})(?: \([^)]{0,200}\))? - (?P<date>.{10,60}?) -- "
    r"service: (?P<service>[\w-]{1,40})",
    re.I,
)
MARK: Final = "blocklist.de"


def recognises(mail: Mail) -> bool:
    if SUBJECT.search(subject_of(mail)):
        return True
    fields = read_block(mail) if "x-arf" in mail.headers or "x-xarf" in mail.headers else None
    return fields is not None and names_itself(fields)


def names_itself(fields: Headers) -> bool:
    return any(MARK in (fields.first(name) or "").lower() for name in ("user-agent", "report-id"))


def parse(mail: Mail) -> list[ParsedComplaint]:
    found = SUBJECT.search(subject_of(mail))
    address = read_address(found["address"]) if found else None
    if fields := read_block(mail):
        return [complaint_of(fields, mail, address=address, reason="Subject of the report")]
    if found is None:  # recognises() saw it
        return []
    return [
        ParsedComplaint(
            category=TYPES.get(found["service"].lower(), Category.OTHER),
            source_ip=address,
            arrival_date=read_mail_date(found["date"]) or done_before(mail),
            reporter=read_reporter(mail),
            source_reason="Subject of the report" if address else "the report names no whole address",
        )
    ]
