"""Header fields as bytes → names and readable values, once for every caller.

The scanner is more patient than RFC 5322: a line that is no field is skipped and counted (`junk`), so that one
broken line does not hide the fields below it.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header

LONGEST_VALUE = 8_000  # characters of one value that are ever decoded or searched
ENCODED_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([!->@-~]*)\?=", re.A)
ANGLE = re.compile(r"<([^<>]*)>")  # blanks are stripped afterwards: in the pattern they would cost time in its cube
COMMENT = re.compile(r"\([^()]*\)")
BARE = re.compile(r"[^\s<>,;\"\[\]()]{1,320}@[^\s<>,;\"\[\]()]+")


class Headers:
    """Fields by lower-case name; values unfolded, in order of appearance."""

    __slots__ = ("junk", "text", "values")

    def __init__(self, block: bytes) -> None:
        self.values: dict[str, list[str]] = {}
        self.junk = 0
        text = decode(block).replace("\n\t", " ").replace("\n ", " ")
        self.text = text
        values = self.values
        for line in text.split("\n"):
            name, colon, value = line.partition(":")
            if not colon or " " in name or not name:
                name = self.odd_name(name if colon else "", line)
                if not name:
                    continue
            name = name.lower()
            if name in values:
                values[name].append(value.strip())
            else:
                values[name] = [value.strip()]

    def odd_name(self, name: str, line: str) -> str:
        """`Subject : x` is still a field; anything else is junk (a "From " line of an mbox is neither)."""
        name = name.strip()
        if name and not re.search(r"\s", name):
            self.junk += 1
            return name
        if line.strip():
            self.junk += 1
        return ""

    def first(self, name: str) -> str | None:
        found = self.values.get(name)
        return found[0] if found else None

    def every(self, name: str) -> list[str]:
        return self.values.get(name, [])

    def readable(self, name: str) -> str | None:
        """The first value with encoded words decoded (RFC 2047) and white space squeezed; None when absent or empty."""
        found = self.values.get(name)
        return readable(found[0]) if found else None

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __len__(self) -> int:
        return len(self.values)


def decode(block: bytes) -> str:
    """UTF-8 (RFC 6532), else line by line Latin-1: one bad field must not spoil its neighbours."""
    try:
        return block.decode()
    except UnicodeDecodeError:
        return "\n".join(decode_line(line) for line in block.split(b"\n"))


def decode_line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def readable(value: str) -> str | None:
    value = value[:LONGEST_VALUE]
    if "=?" in value:
        with suppress(HeaderParseError, ValueError):  # a cut word: the raw value is better than none
            value = decode_words(value)
    return " ".join(value.split()) or None


def decode_words(value: str) -> str:
    """One word alone is decoded here, much cheaper; neighbours may share a character: email.header joins them."""
    if value.count("=?") - value.count("=?=") == 1 and (found := ENCODED_WORD.search(value)):
        charset, encoding, text = found.groups()
        content = a2b_qp(text, header=True) if encoding in "qQ" else a2b_base64(text + "=" * (-len(text) % 4))
        return value[: found.start()] + decode_word(content, charset) + value[found.end() :]
    return "".join(decode_word(word, charset) for word, charset in decode_header(value))


def decode_word(word: str | bytes, charset: str | None) -> str:
    if isinstance(word, str):
        return word
    try:
        return word.decode((charset or "utf-8").partition("*")[0], "replace")  # RFC 2231: a language may follow
    except (LookupError, ValueError):  # a charset nobody knows
        return word.decode("latin-1")


def bare_address(value: str | None) -> str | None:
    """The mail address in a From, Return-Path or Original-Rcpt-To value, without name and brackets."""
    if not value:
        return None
    value = value[:LONGEST_VALUE]
    if value.count("<") == 1 and value[-1] == ">" and value.count(">") == 1:  # nearly every one, without a search
        return value[value.index("<") + 1 : -1].strip() or None
    if found := ANGLE.findall(value):
        return found[-1].strip() or None
    if "@" in value and (plain := BARE.search(COMMENT.sub(" ", value))):
        return plain[0]
    return value.strip("<>[]\"' \t") or None


def bare_addresses(values: list[str]) -> tuple[str, ...]:
    """All addresses of repeated or comma-separated fields, each once, in order."""
    found: dict[str, None] = {}
    for value in values[:1000]:
        for piece in value.split(",") if "," in value else (value,):
            address = bare_address(piece)
            if address:
                found[address] = None
    return tuple(found)


def bare_id(value: str | None) -> str | None:
    """A message id without its angle brackets."""
    if not value:
        return None
    opened = value.find("<")
    closed = value.find(">", opened)
    if 0 <= opened < closed:
        return value[opened + 1 : closed].strip() or None
    return value.strip("<> \t") or None
