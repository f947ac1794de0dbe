"""Copyright notices in ACNS XML (Automated Copyright Notice System, versions 1.2 and 2.0): one address and port each.

The XML lies in the text, often inside a PGP-signed message and once more as attachment; the same case is counted once.
The rest of the letter is the lawyer's and not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import read_address
from .arf import read_reporter
from .dates import read_mail_date
from .errors import MalformedComplaint
from .header_text import decode
from .json_documents import REPORTS_ON_SENDING, port_of, sorted_out
from .mail import Mail
from .safe_xml import Elements, read_elements
from .texts import done_before
from .xarf4 import address_of_url

NAME: Final = "copyright"
RANK: Final = 42

MOST_NOTICES = 500
LONGEST = 256 * 2**10
MARK = re.compile(r"<(?:[\w-]{1,20}:)?Infringement[\s>]")
END = re.compile(r"</(?:[\w-]{1,20}:)?Infringement\s*>")
FIELDS: Final = {
    "infringement/case/id": "case_id",
    "infringement/complainant/entity": "rights_holder",
    "infringement/complainant/email": "complainant_contact",
    "infringement/source/type": "source_type",
    "infringement/source/username": "user_name",
    "infringement/content/item/title": "work_title",
    "infringement/content/item/filename": "file_name",
    "infringement/content/item/filesize": "file_size",
    "infringement/content/item/hash": "file_hash",
}
INFO_HASH = re.compile(r"[0-9A-Fa-f]{40}")
P2P: Final = {name: name for name in ("bittorrent", "edonkey", "gnutella", "kademlia")} | {"emule": "edonkey"}
URLS: Final = ("infringement/source/url", "infringement/content/item/url")


def recognises(mail: Mail) -> bool:
    if mail.report_type in REPORTS_ON_SENDING:
        return False
    return any(MARK.search(text) for text in texts_of(mail))


def texts_of(mail: Mail) -> list[str]:
    """Texts and XML of the mail; a cheap look first, as most mails hold none."""
    if b"nfringement" not in mail.data and b"base64" not in mail.data.lower():
        return []
    parts = (part for part in mail.parts if part.content_type.startswith("text/") or "xml" in part.content_type)
    return [decode(part.payload) for part in parts]


def parse(mail: Mail) -> list[ParsedComplaint]:
    found: dict[tuple[object, ...], ParsedComplaint] = {}
    for text in texts_of(mail):
        for notice in notices_in(text):
            complaint = read_notice(notice, mail)
            if notice.problem:
                mail.problems.append(f"ACNS XML: {notice.problem}")
            if complaint.source_ip or complaint.reported_uris:
                key = (complaint.source_ip, complaint.source_port, complaint.arrival_date, complaint.reported_uris)
                found.setdefault(key, complaint)
    if not found:
        raise MalformedComplaint("; ".join(mail.problems[:3]) or "ACNS: Source/IP_Address is missing")
    return list(found.values())


def notices_in(text: str) -> Iterator[Elements]:
    """Each from its root element on: no document type stands before it, so no entity can be declared."""
    at = 0
    for _ in range(MOST_NOTICES):
        begins = MARK.search(text, at)
        if begins is None:
            return
        ends = END.search(text, begins.end(), begins.end() + LONGEST)
        at = ends.end() if ends else len(text)  # one that never ends takes the rest
        yield read_elements(text[begins.start() : min(at, begins.start() + LONGEST)])


def read_notice(notice: Elements, mail: Mail) -> ParsedComplaint:
    uris = tuple(dict.fromkeys(uri for path in URLS for uri in notice.every(path) if "://" in uri))
    address, reason = read_address(notice.first("infringement/source/ip_address")), "IP_Address of the notice"
    if address is None:
        address, reason = next(filter(None, map(address_of_url, uris)), None), "host of the reported URL"
    times = ("infringement/source/timestamp", "infringement/content/item/timestamp")
    seen_at = next(filter(None, (read_mail_date(notice.first(path)) for path in times)), None)
    return ParsedComplaint(
        category=Category.COPYRIGHT,
        source_ip=address,
        source_port=port_of(notice.first("infringement/source/port")),
        arrival_date=seen_at or done_before(mail),
        reported_uris=uris,
        reporter=read_reporter(mail) or notice.first("infringement/complainant/email"),
        source_reason=reason if address else "the notice names no address",
        extra=read_extra(notice),
    )


def read_extra(notice: Elements) -> dict[str, Any]:
    """XARF v4 has a type of its own for what was found in a swarm."""
    said = {name: value for path, name in FIELDS.items() if (value := notice.first(path))}
    extra = sorted_out(said, {"work_title": "work_title", "rights_holder": "rights_holder"}, "acns")
    protocol = P2P.get(said.get("source_type", "").lower())
    if not protocol:
        return extra
    info_hash = said.get("file_hash", "")
    swarm = {"swarm_info": {"info_hash": info_hash.lower()}} if INFO_HASH.fullmatch(info_hash) else {}
    return {"type": "p2p", "p2p_protocol": protocol, **swarm, **extra}
