"""What somebody wrote in answer to us, without what they quote from us. Pure, and linear in the text's length.

A quote is known by ">" at the beginning of its lines, by the line that mail programs put above it, or by Outlook's
block of header fields. Where it cannot be told, too much is left: cutting their words would lose what they say.
"""

from __future__ import annotations

import re

from complaints.formats.errors import MalformedComplaint
from complaints.formats.mail import Mail
from complaints.formats.texts import text_of

MOST_READ = 100_000  # characters looked at
MOST_WORDS = 5000  # kept
LONGEST_ABOVE = 400
# "On 10 March, Abuse wrote:", also over two or three lines.
BEGINS = re.compile(r"(?:On|Am|Le|El|Op|Il|Em|Den|W dniu|Dnia)\b")
ENDS = re.compile(
    r"(?:\bwrote|\bschrieb\b.*|\bécrit|\bescribió|\bschreef\b.*|\bscritto|\bescreveu|\bskrev\b.*|\bpisze)\s?:$"
)
SEPARATOR = re.compile(
    r"[-_]{3,}\s?(?:original message|ursprüngliche nachricht|originalnachricht|message d.origine|message original"
    r"|mensaje original|messaggio originale|oorspronkelijk bericht|forwarded message|weitergeleitete nachricht"
    r"|message transféré)\s?[-_]{3,}",
    re.I,
)
SIGNATURE = re.compile(r"-- ?")  # RFC 3676 section 4.3
FIELDS = (  # in the order of Outlook: from whom, when, to whom, about what
    ("from", "von", "de", "da", "van"),
    ("sent", "date", "gesendet", "datum", "envoyé", "enviado", "inviato", "verzonden"),
    ("to", "an", "à", "para", "a", "aan"),
    ("subject", "betreff", "objet", "asunto", "oggetto", "onderwerp"),
)
FIELD = re.compile(r"[*\s]*(?P<name>[^\W\d_]{1,10})\s?:[*\s]")


def own_words(text: str, *, most: int = MOST_WORDS) -> str:
    """Their own words; all of the text where nothing else is in it."""
    lines = text[:MOST_READ].replace("\r\n", "\n").split("\n")
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if SEPARATOR.match(line) or SIGNATURE.fullmatch(line) or is_outlooks_block(lines, at):
            break
        if height := height_above_quote(lines, at):
            at += height
            if not is_quoted_next(lines, at):
                break  # some programs quote without marks: what follows is ours to the end
            continue
        if not line.startswith(">"):
            kept.append(lines[at].rstrip())
        at += 1
    own = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return (own or text[:MOST_READ].strip())[:most]


def height_above_quote(lines: list[str], at: int) -> int:
    """How many lines from here on are the one above a quote; 0: none."""
    if not BEGINS.match(lines[at].lstrip()):
        return 0
    joined = ""
    for height, line in enumerate(lines[at : at + 3], start=1):
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > LONGEST_ABOVE:
            return 0
        if joined.endswith(":") and ENDS.search(joined):
            return height
    return 0


def is_quoted_next(lines: list[str], at: int) -> bool:
    return next((line.lstrip().startswith(">") for line in lines[at : at + 4] if line.strip()), False)


def is_outlooks_block(lines: list[str], at: int) -> bool:
    """From, date, to and subject within a few lines, and the first of them here. Fewer may be what they tell us."""
    if name_of_field(lines[at]) not in FIELDS[0]:
        return False
    names = {name_of_field(line) for line in lines[at : at + 8]}
    return all(names.intersection(spellings) for spellings in FIELDS)


def name_of_field(line: str) -> str:
    found = FIELD.match(line[:40] + " ")
    return found["name"].lower() if found else ""


def words_of(mail: Mail, *, most: int = MOST_WORDS) -> str:
    try:
        return own_words(text_of(mail), most=most)
    except MalformedComplaint:
        return own_words(mail.body[:MOST_READ].decode("utf-8", "replace"), most=most)
