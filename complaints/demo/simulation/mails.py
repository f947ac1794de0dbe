"""Complaints as bytes, in the formats that reporters really send, each with the faults of its source. Pure.

On top of each stands what our own mail server writes when it takes a mail: the right time, and who signed it.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.message import Message
from email.utils import format_datetime

from complaints.demo.simulation.abuse import Abuse, original, victim
from complaints.demo.simulation.sources import Source

DESK = "abuse@isp.example"
OUR_MX = "mx.isp.example"  # also its authserv-id
MAIL_TIME = "%a, %d %b %Y %H:%M:%S"
ISO_TIME = "%Y-%m-%d %H:%M:%S"
LOG_TIME = "%b %e %H:%M:%S"


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What a source writes of one abuse. accused: the address it names, right or wrong."""

    abuse: Abuse
    accused: str
    port: int | None


def complaint(source: Source, reports: Sequence[Report], *, sent_at: datetime) -> bytes:
    """Ready for SMTP. Only a table holds more than one report."""
    subject, kind, body = STYLES[source.style](source, reports, sent_at)
    number = reports[0].abuse.number
    head = (
        f"{trace(source, number, sent_at)}"
        f"From: <{source.email}>\r\nTo: <{DESK}>\r\nSubject: {subject}\r\n"
        f"Date: {format_datetime(source.clock(sent_at))}\r\n"
        f"Message-ID: <{number:08x}.{source.number}.{int(sent_at.timestamp())}@{source.domain}>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n"
    )
    return (head + body).encode("ascii")


def answer_to(source: Source, question: Message, lines: Sequence[str], *, at: datetime) -> bytes:
    """What a person at the source replies to a mail of the desk."""
    named = question["Message-ID"]
    head = (
        f"{trace(source, int(at.timestamp()) % 0xFFFFFFF, at)}"
        f"From: <{source.email}>\r\nTo: <{DESK}>\r\nSubject: Re: {question['Subject']}\r\n"
        f"Date: {format_datetime(source.clock(at))}\r\nMessage-ID: <{int(at.timestamp())}.answer@{source.domain}>\r\n"
        f"In-Reply-To: {named}\r\nReferences: {named}\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
    )
    return (head + "Hello,\r\n\r\n" + "\r\n".join(lines) + "\r\n\r\nRegards\r\n").encode("ascii", "replace")


def trace(source: Source, number: int, sent_at: datetime) -> str:
    peer = f"203.0.113.{source.number % 250 + 2}"
    signed = f"dkim=pass header.d={source.domain}; " if source.signed else ""
    return (
        f"Authentication-Results: {OUR_MX}; {signed}spf=none smtp.mailfrom={source.domain}\r\n"
        f"Received: from {source.mx} ({source.mx} [{peer}])\r\n"
        f"\tby {OUR_MX} (Postfix) with ESMTPS id {number:07X}{source.number:04X}\r\n"
        f"\tfor <{DESK}>; {format_datetime(sent_at)}\r\n"
    )


def stated(source: Source, at: datetime, form: str) -> str:
    """The time of the abuse as this source writes it: see sources.ZONES."""
    local = source.clock(at)
    if source.zone == "bare_utc":
        return local.astimezone(UTC).strftime(form)
    if source.zone == "bare_local":
        return local.strftime(form)
    return local.strftime(f"{form} " + ("+0000" if source.zone == "wrong" else "%z"))


def arf(source: Source, reports: Sequence[Report], sent_at: datetime) -> tuple[str, str, str]:
    """RFC 5965; Source-Port as RFC 6692 has it."""
    (report,) = reports
    abuse = report.abuse
    boundary = f"=_fbl_{abuse.number:08x}"
    port = f"Source-Port: {report.port}\r\n" if report.port else ""
    parts = (
        "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
        f"This is an email abuse report for an email message received from IP {report.accused}\r\n"
        f"on {stated(source, abuse.at, MAIL_TIME)}. For more information see RFC 5965.\r\n",
        "Content-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: abuse\r\nUser-Agent: Loop{source.number}/2.1\r\nVersion: 1\r\n"
        f"Original-Mail-From: <{abuse.sender}>\r\nOriginal-Rcpt-To: <{victim(abuse, source)}>\r\n"
        f"Arrival-Date: {stated(source, abuse.at, MAIL_TIME)}\r\nReporting-MTA: dns; {source.mx}\r\n"
        f"Source-IP: {report.accused}\r\n{port}Reported-Domain: {abuse.sender_domain}\r\n",
        f"Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n{original(abuse, source)}",
    )
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    kind = f'multipart/report; report-type=feedback-report;\r\n\tboundary="{boundary}"'
    return f"Email abuse report for {report.accused}", kind, body


XARF_TYPES = {"spam": ("messaging", "spam"), "login_attack": ("connection", "login_attack"),
              "bot": ("infrastructure", "botnet"), "phishing": ("content", "phishing")}  # fmt: skip


