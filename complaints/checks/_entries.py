"""Entries of the blacklist catalogue: read strictly, because one wrong code accuses a customer. Pure.

An entry is the mapping that stands in dnsbls.yaml and in the desk's own catalogue; `entry_of` writes it back in one
spelling, so that two entries that mean the same compare equal.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

import dns.exception
import dns.name

from complaints.checks._lists import BadCatalogue, Code, DnsblList

CAUSES = frozenset(
    ["spam-source", "bot", "relay", "proxy", "policy", "backscatter", "attack", "network", "reputation", "allow"]
)
FAMILIES = ("ipv4", "ipv6")
CODE = re.compile(r"(127\.\d{1,3}\.\d{1,3})\.(?:(\d{1,3})(?:-(\d{1,3}))?|(\*))")
NAME = re.compile(r"[-a-z0-9_]{1,40}")
BITS = frozenset(1 << n for n in range(8))
REQUIRED = ("name", "zone", "families", "codes", "enabled", "source")
DEFAULTS: Mapping[str, Any] = {
    "zone6": "",
    "six_by": 128,
    "answers": "codes",
    "errors": {},
    "cause": "reputation",
    "weight": 0.5,
    "delisting": "",
    "how": "",
    "who": "",
    "note": "",
    # Where an operator publishes no limit: a desk of some ten thousand addresses gets round once a day.
    "per_second": 20,
    "per_day": 100_000,
    "in_flight": 20,
}
ENTRY_FIELDS = (*REQUIRED, *DEFAULTS)


def read_entry(entry: Any, where: str) -> DnsblList:
    """Raises BadCatalogue."""
    if not isinstance(entry, dict):
        raise BadCatalogue(f"{where}: a mapping is wanted, got {entry!r}")
    where = f"{where} ({entry.get('name', 'without name')})"
    if missing := set(REQUIRED) - entry.keys():
        raise BadCatalogue(f"{where}: missing: {', '.join(sorted(missing))}")
    if unknown := entry.keys() - set(ENTRY_FIELDS):
        raise BadCatalogue(f"{where}: not known: {', '.join(sorted(map(str, unknown)))}")
    entry = {**DEFAULTS, **entry}
    bits = one_of(entry, "answers", ("codes", "bits"), where) == "bits"
    return DnsblList(
        name=read_name(entry["name"], where),
        source=read_text(entry, "source", where),
        **{key: read_text(entry, key, where, may_be_empty=True) for key in ("delisting", "how", "who", "note")},
        zone=read_zone(entry, "zone", where),
        zone6=read_zone(entry, "zone6", where) if entry["zone6"] else "",
        families=read_families(entry["families"], where),
        six_by=one_of(entry, "six_by", (64, 128), where),
        codes=read_codes(entry["codes"], f"{where}: codes", need_cause=True, bits=bits),
        errors=read_codes(entry["errors"], f"{where}: errors", need_cause=False, bits=bits),
        enabled=one_of(entry, "enabled", (True, False), where),
        cause=read_cause(entry["cause"], f"{where}: cause"),
        weight=read_number(entry, "weight", where, most=1),
        per_second=read_number(entry, "per_second", where, most=1_000_000),
        per_day=int(read_number(entry, "per_day", where, most=1_000_000_000)),
        in_flight=max(1, int(read_number(entry, "in_flight", where, most=1_000))),
    )


def entry_of(each: DnsblList) -> dict[str, Any]:
    """The entry in its one spelling; JSON values. The key is no part of it."""
    found: dict[str, Any] = {name: getattr(each, name) for name in ENTRY_FIELDS if hasattr(each, name)}
    bits = any(code.bit for code in (*each.codes, *each.errors))
    return found | {
        "answers": "bits" if bits else "codes",
        "families": list(each.families),
        "codes": {code_key(code): {"meaning": code.meaning, "cause": list(code.causes)} for code in each.codes},
        "errors": {code_key(code): code.meaning for code in each.errors},
    }


def code_key(code: Code) -> str:
    if code.bit:
        return str(code.bit)
    low, high = (int(end) & 255 for end in (code.first, code.last))
    if (low, high) == (0, 255):
        return f"{str(code.first).rpartition('.')[0]}.*"
    return str(code.first) if low == high else f"{code.first}-{high}"


def read_name(value: Any, where: str) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value.strip()):
        raise BadCatalogue(f"{where}: name: small letters, digits and - are wanted, 40 at most, got {value!r}")
    return value.strip()


def read_text(entry: Mapping[str, Any], key: str, where: str, *, may_be_empty: bool = False) -> str:
    text = entry[key]
    if not isinstance(text, str) or not (text.strip() or may_be_empty):
        raise BadCatalogue(f"{where}: {key}: text is wanted, got {text!r}")
    return text.strip()


def read_zone(entry: Mapping[str, Any], key: str, where: str) -> str:
    zone = read_text(entry, key, where).lower().rstrip(".")
    try:
        name = dns.name.from_text(zone)
    except dns.exception.DNSException as exc:
        raise BadCatalogue(f"{where}: {key}: {zone!r} is no domain name: {exc}") from exc
    if len(name.labels) < 3 or len(zone) > 180:  # an IPv6 question puts 64 characters in front
        raise BadCatalogue(f"{where}: {key}: {zone!r} is no zone below a top-level domain, or too long")
    return zone


def read_families(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not set(value) <= set(FAMILIES):
        raise BadCatalogue(f"{where}: families: a list of ipv4, ipv6 is wanted, got {value!r}")
    return tuple(family for family in FAMILIES if family in value)


def one_of(entry: Mapping[str, Any], key: str, allowed: Sequence[Any], where: str) -> Any:
    value = entry[key]
    if not any(value is each or (type(value) is type(each) and value == each) for each in allowed):
        raise BadCatalogue(f"{where}: {key}: {' or '.join(map(str, allowed)).lower()} is wanted, got {value!r}")
    return value


def read_number(entry: Mapping[str, Any], key: str, where: str, *, most: int) -> float:
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise BadCatalogue(f"{where}: {key}: a number from 0 to {most} is wanted, got {value!r}")
    return float(value)


def read_cause(value: Any, where: str) -> str:
    if value not in CAUSES:
        raise BadCatalogue(f"{where}: {value!r} is none of {', '.join(sorted(CAUSES))}")
    return str(value)


def read_codes(value: Any, where: str, *, need_cause: bool, bits: bool) -> tuple[Code, ...]:
    """`{127.0.0.5-7: {meaning, cause}}` with one cause or a list; errors have only their meaning, as text.

    The narrower first: it wins over a run around it, in whatever order a database gives the keys back.
    """
    if not isinstance(value, dict) or (need_cause and not value):
        raise BadCatalogue(f"{where}: a mapping of answers is wanted, got {value!r}")
    found = (read_code(str(key), meant, f"{where}: {key}", need_cause, bits) for key, meant in value.items())
    return tuple(sorted(found, key=lambda code: (int(code.last) - int(code.first), code.first, code.bit)))


def read_code(key: str, meant: Any, where: str, need_cause: bool, bits: bool) -> Code:
    bit = read_bit(key, where) if bits and key.isdigit() else 0
    first, last = read_range("127.0.0.*" if bit else key, where)
    if not need_cause:
        if not isinstance(meant, str):
            raise BadCatalogue(f"{where}: text is wanted, got {meant!r}")
        return Code(first=first, last=last, meaning=meant, causes=(), bit=bit)
    if not isinstance(meant, dict) or meant.keys() != {"meaning", "cause"}:
        raise BadCatalogue(f"{where}: {{meaning, cause}} is wanted, got {meant!r}")
    causes = meant["cause"] if isinstance(meant["cause"], list) else [meant["cause"]]
    if not causes:
        raise BadCatalogue(f"{where}: cause: at least one of {', '.join(sorted(CAUSES))} is wanted")
    return Code(
        first=first,
        last=last,
        meaning=read_text(meant, "meaning", where),
        causes=tuple(read_cause(cause, f"{where}: cause") for cause in causes),
        bit=bit,
    )


def read_bit(key: str, where: str) -> int:
    if int(key) not in BITS:
        raise BadCatalogue(f"{where}: a bit is wanted: 1, 2, 4 … 128")
    return int(key)


def read_range(key: str, where: str) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]:
    found = CODE.fullmatch(key)
    if not found:
        raise BadCatalogue(f"{where}: 127.x.y.z, 127.x.y.z-z or 127.x.y.* is wanted")
    low, high = ("0", "255") if found[4] else (found[2], found[3] or found[2])
    try:
        first, last = (ipaddress.IPv4Address(f"{found[1]}.{octet}") for octet in (low, high))
    except ipaddress.AddressValueError as exc:
        raise BadCatalogue(f"{where}: {exc}") from exc
    if last < first:
        raise BadCatalogue(f"{where}: the range runs backwards")
    return first, last
