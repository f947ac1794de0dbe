"""What in a complaint names a contract beside the address: host names of content. Pure.

Only content counts, what somebody put on a machine. A domain in a complaint about mail may be the sender's, and
anybody can write any sender.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import idna

from complaints.vocabulary import Category, ParsedComplaint

CONTENT = frozenset({Category.PHISHING, Category.MALWARE, Category.COPYRIGHT, Category.FRAUD})
MOST_NAMES = 30
LONGEST_URI = 1_000  # no more than is kept with a complaint, so that both lead to the same
AUTHORITY_ENDS = re.compile(r"[/?#]")
PLAIN = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})+")


def names_of(parsed: ParsedComplaint) -> tuple[str, ...]:
    """Host names of the content complained about, as HostedName has them."""
    about_mail = bool(parsed.feedback_type or parsed.original_mail_from or parsed.received)
    return content_names(parsed.category, parsed.reported_uris, parsed.reported_domains, about_mail=about_mail)


def content_names(category: str, uris: Iterable[str], domains: Iterable[str], *, about_mail: bool) -> tuple[str, ...]:
    """about_mail: an original mail came with the report; then `domains` may name its forgeable sender."""
    if category not in CONTENT:
        return ()
    written = [host_in(uri) for uri in uris] or ([] if about_mail else list(domains))
    found = (host_name(name) for name in written[:MOST_NAMES])
    return tuple(dict.fromkeys(name for name in found if name))


def host_in(uri: str) -> str:
    """Where a browser goes; empty where that is not sure.

    A browser takes \\ for /, so http://here.example\\@there.example/ is at here.example, and by RFC 3986 at the other.
    Cut inside the name, or before the @ that makes what came so far a login, an address leads to another site.
    """
    scheme, _, rest = uri[:LONGEST_URI].partition("://")
    authority = AUTHORITY_ENDS.split(rest or scheme, maxsplit=1)[0]
    if "\\" in authority or (len(uri) >= LONGEST_URI and uri[:LONGEST_URI].endswith(authority)):
        return ""
    try:
        return urlsplit(uri[:LONGEST_URI]).hostname or ""
    except ValueError:  # http://[broken/
        return ""


def host_name(text: str) -> str | None:
    """IDNA, lower case, no dot at the end; None for an address and for what is no name of several labels.

    Names that no registry would give, with underscores, are used all the same, below those that one gave.
    """
    name = text.strip().rstrip(".")
    if "." not in name or name.rpartition(".")[2].isdigit():
        return None
    try:
        return idna.encode(name, uts46=True, transitional=False).decode().lower()
    except UnicodeError:  # idna's own errors are such
        return name.lower() if len(name) < 254 and PLAIN.fullmatch(name) else None
