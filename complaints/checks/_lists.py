"""The catalogue of blacklists: read strictly, because one wrong code accuses a customer. Pure but for the file."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dns.exception
import dns.name
import yaml

SHIPPED = Path(__file__).with_name("dnsbls.yaml")
CAUSES = frozenset(
    ["spam-source", "bot", "relay", "proxy", "policy", "backscatter", "attack", "network", "reputation", "allow"]
)
FAMILIES = frozenset({"ipv4", "ipv6"})
CODE = re.compile(r"(127\.\d{1,3}\.\d{1,3})\.(?:(\d{1,3})(?:-(\d{1,3}))?|(\*))")
REQUIRED = frozenset({"name", "zone", "families", "codes", "enabled", "source"})
OPTIONAL = frozenset({"zone6", "errors", "cause", "weight", "delisting", "how", "note"})


class BadCatalogue(ValueError):
    """A list's entry cannot be used; the text names the file, the list and what is wrong."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What one answer, or a run of answers, means: 127.0.0.5 to 127.0.0.7, both included."""

    first: ipaddress.IPv4Address
    last: ipaddress.IPv4Address
    meaning: str
    causes: tuple[str, ...]

    def matches(self, answer: ipaddress.IPv4Address) -> bool:
        return self.first <= answer <= self.last


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DnsblList:
    """One blacklist. Zones without trailing dot; `zone6` where IPv6 has a zone of its own.

    errors: answers that mean "we do not serve you". cause: of codes the catalogue does not explain.
    weight: how much one listing says about the line itself, 0 to 1; for display and diagnosis.
    """

    name: str
    zone: str
    families: tuple[str, ...]
    codes: tuple[Code, ...]
    enabled: bool
    source: str
    zone6: str = ""
    errors: tuple[Code, ...] = ()
    cause: str = "reputation"
    weight: float = 0.5
    delisting: str = ""
    how: str = ""
    note: str = ""

    def zone_for(self, version: int) -> str | None:
        """The zone to ask about an address of that IP version, or None when the list does not cover it."""
        if f"ipv{version}" not in self.families:
            return None
        return self.zone6 or self.zone if version == 6 else self.zone


def load_lists(path: Path | None = None) -> tuple[DnsblList, ...]:
    """All lists of a catalogue, the disabled too. Raises BadCatalogue."""
    path = path or SHIPPED
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise BadCatalogue(f"{path.name}: cannot be read: {exc}") from exc
    entries = document.get("lists") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise BadCatalogue(f"{path.name}: no `lists:` with entries")
    lists = tuple(read_entry(entry, f"{path.name}: entry {number}") for number, entry in enumerate(entries, 1))
    for field in ("name", "zone"):
        taken: set[str] = set()
        for each in lists:
            if (value := getattr(each, field)) in taken:
                raise BadCatalogue(f"{path.name}: list {each.name!r}: {field} {value!r} is there twice")
            taken.add(value)
    return lists


def read_entry(entry: Any, where: str) -> DnsblList:
    if not isinstance(entry, dict):
        raise BadCatalogue(f"{where}: a mapping is wanted, got {entry!r}")
    where = f"{where} ({entry.get('name', 'without name')})"
    if missing := REQUIRED - entry.keys():
        raise BadCatalogue(f"{where}: missing: {', '.join(sorted(missing))}")
    if unknown := entry.keys() - REQUIRED - OPTIONAL:
        raise BadCatalogue(f"{where}: not known: {', '.join(sorted(map(str, unknown)))}")
    return DnsblList(
        **{key: read_text(entry, key, where) for key in ("name", "source", "delisting", "how", "note") if key in entry},
        **{key: read_zone(entry, key, where) for key in ("zone", "zone6") if key in entry},
        families=read_families(entry["families"], where),
        codes=read_codes(entry["codes"], f"{where}: codes", need_cause=True),
        errors=read_codes(entry.get("errors", {}), f"{where}: errors", need_cause=False),
        enabled=read_bool(entry["enabled"], where),
        cause=read_cause(entry.get("cause", "reputation"), f"{where}: cause"),
        weight=read_weight(entry.get("weight", 0.5), where),
    )


def read_text(entry: Mapping[str, Any], key: str, where: str) -> str:
    text = entry[key]
    if not isinstance(text, str) or not text.strip():
        raise BadCatalogue(f"{where}: {key}: text is wanted, got {text!r}")
    return text.strip()


def read_zone(entry: Mapping[str, Any], key: str, where: str) -> str:
    zone = read_text(entry, key, where).lower().rstrip(".")
    try:
        name = dns.name.from_text(zone)
    except dns.exception.DNSException as exc:
        raise BadCatalogue(f"{where}: {key}: {zone!r} is no domain name: {exc}") from exc
    if len(name.labels) < 3 or len(zone) > 253 - 64:  # an IPv6 question puts 64 characters in front
        raise BadCatalogue(f"{where}: {key}: {zone!r} is no zone below a top-level domain, or too long")
    return zone


def read_families(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not set(value) <= FAMILIES:
        raise BadCatalogue(f"{where}: families: a list of ipv4, ipv6 is wanted, got {value!r}")
    return tuple(value)


def read_bool(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise BadCatalogue(f"{where}: enabled: true or false is wanted, got {value!r}")
    return value


def read_weight(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadCatalogue(f"{where}: weight: a number from 0 to 1 is wanted, got {value!r}")
    return float(value)


def read_cause(value: Any, where: str) -> str:
    if value not in CAUSES:
        raise BadCatalogue(f"{where}: {value!r} is none of {', '.join(sorted(CAUSES))}")
    return str(value)


def read_codes(value: Any, where: str, *, need_cause: bool) -> tuple[Code, ...]:
    """`{127.0.0.5-7: {meaning, cause}}` with one cause or a list; errors have only their meaning, as text."""
    if not isinstance(value, dict) or (need_cause and not value):
        raise BadCatalogue(f"{where}: a mapping of answers is wanted, got {value!r}")
    return tuple(read_code(str(key), meant, f"{where}: {key}", need_cause) for key, meant in value.items())


def read_code(key: str, meant: Any, where: str, need_cause: bool) -> Code:
    first, last = read_range(key, where)
    if not need_cause:
        if not isinstance(meant, str):
            raise BadCatalogue(f"{where}: text is wanted, got {meant!r}")
        return Code(first=first, last=last, meaning=meant, causes=())
    if not isinstance(meant, dict) or meant.keys() != {"meaning", "cause"}:
        raise BadCatalogue(f"{where}: {{meaning, cause}} is wanted, got {meant!r}")
    causes = meant["cause"] if isinstance(meant["cause"], list) else [meant["cause"]]
    return Code(
        first=first,
        last=last,
        meaning=read_text(meant, "meaning", where),
        causes=tuple(read_cause(cause, f"{where}: cause") for cause in causes),
    )


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
