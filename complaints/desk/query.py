"""The search language: `state:triage cause:relay address:192.0.2.0/24 customer:acme is:listed older:2d watches`. Pure.

A query is words: `name:value` narrows, the rest is text to be found. Several values with commas mean any of them, a
minus before a name means not. What is written back is what was read, so form fields and text are one and the same.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Iterable
from datetime import timedelta

from complaints.vocabulary import CaseState, Category, Cause, CustomerStatus, Resolution

LONGEST = 400
TOKEN = re.compile(r'(?P<minus>-?)(?:(?P<name>[A-Za-z]+):)?(?P<value>"[^"]*"?|[^\s"]+|(?<=:))|(?P<odd>\S)')
DURATION = re.compile(r"(\d{1,4})(min|h|d|w)")
UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
PRIORITY = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")


class QueryError(ValueError):
    """What is wrong, where it stands in the text (first character, behind the last), and what is allowed there."""

    def __init__(self, what: str, start: int, end: int, allowed: Iterable[str] = ()) -> None:
        super().__init__(what)
        self.what, self.start, self.end, self.allowed = what, start, end, tuple(allowed)


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """One narrowing. `values` are as the field reads them: short words, bare addresses, durations as typed."""

    name: str
    values: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.negated else ''}{self.name}:{','.join(map(quoted, self.values))}"


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    terms: tuple[Term, ...] = ()
    words: tuple[str, ...] = ()  # free text, piece by piece; a quoted piece holds spaces

    def __str__(self) -> str:
        return " ".join([*map(str, self.terms), *map(quoted, self.words)])

    def value(self, name: str) -> str:
        """What the form field `name` shows: "" where the query says nothing, or more than a field can."""
        found = [term for term in self.terms if term.name == name]
        return found[0].values[0] if len(found) == 1 and len(found[0].values) == 1 and not found[0].negated else ""

    def has(self, name: str, value: str) -> bool:
        return any(term.name == name and value in term.values and not term.negated for term in self.terms)

    def with_value(self, name: str, value: str) -> Query:
        """The query after the form field `name` was set, in the same place; "" takes it out."""
        fresh = [Term(name, (value,))] if value else []
        terms: list[Term] = []
        for term in self.terms:
            if term.name != name:
                terms.append(term)
            else:
                terms += fresh
                fresh = []
        return dataclasses.replace(self, terms=(*terms, *fresh))

    def covers(self, other: Query) -> bool:
        """Every narrowing of `other` is also one of this query."""
        return set(other.terms) <= set(self.terms)


def quoted(value: str) -> str:
    needs = " " in value or "," in value or (":" in value and not is_address(value)) or not value
    return f'"{value}"' if needs else value


SHORT = {"open_relay": "relay", "stolen_mailbox": "mailbox", "bulk_mail": "bulk", "claims_fixed": "fixed"}
SHORT |= {"vulnerable_service": "service", "harmful_content": "content", "asks_help": "help", "asks_time": "time"}
SHORT |= {"found_nothing": "nothing"}


def typed(value: str) -> str:
    """The word one types for a stored value."""
    return SHORT.get(value, value.replace("_", "-"))


# What is typed and what is stored, where the values are few.
WORDS: dict[str, dict[str, str]] = {
    name: {typed(value): str(value) for value in kind}
    for name, kind in {
        "state": CaseState, "cause": Cause, "category": Category, "said": CustomerStatus, "ended": Resolution,
    }.items()
} | {
    "turn": {each: each for each in ("you", "customer", "machine")},
    "is": {
        each: each
        for each in ("open", "closed", "any", "mine", "unassigned", "late", "listed", "relapse", "proven", "unsure")
    },
}  # fmt: skip


def one_of(name: str) -> Callable[[str], str]:
    """Reads a word of WORDS[name]: as it is written back, as it is stored, or any part that is nobody else's."""
    known = WORDS[name]
    parts: dict[str, set[str]] = {}
    for short, value in known.items():
        for part in {short, value, value.replace("_", "-"), *value.split("_")}:
            parts.setdefault(part, set()).add(short)

    def read(text: str) -> str:
        text = text.lower()
        if text in known:
            return text
        meant = parts.get(text, set())
        if len(meant) != 1:
            raise Refused(f"“{text}” is no {name}" if not meant else f"“{text}” could mean several", tuple(known))
        return next(iter(meant))

    return read


