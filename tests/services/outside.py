"""The safety net under every test: no packet of the test process leaves this machine.

An audit hook (PEP 578) sees every socket call of the interpreter, whichever library makes it. It
stays for the rest of the process. Programs that a test starts are not covered.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

EVENTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}  # arguments: socket, address
attempts: list[str] = []
_installed = False


class OutsideConnection(RuntimeError):
    """A test tried to reach another machine. Not an OSError: code under test expects those."""


def refuse() -> None:
    """Install the hook; may be called again."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(check)


def check(event: str, arguments: tuple[Any, ...]) -> None:
    if event in EVENTS and arguments[0].family in (socket.AF_INET, socket.AF_INET6) and arguments[1] is not None:
        refuse_unless_loopback(arguments[1][0], event)
    elif event == "socket.getaddrinfo" and not is_numeric(arguments[0]):  # a name would ask a DNS server
        refuse_unless_loopback(arguments[0], event)


def refuse_unless_loopback(host: Any, event: str) -> None:
    if not is_loopback(host):
        attempts.append(f"{event} {host}")
        raise OutsideConnection(f"a test may only reach this machine, not {host} ({event})")


def is_loopback(host: Any) -> bool:
    if host in (None, "", b"", "localhost", b"localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(as_text(host).partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)  # 0.0.0.0 as a target is this machine


def is_numeric(host: Any) -> bool:
    if host is None:
        return True
    try:
        ipaddress.ip_address(as_text(host).partition("%")[0])
    except ValueError:
        return False
    return True


def as_text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
