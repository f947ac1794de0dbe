"""What an analyst taught by marking text in a sender's mail: where each field stands, so that the next one is read.

A field is found by the text before it, as it stood when it was marked, and read by its kind: an address, a port, a
time. An expression written by hand may stand in its place; it gets a tenth of a second. Nothing here is code, and what
a rule finds is believed no more than any other report.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import regex

from ..vocabulary import Category, ParsedComplaint
from .addresses import addresses_in
from .arf import read_reporter
from .dates import read_mail_date
from .header_text import bare_address
from .mail import Mail
from .texts import done_before, subject_of, text_of

NAME: Final = "taught"
RANK: Final = 5  # a person has said how this sender's mail is to be read
MOST_FOUND: Final = 500
LONGEST_PATTERN: Final = 300
LONGEST_BEFORE: Final = 80
LONGEST_VALUE: Final = 1_000
PATTERN_S: Final = 0.1
MOST_REPEATED: Final = 100_000  # a{9999} is written out when it is compiled, and what stands in it as often
FIELDS: Final = ("source_ip", "source_port", "arrival_date", "reported_uri", "original_subject", "original_mail_from")


BRACES: Final = re.compile(r"\{[^{}]*\d[^{}]*\}")
COUNT: Final = re.compile(r"[0-9]+")


class BadPattern(ValueError):
    """The expression cannot be used; says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class TaughtField:
    """name: one of FIELDS. before: the text in front of the value. pattern: instead of it; its first group counts."""

    name: str
    before: str = ""
    pattern: str = ""

    def places(self, text: str) -> Iterator[str]:
        """What follows each place, the value first. Raises TimeoutError where an expression takes too long."""
        if self.pattern:
            for found in compiled(self.pattern).finditer(text, timeout=PATTERN_S):
                yield found[1] if found.re.groups else found[0]
            return
        at = text.find(self.before) if self.before else -1
        while at >= 0:
            begin = at + len(self.before)
            yield text[begin : begin + LONGEST_VALUE].partition("\n")[0].lstrip()
            at = text.find(self.before, begin)


@dataclasses.dataclass(frozen=True, slots=True)
class TaughtRule:
    """sender: an address, or "@domain". phrase: must stand in subject or text; empty: any mail of the sender."""

    number: int
    sender: str
    fields: tuple[TaughtField, ...]
    category: Category = Category.SPAM
    phrase: str = ""

    def is_meant(self, mail: Mail) -> bool:
        sender = (bare_address(mail.headers.first("from")) or "").lower()
        if not (sender == self.sender or (self.sender[:1] == "@" and sender.endswith(self.sender))):
            return False
        return self.phrase.lower() in f"{subject_of(mail)}\n{text_of(mail)}".lower()

    def field(self, name: str) -> TaughtField | None:
        return next((field for field in self.fields if field.name == name), None)


def recognises(mail: Mail) -> bool:
    return bool(mail.taught) and bool(read_by_rules(mail))


def parse(mail: Mail) -> list[ParsedComplaint]:
    return read_by_rules(mail)


def read_by_rules(mail: Mail) -> list[ParsedComplaint]:
    """By the first rule that finds an address or a page; what it cannot find is left empty, and never guessed."""
    for rule in mail.taught:
        if rule.is_meant(mail) and (found := read_by(rule, mail)):
            return found
    return []


def read_by(rule: TaughtRule, mail: Mail) -> list[ParsedComplaint]:
    """One complaint for each address that the rule finds; the other fields go with the address that stands before them.

    An expression that takes too long finds nothing, and the mail says so.
    """
    text = text_of(mail)
    try:
        values = {name: values_of(field, text) for name in FIELDS if (field := rule.field(name))}
    except TimeoutError:
        mail.problems.append(f"rule {rule.number}: its expression took longer than {PATTERN_S:g} s")
        return []
    addresses, uris = values.get("source_ip", []), values.get("reported_uri", [])
    count = max(len(addresses), 1) if addresses or uris else 0
    return [
        complaint_of(rule, mail, {name: nth(found, n, count) for name, found in values.items()}) for n in range(count)
    ]


def nth(found: list[Any], n: int, count: int) -> Any:
    """One a complaint where there are as many; else what was said once is said of all, and the rest is of none."""
    if len(found) == count:
        return found[n]
    return found[0] if len(found) == 1 else None


def complaint_of(rule: TaughtRule, mail: Mail, values: dict[str, Any]) -> ParsedComplaint:
    uri = values.get("reported_uri")
    return ParsedComplaint(
        category=rule.category,
        source_ip=values.get("source_ip"),
        source_port=values.get("source_port"),
        arrival_date=values.get("arrival_date") or done_before(mail),
        reported_uris=(uri,) if uri else (),
        original_subject=values.get("original_subject"),
        original_mail_from=values.get("original_mail_from"),
        reporter=read_reporter(mail),
        source_reason=f"read by rule {rule.number}, which a person taught for {rule.sender}",
    )


def values_of(field: TaughtField, text: str) -> list[Any]:
    found = []
    for written in field.places(text):
        value = READ[field.name](written)
        if value is not None:
            found.append(value)
        if len(found) == MOST_FOUND:
            break
    return found


def read_address(written: str) -> str | None:
    """The first one, if nothing but brackets and quotes stands before it."""
    place, address = next(addresses_in(written[:120]), (0, None))
    return address if address and not written[:place].strip("[(<\"' ") else None


def read_port(written: str) -> int | None:
    digits = written[: len(written) - len(written.lstrip("0123456789"))]
    return int(digits) if 0 < len(digits) < 6 and 0 < int(digits) < 65536 else None


def read_time(written: str) -> datetime | None:
    return read_mail_date(written.lstrip("[(<\"' "))


def read_uri(written: str) -> str | None:
    words = written.split(None, 1)
    uri = words[0].strip("<>\"'(),;") if words else ""
    if uri.lower().startswith(("hxxp://", "hxxps://")):
        uri = "http" + uri[4:]
    uri = uri.replace("[.]", ".")
    return uri if uri.lower().startswith(("http://", "https://")) else None


def read_line(written: str) -> str | None:
    return written.partition("\n")[0].strip()[:400] or None


READ: Final[dict[str, Callable[[str], Any]]] = {
    "source_ip": read_address,
    "source_port": read_port,
    "arrival_date": read_time,
    "reported_uri": read_uri,
    "original_subject": read_line,
    "original_mail_from": lambda written: bare_address(read_line(written)),
}


def compiled(pattern: str) -> Any:
    """Raises BadPattern: too long, not an expression, or one that matches nothing at all."""
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"the expression is longer than {LONGEST_PATTERN} characters")
    if repeated(pattern) > MOST_REPEATED:
        raise BadPattern("the expression repeats too often: its numbers in braces together make millions")
    try:
        made = regex.compile(pattern, regex.MULTILINE)
    except regex.error as exc:
        raise BadPattern(f"the expression cannot be read: {exc}") from None
    if made.fullmatch("", timeout=PATTERN_S):
        raise BadPattern("the expression matches an empty text, so it would find something everywhere")
    return made


def repeated(pattern: str) -> int:
    """How often its innermost piece would be written out, if every repetition stood in the one before it."""
    numbers = [max(map(int, COUNT.findall(braces))) for braces in BRACES.findall(pattern)]
    return math.prod(max(1, number) for number in numbers)
