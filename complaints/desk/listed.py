"""Which listings of blacklists name a case's address now, as a condition of the search."""

from __future__ import annotations

from typing import Any

from django.db.models import BinaryField, Func, OuterRef, QuerySet

from complaints.models import Listing


def on_lists() -> QuerySet[Listing]:
    """Listings that name the address of the case around, now."""
    return Listing.objects.filter(gone_at=None, status="listed", key=ListKey(OuterRef("address")))


class ListKey(Func):
    """The case's address as a blacklist's key: length and network octets (complaints/addresses.py)."""

    output_field = BinaryField()

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **extra: Any) -> tuple[str, Any]:
        column, params = compiler.compile(self.source_expressions[0])
        pg = connection.vendor == "postgresql"
        four, six, mapped = ("'\\x20'::bytea", "'\\x80'::bytea", "'\\x00000000000000000000ffff'::bytea") if pg else (
            "x'20'", "x'80'", "x'00000000000000000000ffff'"
        )  # fmt: skip
        joined = f"CASE WHEN substr({column}, 1, 12) = {mapped} THEN {four} || substr({column}, 13)"
        joined += f" ELSE {six} || {column} END"
        return (joined if pg else f"CAST({joined} AS BLOB)"), [*params] * 3
