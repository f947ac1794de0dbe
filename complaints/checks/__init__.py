"""Checks: what can be found out about an address from outside, with sockets and DNS alone. Pure.

A check is a module with NAME, RANK and `async def run(target: CheckTarget, config: CheckConfig) -> CheckOutcome`.
QUEUE says which workers run it: "smtp" (the default: peers may take minutes) or "dns" (answers take milliseconds).
Modules with an underscore are their parts.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

from complaints.checks._config import CheckConfig, Connect, Timeouts
from complaints.checks._entries import ENTRY_FIELDS, entry_of, read_entry
from complaints.checks._inquiry import Allowance, Health, Inquiry, Kept
from complaints.checks._lists import BadCatalogue, DnsblList, load_lists
from complaints.checks._probe import TOKEN_FIELD
from complaints.checks._tokens import (
    RETURN_PATH,
    is_return_path,
    match_probe,
    new_nonce,
    nonce_of_probe,
    sign_probe,
    token_in,
    tokens_in,
    verify_probe,
)
from complaints.registry import load_plugins

__all__ = [
    "ENTRY_FIELDS",
    "RETURN_PATH",
    "TOKEN_FIELD",
    "Allowance",
    "BadCatalogue",
    "CheckConfig",
    "Connect",
    "DnsblList",
    "Health",
    "Inquiry",
    "Kept",
    "Timeouts",
    "entry_of",
    "is_return_path",
    "load_checks",
    "load_lists",
    "match_probe",
    "new_nonce",
    "nonce_of_probe",
    "queue_of",
    "read_entry",
    "sign_probe",
    "token_in",
    "tokens_in",
    "verify_probe",
]


@cache
def load_checks() -> tuple[ModuleType, ...]:
    """All checks, sorted by RANK. Raises BadPlugin."""
    return tuple(load_plugins("complaints.checks", {"RANK": int, "run": None}))


def queue_of(check: str) -> str:
    """The QUEUE of the check with this name; that of slow ones for a name nobody knows."""
    return next((getattr(each, "QUEUE", "smtp") for each in load_checks() if check == each.NAME), "smtp")
