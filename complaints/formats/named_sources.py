"""Which addresses a reporter's words name as the source: behind a label or phrase, or anywhere but as the target."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from .addresses import addresses_in, is_public

MOST_LABELS = 500
# Every repetition below is bounded: a pattern that may run on through a hostile text takes time in its square.
ADDRESS_FOLLOWS = r"(?=[0-9A-Fa-f:]{1,4}[.:\[(])"
LINE_START = r"^[ \t>*\-\"'#]{0,20}"
IS = r"[\"'*]{0,3}[ \t]{0,20}[:=][\s\"'\[*(<]{0,20}"
NAMES = (
    r"(?:source|src|attacker|offender|abuser|ip|host|source[\s_-]?(?:ip|address|identifier|host)|src[\s_-]?ip"
    r"|attacker[\s_-]?ip|ip[\s_/-]?(?:addr(?:ess)?|cidr|adresse)|remote[\s_-]?(?:ip|host|addr(?:ess)?))"
)
LABEL = re.compile(
    rf"{LINE_START}(?:(?:offending|attacking|infringing|reported|abusive|originating|sender(?:'?s)?)[/ ]{{0,2}})?"
    rf"{NAMES}(?: ?\([^)\n]{{0,20}}\))?{IS}{ADDRESS_FOLLOWS}",
    re.I | re.M,
)
PHRASE = re.compile(
    r"(?:\b(?:from|of|by|on|with|about|behind|using)\s{1,3}(?:the\s{1,3}|your\s{1,3}|this\s{1,3}|following\s{1,3}){0,3}"
    r"(?:ip|server|host|machine|customer|computer)(?:[\s-]{0,2}(?:addr(?:ess)?|number))?\s{0,2}:?"
    r"|\bsrc\s{0,2}:|\bemail from|\bip[\s-]{0,2}(?:adresa|adresy|adresse|address)\b(?:\s{1,3}is)?\s{0,2}:?"
    r"|\b(?:attack|abuse|spam|malware|scan|scanning|intrusion|probes?|logins?|activity|attempts?|connections?|hosted)"
    r"\s{1,3}(?:from|on)|\b(?:your server|the source|spamcop))"
    rf"[\s\[(*\"'<]{{0,10}}{ADDRESS_FOLLOWS}",
    re.I,
)
ENUMERATION = re.compile(r"[\s,;&+/\])*\"'>]{0,10}(?:(?:and|or|und|et|y|a)\s{1,3})?[\[(*\"'<]{0,3}", re.I)
WRITTEN = re.compile(r"[0-9A-Fa-f:.\[\]()]+")
LONGEST_LIST = 2_000  # characters after a label in which addresses may follow each other
# Said of the attacked side: such an address is the reporter's own.
TARGET = re.compile(
    r"(?:\b(?:to|target(?:ed)?|dest(?:ination)?|dst|victim|our|attacked|honeypot|sensor|reporter|local)\b"
    r"[\w\s/-]{0,25}[:=\s\[(\"']{0,5}|[-=]>\s{0,5})$",
    re.I,
)
TARGET_REACH = 60  # characters before an address in which it is looked for


def said_to_be_source(words: str) -> dict[str, None]:
    """The addresses right behind a label, or else behind a phrase; of "192.0.2.7, 192.0.2.8 and …" all."""
    found: dict[str, None] = {}
    for pattern in (LABEL, PHRASE):
        for label in islice(pattern.finditer(words), MOST_LABELS):
            listed = words[label.end() : label.end() + LONGEST_LIST]
            end = 0
            for place, address in addresses_in(listed):
                if not ENUMERATION.fullmatch(listed, end, place):
                    break
                found[address] = None
                end = place + length_of(listed, place)
        if found:
            break
    return found


def length_of(text: str, place: int) -> int:
    """How long the address at `place` is written, brackets of a defanged one included."""
    written = WRITTEN.match(text, place)
    return written.end() - place if written else 0


def in_passing(words: str) -> Iterable[str]:
    """Every address that is not said to be the attacked side; private ones only where there is no other."""
    found = [
        address
        for place, address in addresses_in(words)
        if not TARGET.search(words[max(words.rfind("\n", 0, place) + 1, place - TARGET_REACH) : place])
    ]
    public = [address for address in found if is_public(address)]
    return dict.fromkeys(public or [address for address in found if not address.startswith("127.")])