def xarf(source: Source, reports: Sequence[Report], sent_at: datetime) -> tuple[str, str, str]:
    """XARF 4.2, with the mail itself as evidence where it was one."""
    (report,) = reports
    abuse = report.abuse
    who = {"org": f"Watch {source.number}", "contact": source.email, "domain": source.domain}
    category, kind = XARF_TYPES[abuse.category]
    document: dict[str, object] = {
        "xarf_version": "4.2.0",
        "report_id": str(uuid.UUID(int=abuse.number << 64 | source.number, version=4)),
        "timestamp": stated(source, abuse.at, "%Y-%m-%dT%H:%M:%S").replace(" ", ""),
        "reporter": who, "sender": who, "source_identifier": report.accused, "category": category, "type": kind,
    }  # fmt: skip
    if report.port:
        document["source_port"] = report.port
    if abuse.category == "spam":
        payload = base64.b64encode(original(abuse, source).encode()).decode()
        document |= {"protocol": "smtp", "smtp_from": abuse.sender, "subject": abuse.subject}
        document["evidence"] = [{"content_type": "message/rfc822", "payload": payload}]
    if abuse.url:
        document["url"] = abuse.url
    boundary = f"=_xarf_{abuse.number:08x}"
    body = (
        f"--{boundary}\r\nContent-Type: text/plain\r\n\r\nA report in XARF, see https://xarf.org.\r\n"
        f'--{boundary}\r\nContent-Type: application/json; name="xarf.json"\r\n\r\n{json.dumps(document)}\r\n'
        f"--{boundary}--\r\n"
    )
    return f"Abuse report: {kind}", f'multipart/mixed; boundary="{boundary}"', body


def spamcop(source: Source, reports: Sequence[Report], sent_at: datetime) -> tuple[str, str, str]:
    (report,) = reports
    abuse, number = report.abuse, 6300000000 + report.abuse.number
    text = (
        "[ SpamCop V5.1.0 ]\r\nThis message is brief for your comfort.  Please use links below for details.\r\n\r\n"
        f"Email from {report.accused} / {stated(source, abuse.at, MAIL_TIME)}\r\n"
        f"https://{source.domain}/w3m?i=z{number}z\r\n\r\n[ Offending message ]\r\n{original(abuse, source)}"
    )
    return f"[SpamCop ({report.accused}) id:{number}]{abuse.subject}", "text/plain; charset=us-ascii", text


TABLES = {
    "bot": ("event4_sinkhole", '"timestamp","src_ip","src_port","infection"', "conficker"),
    "vulnerable": ("scan_dns", '"timestamp","ip","port","tag"', "openresolver"),
}


def table(source: Source, reports: Sequence[Report], sent_at: datetime) -> tuple[str, str, str]:
    """A daily feed: one row for each machine that called at the sinkhole, or answered the scanner."""
    kind, columns, word = TABLES[reports[0].abuse.category]
    rows = "".join(
        f'"{stated(source, each.abuse.at, ISO_TIME)}","{each.accused}","{each.port or ""}","{word}"\r\n'
        for each in reports
    )
    boundary = f"=_feed_{reports[0].abuse.number:08x}"
    name = f"{sent_at:%Y-%m-%d}-{kind}-isp_example-asn.csv"
    body = (
        f"--{boundary}\r\nContent-Type: text/plain\r\n\r\nThe report of the day is attached. Times are UTC.\r\n"
        f'--{boundary}\r\nContent-Type: text/csv; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"'
        f"\r\n\r\n{columns}\r\n{rows}\r\n--{boundary}--\r\n"
    )
    return f"Daily report for isp.example, {sent_at:%Y-%m-%d}", f'multipart/mixed; boundary="{boundary}"', body


def fail2ban(source: Source, reports: Sequence[Report], sent_at: datetime) -> tuple[str, str, str]:
    (report,) = reports
    at = stated(source, report.abuse.at, LOG_TIME if source.zone != "wrong" else ISO_TIME)
    port = f" port {report.port}" if report.port else ""
    text = (
        f"Dear Sir/Madam,\r\n\r\nWe have detected abuse from the IP address {report.accused}, which according to a "
        "whois lookup is on your network. We would appreciate if you would investigate and take action.\r\n\r\n"
        f"Log lines are given below.\r\n\r\nLines containing failures of {report.accused} (max 1000)\r\n"
        f"{at} host sshd[812]: Failed password for root from {report.accused}{port} ssh2\r\n"
    )
    return f"Abuse from {report.accused}", "text/plain; charset=us-ascii", text


WHAT = {"spam": "spam", "login_attack": "log-in attacks (brute force)", "phishing": "phishing"}


def words(source: Source, reports: Sequence[Report], sent_at: datetime) -> tuple[str, str, str]:
    (report,) = reports
    port = f"Source port: {report.port}\r\n" if report.port else ""
    what = WHAT[report.abuse.category]
    about = f"URL: {report.abuse.url}\r\n" if report.abuse.url else f"Subject: {report.abuse.subject}\r\n"
    text = (
        f"Hello abuse team,\r\n\r\nplease stop the {what} from your customer. This came to us, and it is not the first:"
        f"\r\n\r\nSource IP: {report.accused}\r\n{port}Time: {stated(source, report.abuse.at, ISO_TIME)}\r\n\r\n"
        f"{about}\r\nThanks, reader {source.number}\r\n"
    )
    return f"{what.capitalize()} from your network", "text/plain; charset=us-ascii", text


def pasted(source: Source, reports: Sequence[Report], sent_at: datetime) -> tuple[str, str, str]:
    (report,) = reports
    text = (
        f"Dear colleagues,\r\n\r\nwe received unsolicited bulk mail from the host {report.accused} in your network. "
        f"The full header is below.\r\nPlease look into it.\r\n\r\nReader {source.number}\r\n\r\n"
    )
    return f"UBE from {report.accused}", "text/plain; charset=us-ascii", text + original(report.abuse, source)


STYLES: dict[str, Callable[[Source, Sequence[Report], datetime], tuple[str, str, str]]] = {
    "arf": arf,
    "xarf": xarf,
    "spamcop": spamcop,
    "table": table,
    "fail2ban": fail2ban,
    "words": words,
    "pasted": pasted,
}
