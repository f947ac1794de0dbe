"""X-ARF 0.1 and 0.2: a mail with a YAML report as second text part, plain, bulk (several reports) or signed.

Fields by the schemas on x-arf.org: Category, Report-Type, Source, Source-Type, Date and a few more. Port is the
attacked port, not the attacker's, so it is no source port. Reporters who build the YAML by hand break it
("Schema-URL: http: //…"): then it is read line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from ..vocabulary import Category, ParsedComplaint
from .accounts import accounts_in_header
from .addresses import addresses_in, read_address
from .arf import read_reporter
from .dates import read_mail_date
from .errors import MalformedComplaint
from .header_text import Headers, bare_address
from .json_documents import REPORTS_ON_SENDING, sorted_out
from .mail import Mail
from .originals import read_headers_of, received_lines
from .texts import done_before
from .traces import traces_of
from .xarf4 import address_of_url, host_of, is_domain

NAME: Final = "xarf02"
RANK: Final = 35

MOST_BYTES = 8 * 2**10  # of one report; a real one has half a kilobyte
MOST_BRACKETS = 50  # the parser's time grows with the square of their depth
MOST_REPORTS = 500
MOST_PROSE = 64 * 2**10
MARKS: Final = ("x-arf", "x-xarf")
TELLING: Final = ("category", "report-type", "source", "source-type", "reported-from", "schema-url", "report-id")
ENOUGH = 4  # of the telling fields
FIELD = re.compile(r"^([A-Za-z][A-Za-z-]{2,30}):[ \t]+(.*)$", re.M)
DOCUMENT_ENDS = re.compile(r"^---[ \t]*$", re.M)

CATEGORIES: Final = {  # by Report-Type first, then by Category
    "phishing": Category.PHISHING, "phish": Category.PHISHING,
    "malware": Category.MALWARE, "malware-attack": Category.MALWARE, "virus": Category.MALWARE,
    "botnet": Category.BOT, "bot": Category.BOT, "botnet-infection": Category.BOT,
    "login-attack": Category.LOGIN_ATTACK, "bruteforce": Category.LOGIN_ATTACK, "auth": Category.LOGIN_ATTACK,
    "ssh": Category.LOGIN_ATTACK, "imap": Category.LOGIN_ATTACK, "pop3": Category.LOGIN_ATTACK,
    "sip": Category.LOGIN_ATTACK, "ftp": Category.LOGIN_ATTACK, "wordpress": Category.LOGIN_ATTACK,
    "portscan": Category.SCAN, "port-scan": Category.SCAN, "scan": Category.SCAN, "portflood": Category.DDOS,
    "ddos": Category.DDOS, "dos": Category.DDOS,
    "spam": Category.SPAM, "spamvertised": Category.SPAM, "regbot": Category.BOT, "harvesting": Category.BOT,
    "copyright": Category.COPYRIGHT, "trademark": Category.COPYRIGHT,
    "openresolver": Category.VULNERABLE, "open-relay": Category.VULNERABLE, "vulnerability": Category.VULNERABLE,
}  # fmt: skip
BY_CATEGORY: Final = {"fraud": Category.FRAUD, "abuse": Category.OTHER, "info": Category.OTHER}

Report = dict[str, str]


def recognises(mail: Mail) -> bool:
    if mail.report_type in REPORTS_ON_SENDING:
        return False
    if b"ource:" not in mail.data and not any(mark in mail.headers for mark in MARKS):
        return False
    return any(seems_report(document) for document in documents_of(mail))


def documents_of(mail: Mail) -> Iterator[str]:
    for part in mail.parts:
        if part.content_type in ("text/plain", "text/yaml", "text/x-yaml", "application/yaml", "application/x-yaml"):
            yield from DOCUMENT_ENDS.split(part.text)


def reports_of(mail: Mail) -> list[Report]:
    documents = [document for document in documents_of(mail) if seems_report(document)]
    if len(documents) > MOST_REPORTS:
        mail.problems.append(f"X-ARF: only the first {MOST_REPORTS} of {len(documents)} reports were read")
    return [read_yaml(document[:MOST_BYTES], mail) for document in documents[:MOST_REPORTS]]


def seems_report(document: str) -> bool:
    names = {name.lower() for name, _ in FIELD.findall(document[:MOST_BYTES])}
    return "source" in names and sum(name in names for name in TELLING) >= ENOUGH


def read_yaml(document: str, mail: Mail) -> Report:
    """Flat text fields only: aliases and nested values have no place in a report, so no bomb can unfold."""
    try:
        if sum(document.count(mark) for mark in "[{") > MOST_BRACKETS:
            raise ValueError("brackets in brackets")
        # BaseLoader makes nothing but text of a scalar, so version 0.10 stays "0.10"; safe_load would make it 0.1.
        value = yaml.load(document, Loader=yaml.BaseLoader)  # noqa: S506  it constructs no objects
    except (yaml.YAMLError, RecursionError, ValueError):
        if (told := "X-ARF: the report is no YAML; read line by line") not in mail.problems:
            mail.problems.append(told)
        return {name.lower(): text.strip(" \t\"'") for name, text in reversed(FIELD.findall(document))}
    if not isinstance(value, Mapping):
        return {}
    return {str(name).lower(): text.strip() for name, text in value.items() if isinstance(text, str)}


def parse(mail: Mail) -> list[ParsedComplaint]:
    reports = reports_of(mail)
    found = [read_report(report, mail) for report in reports]
    if not any(complaint.source_ip or complaint.reported_uris or complaint.reported_domains for complaint in found):
        raise MalformedComplaint(f"X-ARF: Source {reports[0].get('source', '')[:100]!r} names nobody")
    return found


def read_report(report: Report, mail: Mail) -> ParsedComplaint:
    source = report.get("source", "")
    uris = (source,) if "://" in source else ()
    domains = [host_of(source) or "" if uris else source, report.get("domain", "")]
    address, reason = read_source(source, mail)
    headers = attached_headers(mail)
    return ParsedComplaint(
        category=read_category(report),
        source_ip=address,
        arrival_date=read_mail_date(report.get("date")) or done_before(mail),
        reported_domains=tuple(dict.fromkeys(each.lower() for each in domains if is_domain(each))),
        reported_uris=uris,
        original_subject=headers.readable("subject") if headers else None,
        reporter=read_reporter(mail) or bare_address(report.get("reported-from")),
        user_agent=report.get("user-agent") or None,
        version=report.get("version") or None,
        received=received_lines(headers),
        traces=traces_of(headers),
        accounts=accounts_in_header(headers, mail.account_headers),
        source_reason=reason,
        extra=read_extra(report),
    )


def attached_headers(mail: Mail) -> Headers | None:
    for part in mail.parts:
        if part.content_type.startswith(("message/rfc822", "text/rfc822")):
            return read_headers_of(part.payload[:MOST_PROSE])
    return None


def read_source(source: str, mail: Mail) -> tuple[str | None, str]:
    if address := read_address(source):
        return address, "Source field of the X-ARF report"
    if address := address_of_url(source):
        return address, "host of the reported URL"
    # A URL names no address; where the text beside the report names just one, it is the server's.
    named = {each for part in mail.parts[:1] for _, each in addresses_in(part.text[:MOST_PROSE])}
    if len(named) == 1:
        return named.pop(), "the only address in the text beside the X-ARF report"
    return None, "the X-ARF report names no address"


def read_category(report: Report) -> Category:
    kind = report.get("report-type", "").lower()
    return CATEGORIES.get(kind) or BY_CATEGORY.get(report.get("category", "").lower(), Category.OTHER)


def read_extra(report: Report) -> dict[str, Any]:
    taken = ("source", "date", "user-agent", "version")
    said = {name: value for name, value in report.items() if name not in taken}
    return sorted_out(said, {"service": "service", "port": "destination_port"}, NAME)
