"""One blacklist as the checks know it, and the catalogue file. Pure but for reading that file."""

from __future__ import annotations

import dataclasses
import ipaddress
from pathlib import Path

import yaml

SHIPPED = Path(__file__).with_name("dnsbls.yaml")


class BadCatalogue(ValueError):
    """A list's entry cannot be used; the text names the file, the list and what is wrong."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What one answer, or a run of answers, means: 127.0.0.5 to 127.0.0.7, both included.

    bit: of lists that add their meanings up in the last number (127.0.0.6 is 2 and 4); 0: not such a list.
    """

    first: ipaddress.IPv4Address
    last: ipaddress.IPv4Address
    meaning: str
    causes: tuple[str, ...]
    bit: int = 0

    def matches(self, answer: ipaddress.IPv4Address) -> bool:
        return self.first <= answer <= self.last and (not self.bit or bool(int(answer) & self.bit))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DnsblList:
    """One blacklist. Zones without trailing dot; `zone6` where IPv6 has a zone of its own.

    key: the site's own key, put before the zone; a secret. six_by: 64 where the list names whole /64 networks.
    errors: answers that mean "we do not serve you". cause: of codes the catalogue does not explain.
    weight: how much one listing says about the line itself, 0 to 1; for display and diagnosis.
    per_second, per_day: questions, 0 is no limit; in_flight: at once in one process.
    """

    name: str
    zone: str
    families: tuple[str, ...]
    codes: tuple[Code, ...]
    enabled: bool
    source: str = ""
    zone6: str = ""
    key: str = dataclasses.field(default="", repr=False)
    six_by: int = 128
    errors: tuple[Code, ...] = ()
    cause: str = "reputation"
    weight: float = 0.5
    delisting: str = ""
    how: str = ""
    who: str = ""
    note: str = ""
    per_second: float = 0.0
    per_day: int = 0
    in_flight: int = 20

    def zone_for(self, version: int) -> str | None:
        """The zone to ask about an address of that IP version, or None when the list does not cover it."""
        if f"ipv{version}" not in self.families:
            return None
        return self.zone6 or self.zone if version == 6 else self.zone

    def asked_zone(self, version: int) -> str:
        """As it goes into the question, the key with it."""
        zone = self.zone_for(version) or self.zone
        return f"{self.key}.{zone}" if self.key else zone


def load_lists(path: Path | None = None) -> tuple[DnsblList, ...]:
    """All lists of a catalogue, the disabled too. Raises BadCatalogue."""
    from complaints.checks._entries import read_entry

    path = path or SHIPPED
    entries = enumerate(load_entries(path), 1)
    lists = tuple(read_entry(entry, f"{path.name}: entry {number}") for number, entry in entries)
    for field in ("name", "zone"):
        taken: set[str] = set()
        for each in lists:
            if (value := getattr(each, field)) in taken:
                raise BadCatalogue(f"{path.name}: list {each.name!r}: {field} {value!r} is there twice")
            taken.add(value)
    return lists


def load_entries(path: Path) -> list[object]:
    """The entries of a catalogue file as they stand there, not read yet. Raises BadCatalogue."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise BadCatalogue(f"{path.name}: cannot be read: {exc}") from exc
    entries = document.get("lists") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise BadCatalogue(f"{path.name}: no `lists:` with entries")
    return entries
