"""Checks: what can be found out about an address from outside, with sockets and DNS alone. Pure.

A check is a module with NAME, RANK and `async def run(target: CheckTarget, config: CheckConfig) -> CheckOutcome`.
Modules with an underscore are their parts.
"""

from __future__ import annotations

from types import ModuleType

from complaints.checks._config import CheckConfig, Timeouts
from complaints.checks._entries import ENTRY_FIELDS, entry_of, read_entry
from complaints.checks._lists import BadCatalogue, DnsblList, load_lists
from complaints.checks._tokens import (
    RETURN_PATH,
    match_probe,
    new_nonce,
    nonce_of_probe,
    sign_probe,
    token_in,
    verify_probe,
)
from complaints.registry import load_plugins

__all__ = [
    "ENTRY_FIELDS",
    "RETURN_PATH",
    "BadCatalogue",
    "CheckConfig",
    "DnsblList",
    "Timeouts",
    "entry_of",
    "load_checks",
    "load_lists",
    "match_probe",
    "new_nonce",
    "nonce_of_probe",
    "read_entry",
    "sign_probe",
    "token_in",
    "verify_probe",
]


def load_checks() -> list[ModuleType]:
    """All checks, sorted by RANK. Raises BadPlugin."""
    return load_plugins("complaints.checks", {"RANK": int, "run": None})
