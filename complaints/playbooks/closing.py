"""Closed by silence is never counted as fixed (DESIGN, section 5), whatever a playbook says. Pure.

Where no probe can prove a fix, quiet alone does not tell a repair from a pause: somebody must have said that it is
fixed.
"""

from __future__ import annotations

from complaints.vocabulary import CustomerStatus, Resolution

SOLVED, QUIET = "solved", "quiet"  # letters
DENIED = frozenset({CustomerStatus.FOUND_NOTHING, CustomerStatus.DISPUTES})


def earned(resolution: Resolution, *, claimed: bool, status: CustomerStatus, has_left: bool = False) -> Resolution:
    """claimed: the customer, or a person for them, has said that it is fixed, and not before it went on. has_left: the
    contract holds no line any more, so its silence tells nothing."""
    if resolution is not Resolution.FIXED_NOT_VERIFIABLE or (claimed and not has_left):
        return resolution
    return Resolution.STALE if has_left or status in DENIED else Resolution.NO_RESPONSE


def letter_about(notice: str, *, wanted: Resolution, got: Resolution) -> str:
    """Nobody is thanked for a repair that nobody has told of."""
    return QUIET if notice == SOLVED and got is not wanted else notice
