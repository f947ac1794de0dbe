"""Rows of the catalogue for tests."""

from __future__ import annotations

from typing import Any

from complaints.models import Blacklist


def make_blacklist(name: str = "example", **columns: Any) -> Blacklist:
    given = {
        "zone": "bl.example.org" if name == "example" else f"{name}.example.org",
        "families": ["ipv4"],
        "codes": {
            "127.0.0.2": {"meaning": "trap hit", "cause": ["spam-source"]},
            "127.0.0.4": {"meaning": "infected", "cause": ["bot"]},
            "127.0.0.10": {"meaning": "dynamic range", "cause": ["policy"]},
        },
        "source": "https://bl.example.org/",
        "per_second": 0,
        "per_day": 0,
    }
    return Blacklist.objects.create(name=name, **(given | columns))
