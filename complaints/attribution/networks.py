"""Is it ours? For readers of free text, who may name only our own addresses, and for imports of assignments."""

from __future__ import annotations

from functools import cached_property

from complaints.addresses import MAPPED, address_key, enclosing_keys, family_of
from complaints.models import Network


class OwnNetworks:
    """Our address space as it is now; looked up once, and only if somebody asks."""

    @cached_property
    def keys(self) -> set[bytes]:
        return {bytes(key) for key in Network.objects.values_list("key", flat=True)}

    @cached_property
    def lengths(self) -> dict[int, list[int]]:
        return {family: sorted({key[0] for key in self.keys if family_of(key) == family}) for family in (4, 6)}

    def holds(self, text: str) -> bool:
        """False for what is no address."""
        try:
            address = address_key(text)
        except ValueError:
            return False
        return not self.keys.isdisjoint(enclosing_keys(address, self.lengths[family_of(address)]))

    def hold_prefix(self, key: bytes) -> bool:
        """Whether all of a prefix (as prefix key) lies inside one of our networks."""
        first = MAPPED + key[1:] if family_of(key) == 4 else key[1:]
        shorter = [length for length in self.lengths[family_of(key)] if length <= key[0]]
        return not self.keys.isdisjoint(enclosing_keys(first, shorter))
