"""What strangers say, made safe to store and to show. Pure."""

from __future__ import annotations

MAX_TEXT = 512


def printable(data: bytes) -> str:
    """Text without control characters: PostgreSQL's jsonb takes no NUL and a terminal no escape sequence."""
    text = data[: MAX_TEXT * 2].decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text[:MAX_TEXT]
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)[:MAX_TEXT]
