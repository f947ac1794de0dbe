"""What a report's column is. Pure."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """`name` in exports, `title` on the page, `hint` says exactly what is counted."""

    name: str
    title: str
    hint: str = ""
    number: bool = True
