"""Complaints that humans and scripts write as text: the last format asked, for whatever no other one knows.

The address is looked for where it is said most plainly: after a label or phrase of the reporter ("Source IP:"), in the
pasted or attached original's Received lines from their trusted end, and last anywhere in his words. Our own mail
servers stand in the outer header; that is never read for addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .accounts import accounts_in_header
from .addresses import addresses_in
from .arf import read_reporter
from .dates import MAIL_TIME, dates_in, read_mail_date, stated_zone, zone_of
from .header_text import bare_address, bare_id
from .mail import Mail
from .named_sources import IS, LINE_START, in_passing, said_to_be_source
from .originals import received_lines, source_from_received
from .plain_words import STRONG, category_of
from .reporter_words import Reading, read_words
from .traces import traces_of

NAME: Final = "freetext"
RANK: Final = 1000

MOST_COMPLAINTS = 500
MOST_URIS = 200
RECENT = timedelta(days=7)

TIME_LABEL = re.compile(
    rf"{LINE_START}(?:[\w ]{{0,20}}\b)?(?:date|time|timestamp|first_?seen|last_?seen|seen|datum|zeit|zeitpunkt)\b"
    r"[^:=\n]{0,24}[:=][\s\"'*]{0,10}",
    re.I | re.M,
)
PORT_LABEL = re.compile(r"\b(?:source|src)[\s_-]?port[\"'*]{0,3} ?[:=]\s{0,3}[\"']?(\d{1,5})\b", re.I)
URI_LINE = re.compile(
    rf"{LINE_START}(?:(?:source|uri|url|link){IS})?(h(?:tt|xx)ps?://[^\s\"'<>]{{4,2000}})", re.I | re.M
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
    clock = Clock(stated_zone(words), read_mail_date(mail.headers.first("date")), mail.headers.first("date"))
    beside, time = times_beside(reading.words, clock), time_of_all(reading.words, clock)
    return [
        ParsedComplaint(
            category=category,
            source_ip=address,
            source_port=find_port(reading.words) if len(sources) == 1 else None,
            arrival_date=read_mail_date(hop_time) or beside.get(address or "", time),
            reported_uris=uris,
            original_mail_from=bare_address(original.first("return-path")) if original else None,
            original_message_id=bare_id(original.first("message-id")) if original else None,
            original_subject=original.readable("subject") if original else None,
            reporter=read_reporter(mail),
            received=received,
            traces=traces_of(original),
            accounts=accounts_in_header(original, mail.account_headers),
            source_reason=reason,
        )
        for address, reason in list(sources.items())[:MOST_COMPLAINTS] or [(None, "the text names no address")]
    ]


def find_sources(
    words: str, received: tuple[str, ...], is_ours: Callable[[str], bool] | None
) -> tuple[dict[str | None, str], str | None]:
    """→ (addresses with the reason for each, the time of the Received line if that decided)."""
    hop_address, hop_reason, hop_time = source_from_received(received, is_ours)
    named: dict[str | None, str] = dict.fromkeys(said_to_be_source(words), "named as the source in the text")
    levels: list[tuple[dict[str | None, str], str | None]] = [
        (named, hop_time if list(named) == [hop_address] else None),
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


@dataclass(frozen=True, slots=True)
class Clock:
    """How the dates of one text are taken: people and servers write their local time, as their mail's Date does."""

    stated: timedelta | None
    sent: datetime | None
    mail_date: str | None

    @property
    def zone(self) -> timedelta:
        """Of a mail's Date it is a guess: a log that was pasted into it may be another machine's."""
        return self.stated if self.stated is not None else zone_of(self.mail_date)

    @property
    def zone_known(self) -> bool:
        return self.stated is not None

    def dates_in(self, text: str) -> list[datetime]:
        return list(dates_in(text, self.zone, self.sent, zone_known=self.zone_known))


def times_beside(words: str, clock: Clock) -> dict[str, datetime]:
    """For each address the newest date that stands in one line with it."""
    newest: dict[str, datetime] = {}
    for line in words.split("\n"):
        dates = clock.dates_in(line) if "-" in line or "/" in line or ":" in line or "." in line else []
        if dates:
            for _, address in addresses_in(line):
                newest[address] = max(newest.get(address, dates[0]), *dates)
    return newest


def time_of_all(words: str, clock: Clock) -> datetime | None:
    """After a label; else the newest of the days before the mail; else some time before the mail was written."""
    for label in islice(TIME_LABEL.finditer(words), MOST_COMPLAINTS):
        if at := read_mail_date(words[label.end() : label.end() + 60], clock.zone, zone_known=clock.zone_known):
            return at
    dates = clock.dates_in(words)
    if clock.sent is None:
        return dates[0] if dates else None
    recent = [at for at in dates if clock.sent - RECENT <= at <= clock.sent and has_clock(at)]
    return max(recent, default=clock.sent.replace(tzinfo=MAIL_TIME))


def has_clock(at: datetime) -> bool:
    """A bare day is of no use where an address changes its owner during the day."""
    return bool(at.hour or at.minute or at.second)


def find_port(words: str) -> int | None:
    found = PORT_LABEL.search(words)
    return int(found[1]) if found and 0 < int(found[1]) < 65536 else None


def find_uris(reading: Reading, category: Category) -> tuple[str, ...]:
    if category not in URI_CATEGORIES:
        return ()
    found = (match[1] for match in URI_LINE.finditer(reading.words))
    written = (re.sub(r"^hxxp", "http", uri, flags=re.I).replace("[.]", ".").rstrip(".,;)]") for uri in found)
    return tuple(dict.fromkeys(written))[:MOST_URIS]
