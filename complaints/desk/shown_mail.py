"""A mail's evidence as its page shows it: bounded, and with the Received line marked that named the address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from complaints.formats.evidence import Evidence, Text, inert
from complaints.formats.header_text import readable
from complaints.models import Complaint

MOST_SHOWN = 400_000  # characters of a whole page, however many mails lie in the mail; the raw mail has the rest
MOST_MAILS = 20
LONGEST_VALUE = 1_000  # characters of one header field
MOST_SEARCHED = 10  # deciding lines that are looked for in texts
BRIEF = ("from", "to", "date")  # with the subject above them what everybody looks for; the rest is one touch away
RECEIVED_REASON = re.compile(r"Received line (\d{1,3}):")  # as complaints.formats.received.Hop.described begins


@dataclass(slots=True)
class Room:
    """What still fits on the page."""

    characters: int = MOST_SHOWN
    mails: int = MOST_MAILS

    def take(self, text: str) -> str:
        taken = text[: self.characters]
        self.characters -= len(taken)
        return taken


@dataclass(frozen=True, slots=True)
class Line:
    """Text in which `marked` is the line that named the address `made`; without one all of it is `before`."""

    title: str
    before: str
    marked: str = ""
    after: str = ""
    made: str = ""


@dataclass(frozen=True, slots=True)
class ShownMail:
    evidence: Evidence
    headers: list[Line]
    texts: list[Line]
    originals: list[ShownMail]
    notes: list[str]

    @property
    def brief(self) -> list[Line]:
        return [line for line in self.headers if line.title.lower() in BRIEF]

    @property
    def is_marked(self) -> bool:
        return any(line.made for line in self.headers)


def deciding_lines(complaints: Iterable[Complaint]) -> dict[str, str]:
    """The Received lines, as they are shown, that named an address → that address."""
    found = {deciding_line(complaint): complaint.address_text for complaint in complaints}
    return {line: address for line, address in found.items() if line and address}


def deciding_line(complaint: Complaint) -> str:
    """The Received line that the reason speaks of; empty when something else named the address."""
    reason = RECEIVED_REASON.match(complaint.evidence.get("source_reason", ""))
    lines = complaint.evidence.get("received", [])
    number = int(reason[1]) if reason else 0
    return compared(readable(lines[number - 1]) or "") if 0 < number <= len(lines) else ""


def compared(line: str) -> str:
    """The stored line may be cut, so no more than its beginning is compared."""
    return inert(line)[:LONGEST_VALUE].strip()


def show_mail(evidence: Evidence, made: Mapping[str, str], room: Room) -> ShownMail:
    """With the lines in `made` marked wherever they stand: as a field, or in a header that was pasted into a text."""
    room.mails -= 1
    headers = [show_field(name, room.take(value[:LONGEST_VALUE]), made) for name, value in evidence.headers]
    texts = [mark_inside(title_of(text), room.take(text.text.rstrip()), made) for text in evidence.texts]
    originals = []
    for original in evidence.originals:
        if room.mails and room.characters:
            originals.append(show_mail(original, made, room))
    notes = list(evidence.notes)
    if left_out := len(evidence.originals) - len(originals):
        notes.append(f"{left_out} more attached mail{'' if left_out == 1 else 's'} not shown")
    if not room.characters:
        notes.append(f"no more than {MOST_SHOWN:,} characters are shown")
    return ShownMail(evidence, headers, texts, originals, notes)


def title_of(text: Text) -> str:
    return text.content_type + (f", “{text.name}”" if text.name else "")


def show_field(name: str, value: str, made: Mapping[str, str]) -> Line:
    return mark_whole(name, value, made) if name.lower() == "received" else Line(name, value)


def mark_whole(title: str, value: str, made: Mapping[str, str]) -> Line:
    address = made.get(compared(value))
    return Line(title, "", value, "", address) if address else Line(title, value)


def mark_inside(title: str, text: str, made: Mapping[str, str]) -> Line:
    """In a text the line may be folded as its writer liked. Looked for behind its name alone: that bounds the time."""
    for line, address in islice(made.items(), MOST_SEARCHED):
        folded = r"\s+".join(map(re.escape, line.split()))
        if found := re.search(rf"(?i:\breceived:)\s*({folded})", text):
            return Line(title, text[: found.start(1)], found[1], text[found.end(1) :], address)
    return Line(title, text)
