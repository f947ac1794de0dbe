"""Who asked to be left out of tests: addresses and prefixes that no check connects to."""

from __future__ import annotations

from functools import cached_property

from complaints.addresses import address_text, enclosing_keys, family_of
from complaints.models import CheckOptOut


class OptOuts:
    """The list as it is now; looked up once, and only if somebody asks. It is kept by hand, so it is short."""

    @cached_property
    def rows(self) -> dict[bytes, CheckOptOut]:
        return {bytes(row.key): row for row in CheckOptOut.objects.all()}

    def rule(self, check: str, address: bytes) -> str | None:
        """Why `address` must be left alone, or None. Only the relay check connects to it."""
        if check != "relay" or not self.rows:
            return None
        family = family_of(address)
        lengths = {key[0] for key in self.rows if family_of(key) == family}
        row = next((self.rows[key] for key in enclosing_keys(address, lengths) if key in self.rows), None)
        if row is None:
            return None
        note = f" ({row.note})" if row.note else ""
        return (
            f"{address_text(address)} is left out of tests since {row.created_at:%Y-%m-%d}, by its holder's wish{note}"
        )
