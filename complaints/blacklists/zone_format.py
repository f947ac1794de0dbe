"""Zone files of rbldnsd (rbldnsd(8), "DATASET TYPES AND FORMATS"): what a blacklist hands out to be held at home. Pure.

Read here: ip4set, ip4tset, ip4trie, ip6trie and ip6tset. Names of domains (dnset) and collections (combined) list no
address, or several lists in one.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Iterable, Iterator

KINDS = ("ip4set", "ip4tset", "ip4trie", "ip6trie", "ip6tset")
LONGEST_LINE = 4000
IPV4 = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})", re.ASCII)
PARTIAL = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,3}", re.ASCII)
SPECIAL = re.compile(r"(?:[#;:])?\$")
VALUE = re.compile(r":(?P<code>[\d.]*)(?P<rest>:.*)?", re.DOTALL | re.ASCII)


class BadZoneFile(ValueError):
    """The file is none that can be read; the text says which line and what is wrong."""


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """An A record, and the template of a TXT record ("$" is the address)."""

    code: str = "127.0.0.2"
    text: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A range of addresses as numbers. value: None for an exclusion."""

    first: int
    last: int
    value: Value | None


def read_entries(lines: Iterable[str], kind: str) -> Iterator[Entry]:
    """Raises BadZoneFile at the first line that cannot be read."""
    if kind not in KINDS:
        raise BadZoneFile(f"{kind!r} is none of {', '.join(KINDS)}")
    default, variables = Value(), dict[str, str]()
    values: dict[str, Value] = {}
    read_range = read_ipv4 if kind.startswith("ip4") else read_ipv6_64 if kind == "ip6tset" else read_ipv6
    for number, line in enumerate(lines, 1):
        try:
            line = line.strip()
            if len(line) > LONGEST_LINE:
                raise ValueError(f"longer than {LONGEST_LINE} characters")
            if SPECIAL.match(line):
                read_special(line, variables)
                values.clear()
            elif not line or line[0] in "#;":
                continue
            elif line[0] == ":":
                default = read_value(line, default, variables)
                values.clear()
            else:
                excluded = line[0] == "!"
                place, _, told = line.removeprefix("!").strip().partition(" ")
                if "\t" in place:
                    place, _, told = line.removeprefix("!").strip().partition("\t")
                first, last = read_range(place.rstrip(":") if kind == "ip4tset" else place, excluded=excluded)
                if told not in values:
                    values[told] = read_value(told.strip(), default, variables)
                    if len(values) > 10_000:
                        values.clear()
                        values[told] = read_value(told.strip(), default, variables)
                yield Entry(first, last, None if excluded else values[told])
        except ValueError as exc:
            raise BadZoneFile(f"line {number}: {exc}: {line[:80]!r}") from exc


def read_special(line: str, variables: dict[str, str]) -> None:
    """$SOA, $NS and $TTL say nothing of addresses; $1 … $9 and $= are pieces of texts."""
    word, _, rest = line.lstrip("#;:").partition(" ")
    name = word[1:]
    if name.upper().startswith("DATASET"):
        raise ValueError("a combined file holds several lists: import each dataset alone")
    if len(name) == 1 and (name.isdigit() or name == "="):
        variables[name] = rest.strip()


def read_value(text: str, default: Value, variables: dict[str, str]) -> Value:
    """ ":127.0.0.4:text", ":4" or "text"; what is not given is the default's."""
    if not text or text[0] in "#;":
        return default
    if text[0] != ":":
        return Value(default.code, with_variables(text, variables))
    found = VALUE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no value: :127.0.0.2:text is wanted")
    code, rest = found["code"].strip(), found["rest"]
    if not code:
        code = default.code
    elif "." not in code:
        code = f"127.0.0.{code}"
    return Value(
        str(ipaddress.IPv4Address(code)), default.text if rest is None else with_variables(rest[1:].strip(), variables)
    )


def with_variables(text: str, variables: dict[str, str]) -> str:
    base = variables.get("=")
    if text.startswith("="):
        text = text[1:]
    elif base is not None:
        text = base.replace("$=", text)
    return re.sub(r"\$(\d)", lambda found: variables.get(found[1], ""), text)[:512]


def text_for(value: Value, address: str) -> str:
    return value.text.replace("$$", "\0").replace("$", address).replace("\0", "$")


def read_ipv4(text: str, *, excluded: bool = False) -> tuple[int, int]:
    """One address, 192.0.2, 192.0.2/24, 192.0.2.1-192.0.2.9 or 192.0.2.1-9."""
    if found := IPV4.fullmatch(text):  # nearly every line of a large file
        a, b, c, d = (int(octet) for octet in found.groups())
        if max(a, b, c, d) > 255:
            raise ValueError("no IPv4 address")
        number = a << 24 | b << 16 | c << 8 | d
        return number, number
    if "/" in text:
        start, _, length = text.partition("/")
        first, _ = octets(start)
        bits = int(length) if length.isascii() and length.isdigit() else 99
        if not 0 <= bits <= 32 or first & ((1 << (32 - bits)) - 1):
            raise ValueError("no IPv4 network, or host bits are set")
        return first, first | ((1 << (32 - bits)) - 1)
    if "-" in text:
        start, _, end = text.partition("-")
        first, _ = octets(start)
        if "." not in end and "." in start:
            end = f"{start.rpartition('.')[0]}.{end}"
        _, last = octets(end)
        if last < first:
            raise ValueError("the range runs backwards")
        return first, last
    return octets(text)


def octets(text: str) -> tuple[int, int]:
    """First and last address of the prefix that these octets are."""
    if not PARTIAL.fullmatch(text):
        raise ValueError("no IPv4 address")
    parts = [int(part) for part in text.split(".")]
    if max(parts) > 255:
        raise ValueError("no IPv4 address")
    missing = 8 * (4 - len(parts))
    first = int.from_bytes(bytes(parts), "big") << missing
    return first, first | ((1 << missing) - 1)


def read_ipv6(text: str, *, excluded: bool = False) -> tuple[int, int]:
    """2001:db8::/52, or words whose missing ones are zeros: 2001:db8:c000/36. Without a length: what is written."""
    start, _, length = text.partition("/")
    words = [word for word in start.split(":") if word]
    if "::" not in start and len(words) < 8:
        start += "::"
    first = int(ipaddress.IPv6Address(start))
    bits = 128 if "::" in text else 16 * len(words)
    if length:
        bits = int(length) if length.isascii() and length.isdigit() else 999
    if not 0 <= bits <= 128 or first & ((1 << (128 - bits)) - 1):
        raise ValueError("no IPv6 network, or host bits are set")
    return first, first | ((1 << (128 - bits)) - 1)


def read_ipv6_64(text: str, *, excluded: bool = False) -> tuple[int, int]:
    """ip6tset: four words are a /64; an exclusion is one address."""
    return read_ipv6(text) if excluded else read_ipv6(text if "/" in text else f"{text.rstrip(':')}::/64")
