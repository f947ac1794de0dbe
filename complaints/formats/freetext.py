"""Complaints that humans and scripts write as text: the last format asked, for whatever no other one knows.

The address is looked for where it is said most plainly: after a label or phrase of the reporter ("Source IP:"), in the
pasted or attached original's Received lines from their trusted end, and last anywhere in his words. Our own mail
servers stand in the outer header; that is never read for addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import addresses_in, is_public
from .arf import read_reporter
from .dates import dates_in, read_mail_date
from .header_text import bare_address, bare_id
from .mail import Mail
from .originals import received_lines, source_from_received
from .plain_words import STRONG, category_of
from .reporter_words import Reading, read_words

NAME: Final = "freetext"
RANK: Final = 1000

MOST_COMPLAINTS = 500
MOST_URIS = 200

ADDRESS_FOLLOWS = r"(?=[0-9A-Fa-f:]{1,4}[.:\[(])"
SIDES = r"source|src|attacker|offender|abuser|ip|host"
NAMES = (
    rf"(?:{SIDES}|source[\s_-]*(?:ip|address|identifier|host)|src[\s_-]*ip|attacker[\s_-]*ip"
    r"|ip[\s_/-]*(?:addr(?:ess)?|cidr|adresse)|remote[\s_-]*(?:ip|host|addr(?:ess)?))"
)
LABEL = re.compile(
    r"^[\s>*\-\"'#]*"
    r"(?:(?:offending/?|attacking|infringing|reported|abusive|originating|sender(?:'?s)?)\s*)?"
    rf"{NAMES}(?:\s*\([^)\n]{{0,20}}\))?[\"'*]*\s*[:=][\s\"'\[*(<]*{ADDRESS_FOLLOWS}",
    re.I | re.M,
)
PHRASE = re.compile(
    r"(?:\b(?:from|of|by|on|with|about|behind|using)\s+(?:the\s+|your\s+|this\s+|following\s+){0,3}"
    r"(?:ip|server|host|machine|customer|computer)(?:[\s-]*(?:addr(?:ess)?|number))?\s*:?"
    r"|\bsrc\s*:|\bemail from|\bip[\s-]*(?:adresa|adresy|adresse|address)\b(?:\s+is)?\s*:?"
    r"|\b(?:attack|abuse|spam|malware|scan|scanning|intrusion|probes?|logins?|activity|attempts?|connections?|hosted)"
    r"\s+(?:from|on)|\b(?:your server|the source|spamcop))"
    rf"[\s\[(*\"'<]*{ADDRESS_FOLLOWS}",
    re.I,
)
# Said of the attacked side: such an address is the reporter's own.
TARGET = re.compile(
    r"(?:\b(?:to|target(?:ed)?|dest(?:ination)?|dst|victim|our|attacked|honeypot|sensor|reporter|local)\b"
    r"[\w\s_/-]{0,25})[:=\s\[(\"']*$",
    re.I,
)
TIME_LABEL = re.compile(
    r"^[\s>*\-\"']*(?:[\w ]{0,20}\b)?(?:date|time|timestamp|first_?seen|last_?seen|seen|datum|zeit|zeitpunkt)\b"
    r"[^:=\n]{0,24}[:=][\s\"'*]*",
    re.I | re.M,
)
PORT_LABEL = re.compile(r"\b(?:source|src)[\s_-]?port[\"'*]*\s*[:=]\s*[\"']?(\d{1,5})\b", re.I)
URI_LINE = re.compile(
    r"^[\s>*\-\"']*(?:(?:source|uri|url|link)[\"'*]*\s*[:=][\s\"']*)?(h(?:tt|xx)ps?://[^\s\"'<>]{4,2000})", re.I | re.M
)
URI_CATEGORIES = (Category.PHISHING, Category.MALWARE, Category.COPYRIGHT, Category.FRAUD)


def recognises(mail: Mail) -> bool:
    return bool(read_once(mail))


def parse(mail: Mail) -> list[ParsedComplaint]:
    return read_once(mail)


def read_once(mail: Mail) -> list[ParsedComplaint]:
    """Recognising is reading here: the answer is kept on the mail, so that it is read one time."""
    if mail.free_text is None:
        mail.free_text = read_complaints(mail)
    return mail.free_text


def read_complaints(mail: Mail) -> list[ParsedComplaint]:
    reading = read_words(mail)
    subject = mail.headers.readable("subject") or ""
    original = reading.originals[0] if reading.originals else None
    received = received_lines(original)
    words = f"{subject}\n{reading.words}"
    category = category_of(subject, reading.words)
    sources, hop_time = find_sources(words, received, mail.is_ours)
    if category is None and not received:
        return []  # an address in passing, and nobody complains
    if category is Category.OTHER and not sources:
        return []
    if category is None:
        category = Category.SPAM  # a mail sent on to the abuse desk without a word
    uris = find_uris(reading, category)
    if not sources and not (STRONG.search(words) and uris) and not received:
        return []
    return [
        ParsedComplaint(
            category=category,
            source_ip=address,
            source_port=find_port(reading.words) if len(sources) == 1 else None,
            arrival_date=find_time(reading.words, address, hop_time, mail),
            reported_uris=uris,
            original_mail_from=bare_address(original.first("return-path")) if original else None,
            original_message_id=bare_id(original.first("message-id")) if original else None,
            original_subject=original.readable("subject") if original else None,
            reporter=read_reporter(mail),
            received=received,
            source_reason=reason,
        )
        for address, reason in list(sources.items())[:MOST_COMPLAINTS] or [(None, "the text names no address")]
    ]


def find_sources(
    words: str, received: tuple[str, ...], is_ours: Callable[[str], bool] | None
) -> tuple[dict[str | None, str], str | None]:
    """→ (addresses with the reason for each, the time of the Received line if that decided)."""
    hop_address, hop_reason, hop_time = source_from_received(received, is_ours)
    levels: list[tuple[dict[str | None, str], str | None]] = [
        (dict.fromkeys(said_to_be_source(words), "named as the source in the text"), None),
        ({hop_address: hop_reason} if hop_address else {}, hop_time),
        (dict.fromkeys(in_passing(words), "named in the text"), None),
    ]
    levels = [level for level in levels if level[0]]
    if is_ours is not None:
        for found, time in levels:
            ours: dict[str | None, str] = {ip: reason for ip, reason in found.items() if ip and is_ours(ip)}
            if ours:
                return ours, time
    return levels[0] if levels else ({}, None)


def said_to_be_source(words: str) -> Iterable[str]:
    found: dict[str, None] = {}
    for pattern in (LABEL, PHRASE):
        for label in pattern.finditer(words):
            for place, address in addresses_in(words[label.end() : label.end() + 60]):
                if place == 0:
                    found[address] = None
                break
        if found:
            break
    return found


def in_passing(words: str) -> Iterable[str]:
    """Every address that is not said to be the attacked side; private ones only where there is no other."""
    found = [
        address
        for place, address in addresses_in(words)
        if not TARGET.search(words[words.rfind("\n", 0, place) + 1 : place])
    ]
    public = [address for address in found if is_public(address)]
    return dict.fromkeys(public or [address for address in found if not address.startswith("127.")])


def find_time(words: str, address: str | None, hop_time: str | None, mail: Mail) -> datetime | None:
    """Beside the address; else after a label; else anywhere in the text; else when the mail was written."""
    if hop_time and (at := read_mail_date(hop_time)):
        return at
    if address:
        beside = [at for line in words.split("\n") if address in line for at in dates_in(line)]
        if beside:
            return max(beside)  # of many log lines the newest
    for label in TIME_LABEL.finditer(words):
        if at := read_mail_date(words[label.end() : label.end() + 60]):
            return at
    outer = read_mail_date(mail.headers.first("date"))
    return outer or next(iter(dates_in(words)), None)


def find_port(words: str) -> int | None:
    found = PORT_LABEL.search(words)
    return int(found[1]) if found and 0 < int(found[1]) < 65536 else None


def find_uris(reading: Reading, category: Category) -> tuple[str, ...]:
    if category not in URI_CATEGORIES:
        return ()
    found = (match[1] for match in URI_LINE.finditer(reading.words))
    written = (re.sub(r"^hxxp", "http", uri, flags=re.I).replace("[.]", ".").rstrip(".,;)]") for uri in found)
    return tuple(dict.fromkeys(written))[:MOST_URIS]
