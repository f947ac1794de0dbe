"""Settings by environment variable: read all of them, refuse nonsense once, with every fault named.

A secret may come from a file: NAME_FILE=/path is read instead of NAME. docs/settings.md lists them.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

T = TypeVar("T")
HEADER_NAME = re.compile(r"[a-z0-9_-]{1,76}")
USUAL_HEADERS = frozenset({"from", "to", "cc", "sender", "subject", "date", "message-id", "received", "return-path"})
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
YES = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
    "": False,
}


class BadSetting(Exception):
    """One or more environment variables hold what cannot be used; the text names each of them."""


class Environment:
    """Reads variables, collects what is wrong, and speaks up once in `seal`."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self.variables = os.environ if variables is None else variables
        self.faults: list[str] = []

    def raw(self, name: str) -> str | None:
        value, path = self.variables.get(name), self.variables.get(f"{name}_FILE")
        if path and value:
            self.faults.append(f"{name} and {name}_FILE are both set: keep one")
        if not path:
            return value
        try:
            return Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as exc:
            self.faults.append(f"{name}_FILE={path!r}: cannot be read ({exc})")
            return None

    def read(self, name: str, default: T, parse: Callable[[str], T], allowed: str, *, secret: bool = False) -> T:
        """The parsed value of `name`, or `default` when it is unset or empty."""
        text = self.raw(name)
        if text is None or text == "":
            return default
        try:
            return parse(text)
        except (ValueError, LookupError) as exc:
            shown = "(hidden)" if secret else repr(text)
            detail = f" ({exc})" if isinstance(exc, ValueError) and str(exc) and not secret else ""
            self.faults.append(f"{name}={shown}: allowed is {allowed}{detail}")
            return default

    def text(self, name: str, default: str = "") -> str:
        return self.read(name, default, parse_text, "any text in one line")

    def yes(self, name: str, default: bool = False) -> bool:
        return self.read(name, default, lambda text: YES[text.strip().lower()], "1, 0, true, false, yes, no, on, off")

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        return self.read(
            name, default, lambda text: within(int(text), low, high), f"a whole number from {low} to {high}"
        )

    def listen(self, name: str, default: str) -> tuple[str, int]:
        return self.read(name, parse_host_port(default), parse_host_port, "host:port, as 127.0.0.1:8025 or [::1]:8025")

    def hosts(self, name: str, default: tuple[tuple[str, int], ...] = ()) -> tuple[tuple[str, int], ...]:
        return self.read(name, default, parse_hosts, "address:port, several parted by commas, as 127.0.0.1:53")

    def addresses(self, name: str) -> tuple[str, ...]:
        return self.read(name, (), parse_addresses, "addresses parted by commas, as 192.0.2.25, 2001:db8::25")

    def ports(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        return self.read(name, default, parse_ports, "ports parted by commas, or none")

    def names(self, name: str, default: list[str]) -> list[str]:
        return self.read(name, default, parse_names, "names parted by commas")

    def url(self, name: str, default: str, schemes: tuple[str, ...], *, secret: bool = False) -> str:
        def parse(text: str) -> str:
            parts = urlsplit(text)
            if parts.scheme not in schemes:
                raise ValueError(f"scheme {parts.scheme!r}")
            if problem := problem_of_url(parts):
                raise ValueError(problem)
            return text

        return self.read(name, default, parse, f"an URL that begins with one of {', '.join(schemes)}", secret=secret)

    def service(self, name: str) -> str:
        """An outside service's URL, which may have a path; empty: not used."""
        return self.read(name, "", parse_service, "an http:// or https:// URL without user, query and fragment")

    def choices(self, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """Some of `allowed`, in the order given; empty: none was chosen."""

        def parse(text: str) -> tuple[str, ...]:
            found = tuple(parse_names(text))
            if unknown := [each for each in found if each not in allowed]:
                raise ValueError(f"unknown: {', '.join(unknown)}")
            if len(set(found)) < len(found):
                raise ValueError("one is named twice")
            return found

        return self.read(name, (), parse, f"some of {', '.join(sorted(allowed))}, parted by commas")

    def headers(self, name: str) -> tuple[str, ...]:
        return self.read(name, (), parse_headers, "names of header fields parted by commas, as X-Customer-Id")

    def domain(self, name: str, default: str) -> str:
        return self.read(name, default, parse_domain, "a host or domain name, as probe.isp.example")

    def mailbox(self, name: str, default: str) -> str:
        return self.read(name, default, parse_mailbox, "one mail address, as abuse@isp.example")

    def seal(self) -> None:
        """Raises BadSetting naming every variable that was refused."""
        if self.faults:
            raise BadSetting("settings refused:\n  " + "\n  ".join(self.faults))


def problem_of_url(parts: SplitResult) -> str | None:
    """Raises ValueError for a port that is none."""
    names_port, path = parts.port is not None, parts.path.strip("/")
    if parts.scheme in ("sqlite", "file") and not path:
        return "path is missing"  # SQLite would keep everything in memory, and each process its own
    if parts.scheme in ("postgres", "postgresql") and not path:
        return "name of the database is missing"
    if not parts.scheme.startswith("http"):
        return "host is missing" if names_port and not parts.hostname else None
    if not parts.hostname:
        return "host is missing"
    return "scheme, host and port only" if path or parts.query or parts.fragment or parts.username else None


def parse_text(text: str) -> str:
    """One line: it may go into the header of a mail."""
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError("it has control characters")
    return text


def within(number: int, low: int, high: int) -> int:
    if not low <= number <= high:
        raise ValueError("out of range")
    return number


def parse_host_port(text: str) -> tuple[str, int]:
    host, colon, port = text.strip().rpartition(":")
    if not colon or not host:
        raise ValueError("host or port is missing")
    return host.strip("[]"), within(int(port), 1, 65535)


def parse_hosts(text: str) -> tuple[tuple[str, int], ...]:
    """Addresses only: who asks a name for the address of the resolver?"""
    found = tuple(parse_host_port(part) for part in text.split(",") if part.strip())
    for host, _ in found:
        ipaddress.ip_address(host)
    return found


def parse_addresses(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_address(part.strip())) for part in text.split(",") if part.strip())


def parse_ports(text: str) -> tuple[int, ...]:
    return () if text == "none" else tuple(within(int(part), 1, 65535) for part in text.split(","))


def parse_service(text: str) -> str:
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("scheme or host is missing")
    if parts.port == 0 or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("scheme, host, port and path only")
    return text.strip()


def parse_headers(text: str) -> tuple[str, ...]:
    """RFC 5322 section 2.2; a field that every mail has says nothing of an account."""
    found = tuple(name.lower() for name in parse_names(text))
    for name in found:
        if not HEADER_NAME.fullmatch(name) or name in USUAL_HEADERS:
            raise ValueError(f"{name!r} is no field of your own")
    return found


def parse_names(text: str) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise ValueError("none is named")
    return found


def parse_domain(text: str) -> str:
    """RFC 1035 section 2.3.1 names, lower-case, without the trailing dot."""
    name = text.strip().rstrip(".").lower()
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError("not a name of letters, digits, hyphens and dots")
    return name


def parse_mailbox(text: str) -> str:
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or any(char.isspace() or char in "<>,;" for char in local):
        raise ValueError("not local@domain")
    return f"{local}@{parse_domain(domain)}"