class Refused(ValueError):
    """A value that its field does not take."""

    def __init__(self, what: str, allowed: Iterable[str]) -> None:
        super().__init__(what)
        self.what, self.allowed = what, tuple(allowed)


def read_address(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False)) if "/" in text else str(ipaddress.ip_address(text))
    except ValueError:
        allowed = ("192.0.2.7", "192.0.2.0/24", "2001:db8::/32")
        raise Refused(f"“{text}” is no address and no network", allowed) from None


def read_duration(text: str) -> str:
    if not DURATION.fullmatch(text.lower()):
        raise Refused(f"“{text}” is no length of time", ("30min", "12h", "2d", "3w"))
    return text.lower()


def duration(text: str) -> timedelta:
    """Of a value that read_duration has let pass."""
    found = DURATION.fullmatch(text)
    assert found
    return int(found[1]) * UNITS[found[2]]


def read_priority(text: str) -> str:
    found = PRIORITY.fullmatch(text)
    if not found or (found[2] and int(found[2]) < int(found[1])):
        raise Refused(f"“{text}” is no priority", ("70 (at least)", "40-69"))
    return text


def read_text(text: str) -> str:
    if not text.strip():
        raise Refused("nothing stands behind the colon", ("a name, or a number",))
    return text.strip()


def read_case(text: str) -> str:
    if not re.fullmatch(r"#?(?:\d{4}-)?\d{1,12}", text, re.ASCII):
        raise Refused(f"“{text}” is no case number", ("2026-00012",))
    return text


# name → how its values are read
FIELDS: dict[str, Callable[[str], str]] = {
    **{name: one_of(name) for name in WORDS},
    "address": read_address,
    "customer": read_text,
    "contract": read_text,
    "reporter": read_text,
    "assignee": read_text,
    "team": read_text,
    "case": read_case,
    "older": read_duration,
    "newer": read_duration,
    "quiet": read_duration,
    "priority": read_priority,
}


def parse(text: str) -> Query:
    """Raises QueryError, which says what, where, and what is allowed there."""
    text = text.replace("\0", " ")
    if len(text) > LONGEST:
        raise QueryError(f"the search is longer than {LONGEST} characters", LONGEST, len(text))
    terms: list[Term] = []
    words: list[str] = []
    for found in TOKEN.finditer(text):
        if is_text(found):
            words.append((found["minus"] or "") + (f"{found['name']}:" if found["name"] else "") + bare(found))
        else:
            terms.append(term_of(found))
    return Query(tuple(dict.fromkeys(terms)), tuple(word for word in words if word.strip()))


def is_text(found: re.Match[str]) -> bool:
    """No narrowing: nothing named, or a network address or a web address that only looks like it."""
    if found["odd"] or not found["name"]:
        return True
    return is_address(found[0]) or found["value"].startswith("//")


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def bare(found: re.Match[str]) -> str:
    return (found["odd"] or found["value"] or "").strip('"')


def term_of(found: re.Match[str]) -> Term:
    name = found["name"].lower()
    read = FIELDS.get(name)
    if read is None:
        what = f"“{found['name']}:” is nothing one can search by"
        raise QueryError(what, found.start("name"), found.end("name") + 1, sorted(FIELDS))
    value, start = found["value"], found.start("value")
    pieces = [value.strip('"')] if value.startswith('"') else [piece for piece in value.split(",") if piece]
    try:
        values = tuple(dict.fromkeys(read(piece) for piece in pieces or [""]))
    except Refused as exc:
        raise QueryError(f"{name}: {exc.what}", start, found.end("value"), exc.allowed) from None
    return Term(name, values, bool(found["minus"]))
