"""Google Safe Browsing alerts for network administrators: XML with the URLs of one network that visitors are warned of.

One complaint a URL. An entry without `ip` has the address as host of its URL, or none. The list types stand in the
schema that Google published with the service (message.xsd).
"""

from __future__ import annotations

import re
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import read_address
from .arf import read_reporter
from .dates import read_mail_date
from .errors import MalformedComplaint
from .header_text import decode
from .json_documents import REPORTS_ON_SENDING
from .mail import Mail
from .safe_xml import Element, read_elements
from .texts import done_before
from .xarf4 import address_of_url, host_of, is_domain

NAME: Final = "googlesafebrowsing"
RANK: Final = 44

MARK = re.compile(r"<notification_message[\s>]")
END = "</notification_message>"
ENTRY = "notification_message/list/url_info"
MOST_ENTRIES = 5_000
LISTS: Final = {
    "0": ("compromised", Category.MALWARE),
    "1": ("social engineering", Category.PHISHING),
    "2": ("distribution", Category.MALWARE),
    "3": ("unwanted software", Category.MALWARE),
    "4": ("malicious software", Category.MALWARE),
}


def recognises(mail: Mail) -> bool:
    return mail.report_type not in REPORTS_ON_SENDING and find_message(mail) is not None


def find_message(mail: Mail) -> str | None:
    """From the root element on, so that no document type stands before it."""
    if b"notification_message" not in mail.data and b"base64" not in mail.data.lower():
        return None
    for part in mail.parts:
        if part.content_type.startswith("text/") or "xml" in part.content_type:
            text = decode(part.payload)
            if begins := MARK.search(text):
                ends = text.find(END, begins.end())
                return text[begins.start() :] if ends < 0 else text[begins.start() : ends + len(END)]
    return None


def parse(mail: Mail) -> list[ParsedComplaint]:
    message = read_elements(find_message(mail) or "")
    if message.problem:
        mail.problems.append(f"Safe Browsing XML: {message.problem}")
    found: list[ParsedComplaint] = []
    kind, date = "", ""
    for element in message.found:
        if element.path == ENTRY and element.attributes.get("url"):
            found.append(read_entry(element, kind, date, mail))
        elif element.path == "notification_message":
            date = element.attributes.get("date", "")
        elif element.path == "notification_message/list":
            kind = element.attributes.get("type", "")
    if not found:
        raise MalformedComplaint("; ".join(mail.problems[:3]) or "Safe Browsing: no url_info with a url")
    if len(found) > MOST_ENTRIES:
        mail.problems.append(f"Safe Browsing: only the first {MOST_ENTRIES} of {len(found)} URLs were read")
    return found[:MOST_ENTRIES]


def read_entry(entry: Element, kind: str, date: str, mail: Mail) -> ParsedComplaint:
    url = entry.attributes["url"]
    address, reason = read_address(entry.attributes.get("ip")), "ip of the entry"
    if address is None:
        address, reason = address_of_url(url), "host of the reported URL"
    host = host_of(url) or ""
    words, category = LISTS.get(kind, (f"list {kind}"[:40], Category.OTHER))
    return ParsedComplaint(
        category=category,
        source_ip=address,
        arrival_date=read_mail_date(date) or done_before(mail),
        reported_domains=(host,) if is_domain(host) else (),
        reported_uris=(url,),
        reporter=read_reporter(mail),
        source_reason=reason if address else "the entry names no address",
        extra={"safe_browsing": {"list": words}},
    )
