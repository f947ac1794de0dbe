"""Text that any database takes: PostgreSQL refuses NUL, no encoding has lone surrogates, hostile mail has both."""

from __future__ import annotations

from typing import Any

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(text: str | None, most: int) -> str:
    """`text` without NUL and lone surrogates, at most `most` characters; empty for None."""
    text = (text or "")[:most]
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", REPLACEMENT).encode("utf-8", "replace").decode()


def storable_json(value: Any, most: int = 20_000) -> Any:
    """The same for every string of a JSON value."""
    if isinstance(value, str):
        return storable(value, most)
    if isinstance(value, dict):
        return {storable(str(key), most): storable_json(item, most) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(item, most) for item in value]
    return value
