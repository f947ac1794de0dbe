"""XARF v3 and its forerunners v1 and v2: JSON in a mail, attached to one, or bare. One document, one complaint.

Two dialects carry the number 3: Abusix' schema (Report.SourceIp, Samples) and the one that the v4 project prints in its
conversion guide (Report.Source.IP, Attachment). Both are read by the same tables. The package `xarf` converts v3 too,
but knows one in twenty of the reports seen in the field, and none without a Protocol.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from ..vocabulary import Category, ParsedComplaint
from .accounts import accounts_in_header
from .addresses import read_address
from .arf import read_reporter
from .dates import read_mail_date
from .errors import MalformedComplaint
from .header_text import bare_address, bare_id
from .json_documents import dict_of, documents, port_of, text_of
from .mail import Mail
from .originals import received_lines, source_from_received
from .texts import done_before
from .traces import traces_of
from .xarf3_rules import breaches
from .xarf4 import address_of_url, contact_of, feedback_type_of, host_of, in_header, is_domain, original_of

NAME: Final = "xarf3"
RANK: Final = 24

CATEGORIES: Final = {  # ReportType in lower case, without hyphens
    "spam": Category.SPAM,
    "phishing": Category.PHISHING,
    "malware": Category.MALWARE,
    "botnet": Category.BOT,
    "bot": Category.BOT,
    "loginattack": Category.LOGIN_ATTACK,
    "portscan": Category.SCAN,
    "dos": Category.DDOS,
    "ddos": Category.DDOS,
    "openservice": Category.VULNERABLE,
    "vulnerability": Category.VULNERABLE,
    "copyright": Category.COPYRIGHT,
    "trademark": Category.COPYRIGHT,
    "fraud": Category.FRAUD,
    "potentiallycompromisedaccount": Category.OTHER,
    "webcrawler": Category.SCAN,
    "exploit": Category.SCAN,
    "cveexploit": Category.SCAN,
}
BY_CLASS: Final = {"vulnerability": Category.VULNERABLE}
URLS: Final = ("SourceUrl", "SourceUri", "Url", "URL", "ReportedUrl")
DOMAINS: Final = ("SourceDomain", "Domain")  # not RpzDomain: that is where the customer's machine wanted to go
# v3 → v4 where the meaning is the same; whatever else stands in the report is kept below "xarf3".
V4_NAMES: Final = {
    "DestinationIp": "destination_ip",
    "DestinationPort": "destination_port",
    "FirstSeen": "first_seen",
    "LastSeen": "last_seen",
    "TransportProtocol": "protocol",
    "Protocol": "protocol",
    "ServiceName": "service",
    "ServiceVersion": "service_version",
    "InfringedMaterial": "work_title",
    "MalwareName": "malware_family",
    "AttackDescription": "description",
}
READ: Final = frozenset({"Date", "SourceIp", "SourcePort", "Samples", "Sample", "Attachment", *V4_NAMES})


def recognises(mail: Mail) -> bool:
    return any(is_report(document) for document in documents(mail))


def is_report(document: Mapping[str, Any]) -> bool:
    """The oldest ones bear no Version; a broken one may lack either half."""
    if "xarf_version" in document:
        return False
    halves = ("ReporterInfo" in document) + ("Report" in document)
    return halves == 2 or (halves == 1 and "Version" in document) or document.keys() == {"Version"}


def parse(mail: Mail) -> list[ParsedComplaint]:
    reports = [document for document in documents(mail) if is_report(document)]
    for number, report in enumerate(reports, start=1):
        place = f"XARF v3 report {number}: " if len(reports) > 1 else "XARF v3: "
        mail.problems += [place + breach for breach in breaches(report)]
    found = [read_report(report, mail) for report in reports if isinstance(report.get("Report"), dict)]
    if not found:
        raise MalformedComplaint("; ".join(mail.problems[:3]))
    return found


def read_report(document: Mapping[str, Any], mail: Mail) -> ParsedComplaint:
    report, reporter = dict_of(document.get("Report")), dict_of(document.get("ReporterInfo"))
    source = dict_of(report.get("Source"))
    more = dict_of(report.get("AdditionalInfo"))
    uris = read_uris(report, source)
    evidence = read_evidence(report)
    original = original_of({"evidence": evidence})
    received = received_lines(original)
    address, reason, _ = read_source(report, source, uris, received, mail)
    mail_from = text_of(report.get("SmtpMailFromAddress")) or text_of(more.get("SMTPFrom"))
    subject = text_of(report.get("SmtpMessageSubject")) or text_of(more.get("Subject"))
    return ParsedComplaint(
        category=read_category(report),
        feedback_type=feedback_type_of(mail),
        source_ip=address,
        source_port=port_of(report.get("SourcePort")) or port_of(source.get("Port")),
        arrival_date=read_mail_date(text_of(report.get("Date"))) or done_before(mail),
        reported_domains=read_domains(report, uris),
        reported_uris=uris,
        original_mail_from=bare_address(mail_from),
        original_rcpt_to=tuple(filter(None, [bare_address(text_of(report.get("SmtpRcptToAddress")))])),
        original_message_id=bare_id(in_header("message-id", original)),
        original_subject=subject or in_header("subject", original),
        reporter=read_reporter(mail) or contact_of(reporter.get("ReporterOrgEmail")),
        version=text_of(document.get("Version")),
        received=received,
        traces=traces_of(original),
        accounts=accounts_in_header(original, mail.account_headers),
        source_reason=reason,
        extra=read_extra(document, report, reporter, evidence),
    )


def read_category(report: Mapping[str, Any]) -> Category:
    kind = (text_of(report.get("ReportType")) or "").lower().replace("-", "").replace("_", "")
    return CATEGORIES.get(kind) or BY_CLASS.get((text_of(report.get("ReportClass")) or "").lower(), Category.OTHER)


def read_uris(report: Mapping[str, Any], source: Mapping[str, Any]) -> tuple[str, ...]:
    named = [text_of(report.get(name)) for name in URLS] + [text_of(source.get(name)) for name in ("URL", "Url")]
    return tuple(dict.fromkeys(uri for uri in named if uri))


def read_domains(report: Mapping[str, Any], uris: tuple[str, ...]) -> tuple[str, ...]:
    named = [text_of(report.get(name)) or "" for name in DOMAINS] + [host_of(uri) or "" for uri in uris]
    return tuple(dict.fromkeys(name.lower() for name in named if is_domain(name)))


def read_source(
    report: Mapping[str, Any], source: Mapping[str, Any], uris: tuple[str, ...], received: tuple[str, ...], mail: Mail
) -> tuple[str | None, str, str | None]:
    for place, value in (("Report.SourceIp", report.get("SourceIp")), ("Report.Source.IP", source.get("IP"))):
        if address := read_address(text_of(value)):
            return address, place, None
    for uri in uris:
        if address := address_of_url(uri):
            return address, "host of the reported URL", None
    return source_from_received(received, mail.is_ours)


def read_evidence(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Samples (Abusix), Sample (seen in mails: one object) and Attachment (v4's guide) as v4's evidence, in base64."""
    items: list[Any] = []
    for name in ("Samples", "Sample", "Attachment"):
        value = report.get(name)
        items += value if isinstance(value, list) else [value] if isinstance(value, dict) and value else []
    return [read_sample(item) for item in items if isinstance(item, dict)]


