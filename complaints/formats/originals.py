"""The original mail that a complaint carries along: its header, its Received lines, its sender's address."""

from __future__ import annotations

from collections.abc import Callable

from .header_text import Headers
from .mail import one_line_end, unmark
from .received import LONGEST_LINE, MOST_LINES, outside_hop

NOT_NAMED = "neither a field nor a Received line names an address"


def read_headers_of(content: bytes) -> Headers:
    """The header of an attached original; mbox lines (">From " too) and blank lines before it are passed over."""
    return Headers(unmark(one_line_end(content)).partition(b"\n\n")[0])


def received_lines(original: Headers | None) -> tuple[str, ...]:
    """Unfolded, topmost (youngest) first."""
    if original is None:
        return ()
    return tuple([" ".join(line[:LONGEST_LINE].split()) for line in original.every("received")[:MOST_LINES]])


def source_from_received(
    lines: tuple[str, ...], is_ours: Callable[[str], bool] | None
) -> tuple[str | None, str, str | None]:
    """→ (address, reason in words, the date that the believed line bears)."""
    hop = outside_hop(lines, is_ours)
    if hop is None:
        return None, NOT_NAMED, None
    return hop.address, hop.described, hop.text.rpartition(";")[2].strip() or None
