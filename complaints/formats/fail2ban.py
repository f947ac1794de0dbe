"""Mails of fail2ban and of scripts that write like it: one address that was banned, with the lines of the log.

Its own texts are the "complain" action ("We have detected abuse from the IP address …") and the mail to the operator,
sent on ("The IP … has just been banned by Fail2Ban"); both put "Lines containing failures of …" above the log. A log
line of sshd names the source port, without which nobody behind a shared address can be found.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import canonical
from .arf import read_reporter
from .dates import ZONELESS, dates_in, stated_zone, zone_of
from .mail import Mail
from .plain_words import category_of
from .texts import done_before, sent_at, subject_of, text_of

NAME: Final = "fail2ban"
RANK: Final = 86

ADDRESS = r"\[?(?P<address>[0-9A-Fa-f]{1,4}[.:][0-9A-Fa-f.:]{2,43}[0-9A-Fa-f])"
SENTENCES = (
    re.compile(rf"\bLines containing (?:failures|IP)(?: of)?:? {ADDRESS}", re.I),
    re.compile(rf"\bThe IP {ADDRESS}\]? has just been banned by Fail2Ban\b", re.I),
    re.compile(rf"\bdetected abuse (?:to our [^\n]{{1,80}}? )?from the IP(?:v[46])? address {ADDRESS}", re.I),
)
JAIL = re.compile(r"\b(?:against|attempts? (?:on|against)|jail:?)\s+\[?(?P<jail>[\w-]{2,40})", re.I)
PORT = re.compile(r"\bport[ =:](?P<port>\d{1,5})\b", re.I)
MOST_LINES: Final = 2_000
CLOCKS_DIFFER: Final = timedelta(minutes=1)
TOLD_WITHIN: Final = timedelta(minutes=15)
SAYS_SO: Final = "fail2ban"


def recognises(mail: Mail) -> bool:
    text = text_of(mail)
    return any(sentence.search(text) for sentence in SENTENCES)


def parse(mail: Mail) -> list[ParsedComplaint]:
    text = text_of(mail)
    found = next((found for sentence in SENTENCES if (found := sentence.search(text))), None)
    address = canonical(found["address"]) if found else None
    if found is None or address is None:
        return []
    seen_at, port = newest_line(text, found["address"], mail)
    return [
        ParsedComplaint(
            category=category_of_attack(text, mail),
            source_ip=address,
            source_port=port,
            arrival_date=seen_at or done_before(mail),
            reporter=read_reporter(mail),
            source_reason=f"the text says: {found[0][:100]}",
        )
    ]


def newest_line(text: str, written: str, mail: Mail) -> tuple[datetime | None, int | None]:
    """→ (the time of the youngest log line about the address, the port it came from if that line says one)."""
    sent, zone = sent_at(mail), stated_zone(text)
    zone_known = zone is not None
    if zone is None:
        zone = zone_of(mail.headers.first("date"))  # the server that wrote the log also wrote the mail
    newest: tuple[datetime | None, int | None] = None, None
    for line in [line for line in text.split("\n") if written in line][:MOST_LINES]:
        for at in dates_in(line[:1000], zone, sent, zone_known=zone_known):
            if newest[0] is None or at >= newest[0]:
                newest = at, source_port(line[line.find(written) :][:200])
    seen_at, port = newest
    return proven_by(sent, seen_at), port


def proven_by(sent: datetime | None, seen_at: datetime | None) -> datetime | None:
    """A ban is told at once: where the log's last line fits the mail's Date in its zone, that is the log's zone too."""
    if seen_at is None or sent is None or sent.tzinfo is not UTC or seen_at.tzinfo is not ZONELESS:
        return seen_at
    return seen_at.replace(tzinfo=UTC) if -CLOCKS_DIFFER <= sent - seen_at <= TOLD_WITHIN else seen_at


def source_port(after: str) -> int | None:
    """sshd: "from 192.0.2.7 port 51322"."""
    found = PORT.search(after)
    return int(found["port"]) if found and 0 < int(found["port"]) < 65536 else None


def category_of_attack(text: str, mail: Mail) -> Category:
    """fail2ban's own name says only that somebody tried something too often."""
    jail = JAIL.search(text)
    words = (f"{subject_of(mail)} {jail['jail'] if jail else ''}".lower()).replace(SAYS_SO, " ")
    category = category_of(words, text.lower().replace(SAYS_SO, " "))
    return Category.LOGIN_ATTACK if category in (None, Category.OTHER) else category