def read_sample(sample: Mapping[str, Any]) -> dict[str, Any]:
    payload = str(sample.get("Payload") or sample.get("Data") or "")
    if sample.get("Base64Encoded") is False:
        payload = base64.b64encode(payload.encode("utf-8", "replace")).decode()
    kept = {"content_type": text_of(sample.get("ContentType")) or "text/plain", "payload": payload}
    return kept | ({"description": sample["Description"]} if text_of(sample.get("Description")) else {})


def read_extra(
    document: Mapping[str, Any],
    report: Mapping[str, Any],
    reporter: Mapping[str, Any],
    evidence: list[dict[str, Any]],
) -> dict[str, Any]:
    extra: dict[str, Any] = {"legacy_version": "3"}
    contact = {
        "org": reporter.get("ReporterOrg"),
        "contact": reporter.get("ReporterOrgEmail") or reporter.get("ReporterContactEmail"),
        "domain": reporter.get("ReporterOrgDomain"),
    }
    if any(contact.values()):
        extra["reporter"] = extra["sender"] = {name: value for name, value in contact.items() if value}
    extra |= {V4_NAMES[name]: report[name] for name in V4_NAMES if report.get(name) is not None}
    if evidence:
        extra["evidence"] = evidence
    rest = {name: value for name, value in document.items() if name not in ("Report", "Version")}
    rest["Report"] = {name: value for name, value in report.items() if name not in READ}
    return extra | {"xarf3": rest}
