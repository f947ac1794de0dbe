"""The block of fields that X-ARF 0.1 and 0.2 attach as report.txt, for the reporters whose prose says more than it.

What every X-ARF mail has in common stands here; each reporter's own file adds what only he writes.
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
from .texts import done_before

MOST_BLOCK: Final = 20_000
BEGINS = re.compile(r"^(?:reported-from|reported_from|category|report-type|user-agent)[ \t]*:", re.I | re.M)
HOST = re.compile(r"h(?:tt|xx)ps?://(?:[^/@\s]*@)?(\[[0-9a-f:.]+\]|[^/:?#\s]+)", re.I)

# Report-Type as reporters fill it in: X-ARF's schemata, blocklist.de's services, CleanMX's and Netcraft's own words.
TYPES: Final = {
    "phishing": Category.PHISHING, "phishing-attack": Category.PHISHING, "scam": Category.FRAUD,
    "malware": Category.MALWARE, "malware-attack": Category.MALWARE, "malware_attack": Category.MALWARE,
    "virus": Category.MALWARE, "trojan": Category.MALWARE, "rootkit": Category.MALWARE, "webshell": Category.MALWARE,
    "botnet": Category.BOT, "bot-infection": Category.BOT, "regbot": Category.BOT, "badbot": Category.BOT,
    "badbots": Category.BOT, "ircbot": Category.BOT, "harvesting": Category.BOT,
    "login-attack": Category.LOGIN_ATTACK, "loginattack": Category.LOGIN_ATTACK, "ssh": Category.LOGIN_ATTACK,
    "imap": Category.LOGIN_ATTACK, "pop3": Category.LOGIN_ATTACK, "courierpop3": Category.LOGIN_ATTACK,
    "courierimap": Category.LOGIN_ATTACK, "ftp": Category.LOGIN_ATTACK, "proftpd": Category.LOGIN_ATTACK,
    "sip": Category.LOGIN_ATTACK, "asterisk": Category.LOGIN_ATTACK, "postfix": Category.LOGIN_ATTACK,
    "mail": Category.LOGIN_ATTACK, "sasl": Category.LOGIN_ATTACK, "bruteforcelogin": Category.LOGIN_ATTACK,
    "portscan": Category.SCAN, "scan": Category.SCAN, "apache": Category.SCAN, "rfi-attack": Category.SCAN,
    "ddos": Category.DDOS, "apacheddos": Category.DDOS, "portflood": Category.DDOS,
    "openproxy": Category.VULNERABLE, "open-relay": Category.VULNERABLE, "openrelay": Category.VULNERABLE,
    "spam": Category.SPAM, "spamvertized": Category.SPAM, "comment-spam": Category.SPAM,
    "copyright": Category.COPYRIGHT, "trademark": Category.COPYRIGHT,
}  # fmt: skip
CATEGORIES: Final = {"fraud": Category.FRAUD}  # where the type is none of those


def read_block(mail: Mail) -> Headers | None:
    """The fields of the first text part that is such a block; None where there is none."""
    for part in mail.parts:
        if not part.content_type.startswith(("text/plain", "text/x-yaml", "application/x-yaml", "text/yaml")):
            continue
        text = part.text[:MOST_BLOCK]
        if BEGINS.search(text) and (fields := fields_of(text)):
            return fields
    return None


def fields_of(text: str) -> Headers | None:
    block = next((piece for piece in text.split("\n\n") if BEGINS.search(piece)), "")
    fields = Headers(block.encode("utf-8", "replace"))
    return fields if "source" in fields and ("report-type" in fields or "category" in fields) else None


def complaint_of(fields: Headers, mail: Mail, *, address: str | None = None, reason: str = "") -> ParsedComplaint:
    """The block as a complaint. `address`, from the reporter's prose, serves where the source is a page."""
    source = unquoted(fields.first("source")) or ""
    named = read_address(source) if "://" not in source else None
    domain = unquoted(fields.first("domain")) or host_of(source)
    return ParsedComplaint(
        category=category_of_block(fields),
        source_ip=named or address,
        arrival_date=read_mail_date(unquoted(fields.first("date"))) or done_before(mail),
        reported_domains=(domain.lower(),) if domain and not read_address(domain) else (),
        reported_uris=(source,) if "://" in source else (),
        reporter=read_reporter(mail),
        user_agent=unquoted(fields.first("user-agent")),
        version=unquoted(fields.first("version")),
        source_reason="Source field of the report" if named else reason if address else "the report names no address",
        extra={"report_id": named_report} if (named_report := unquoted(fields.first("report-id"))) else {},
    )


def category_of_block(fields: Headers) -> Category:
    """The port is the attacked one and says nothing of the line; the type, or else the category, does."""
    for name, table in (("report-type", TYPES), ("category", TYPES), ("category", CATEGORIES)):
        written = (unquoted(fields.first(name)) or "").lower()
        if found := table.get(written):
            return found
    return Category.OTHER


def host_of(uri: str) -> str | None:
    found = HOST.match(uri)
    return found[1] if found else None


def unquoted(value: str | None) -> str | None:
    """YAML allows quotes round a value."""
    return (value.strip().strip("'\"").strip() or None) if value else None
