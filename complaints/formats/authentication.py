"""Whose domain the reporter's mail was proven to come from, as our own mail server found: RFC 8601.

Anybody can write an Authentication-Results field. Believed are those that bear our server's name (its authserv-id),
and of these the topmost group: our server adds its fields on top, so what stands below a further Received line came
with the mail. A server that names itself there must also remove what strangers put under its name (section 5).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from .header_text import LONGEST_VALUE, Headers, bare_address
from .received import same_organisation

FIELD: Final = "authentication-results"
MOST_RESULTS: Final = 50
PIECE = re.compile(r"(?:\"[^\"]*\"|[^;\"])+")  # a semicolon in a quoted string parts nothing
METHOD = re.compile(r"\s*(?P<method>[a-z][\w-]{0,30})(?:\s*/\s*\d+)?\s*=\s*(?P<result>[a-z]{1,20})\b", re.I)
PROPERTY = re.compile(r"\b(?P<name>[a-z]{1,20}\s*\.\s*[a-z][\w.-]{0,40})\s*=\s*(?P<value>\"[^\"]*\"|[^\s;]+)", re.I)


class Result(NamedTuple):
    method: str
    result: str
    properties: dict[str, str]


def authenticated_domain(headers: Headers, authserv_id: str | None) -> str | None:
    """The domain that signed the mail (DKIM) or let it be sent (SPF) and is that of its author, lower case.

    None where nothing was proven, no authserv-id is configured, or the mail has not exactly one author.
    """
    if not authserv_id or FIELD not in headers:
        return None
    author = author_domain(headers)
    if author is None:
        return None
    results = [result for value in believed_fields(headers, authserv_id) for result in results_of(value)]
    passed = [result for result in results[:MOST_RESULTS] if result.result == "pass"]
    return next(
        (
            domain
            for method, names in IDENTITIES
            for result in passed
            if result.method == method
            and (domain := domain_named(result, names))
            and is_aligned(domain, author, method)
        ),
        None,
    )


# DMARC (RFC 7489 section 3.1) has compared the domains already; the others prove a domain of their own.
IDENTITIES: Final = (
    ("dmarc", ("header.from",)),
    ("dkim", ("header.d", "header.i")),
    ("spf", ("smtp.mailfrom",)),
)


def author_domain(headers: Headers) -> str | None:
    fields = headers.every("from")
    address = bare_address(fields[0]) if len(fields) == 1 else None
    if address is None or fields[0].count("<") > 1 or ("<" not in fields[0] and fields[0].count("@") > 1):
        return None
    return domain_of(address)


def believed_fields(headers: Headers, authserv_id: str) -> list[str]:
    believed: list[str] = []
    for line in headers.text.split("\n"):
        name, _, value = line.partition(":")
        name = name.strip().lower()
        if name == FIELD and (said := without_comments(value[:LONGEST_VALUE])) and is_by(said, authserv_id):
            believed.append(said)
        elif name == "received" and believed:
            break
    return believed


def is_by(value: str, authserv_id: str) -> bool:
    """The authserv-id and, possibly, a version stand before the first semicolon."""
    words = value.partition(";")[0].split()
    return bool(words) and words[0].strip('"').lower().rstrip(".") == authserv_id.lower().rstrip(".")


def results_of(value: str) -> list[Result]:
    found = []
    for piece in PIECE.findall(value)[1 : MOST_RESULTS + 1]:
        if method := METHOD.match(piece):
            pairs = PROPERTY.findall(piece, method.end())
            properties = {"".join(name.split()).lower(): text.strip('"') for name, text in reversed(pairs)}
            found.append(Result(method["method"].lower(), method["result"].lower(), properties))
    return found


def domain_named(result: Result, names: tuple[str, ...]) -> str | None:
    return next((domain_of(result.properties[name]) for name in names if name in result.properties), None)


def domain_of(identity: str) -> str | None:
    domain = identity.rpartition("@")[2].strip("<> ").lower().rstrip(".")
    return domain if "." in domain else None


def is_aligned(domain: str, author: str, method: str) -> bool:
    """The same name, a parent that signs for its child, or another name of the same organisation."""
    if domain == author or method == "dmarc":
        return domain == author
    return author.endswith("." + domain) or same_organisation(domain, author)


def without_comments(value: str) -> str:
    """RFC 5322 section 3.2.2: comments nest, and may stand nearly everywhere; in a quoted string there are none."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for char in value:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
            continue
        elif char == '"' and not depth:
            quoted = not quoted
        elif char == "(" and not quoted:
            depth += 1
        elif char == ")" and not quoted and depth:
            depth -= 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(char)
    return "".join(kept)
