"""What may stand in a cell. Each reader returns the value, or raises ValueError: what stood there and why not."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Collection
from datetime import datetime

from complaints.addresses import MAPPED, address_key, prefix_key
from complaints.attribution.times import read_time
from complaints.models.mail_address import mail_address

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,4})?")  # de, pt-BR, zh-Hant: BCP 47's short forms


def prefix(cell: str) -> bytes:
    try:
        return quick_prefix(cell) or prefix_key(cell)
    except ValueError as exc:
        raise ValueError(why_no_prefix(cell, str(exc))) from None


def quick_prefix(cell: str) -> bytes | None:
    """The key of a prefix as most are written, in a fourth of the time; None: ask the ipaddress module."""
    text, slash, length = cell.partition("/")
    bits, family = (128, socket.AF_INET6) if ":" in text else (32, socket.AF_INET)
    if slash and not (length.isascii() and length.isdigit() and len(length) < 4 and int(length) <= bits):
        return None
    try:
        packed = socket.inet_pton(family, text)
    except (OSError, ValueError):
        return None
    size = int(length) if slash else bits
    host = int.from_bytes(packed, "big") & ((1 << (bits - size)) - 1)
    if host or packed.startswith(MAPPED):
        return None
    return bytes([size]) + packed


def why_no_prefix(cell: str, problem: str) -> str:
    try:
        meant = ipaddress.ip_network(cell, strict=False)
    except ValueError:
        return f"{cell!r} is not a prefix, such as 192.0.2.0/24 or 2001:db8::/48"
    return f"{cell!r} has host bits set: did you mean {meant}?" if "host bits" in problem else problem


def address(cell: str) -> bytes:
    return address_key(required(cell))


def time(cell: str) -> datetime:
    return read_time(required(cell))


def time_or_open(cell: str) -> datetime | None:
    return read_time(cell) if cell else None


def port_or(default: int) -> Callable[[str], int]:
    def port(cell: str) -> int:
        if not cell:
            return default
        if not (cell.isascii() and cell.isdigit() and int(cell) <= 65535):
            raise ValueError(f"{cell!r} is not a port from 0 to 65535")
        return int(cell)

    return port


def one_of(allowed: Collection[str]) -> Callable[[str], str]:
    def word(cell: str) -> str:
        if cell not in allowed:
            raise ValueError(f"{cell!r} is not one of {', '.join(allowed)}")
        return cell

    return word


def required(cell: str) -> str:
    if not cell:
        raise ValueError("is empty")
    return cell


def text(longest: int, *, may_be_empty: bool = True) -> Callable[[str], str]:
    def words(cell: str) -> str:
        if len(cell) > longest:
            raise ValueError(f"{cell[:20]!r}… has {len(cell)} characters, more than {longest}")
        return cell if may_be_empty else required(cell)

    return words


def email(cell: str) -> str:
    return mail_address(required(cell))


def language(cell: str) -> str:
    if cell and not LANGUAGE.fullmatch(cell):
        raise ValueError(f"{cell!r} is not a short language code, such as en or pt-BR")
    primary, dash, rest = (cell or "en").partition("-")
    return primary.lower() + dash + rest
