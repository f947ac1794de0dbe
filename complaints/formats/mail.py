"""A mail as the formats see it: raw bytes, read piece by piece and only when asked.

The outer header is scanned by hand (header_text). The parts come from the standard library's compat32 parser,
the fallback for every shape; attached messages stay bytes until somebody opens them, so nesting costs nothing.
Nothing here trusts the sender: size, lines, fields, parts and depth are limited, and what exceeds a limit says so.
"""

from __future__ import annotations

import email
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from ..vocabulary import ParsedComplaint
from .errors import MalformedComplaint
from .header_text import Headers
from .mail_parts import FlatMessage, Part, collect, main_type, parameters_of

MOST_BYTES = 8 * 2**20  # of a mail are looked at; the rest stays stored
MOST_LINES = 120_000
MOST_HEADER_BYTES = 512 * 2**10
MOST_HEADER_LINES = 10_000
MOST_DEPTH = 8  # message within message
BARE = (b"{", b"[", b"<", b'"')  # JSON, XML or CSV, uploaded or posted: all of it is content, there is no header
MOST_PARSER_WORK = 15_000_000  # lines times boundaries: what the standard parser compares, about a second

MBOX_LINE = re.compile(rb"(?:[>\s]*From [^\n]*\n)|\n+|[ \t]+\n")
ONLY_BOUNDARY = re.compile(rb"--([^\s:][^\n:]{0,68}[^\s:])[ \t]*\n(?=[A-Za-z-]+:)")


class Mail:
    """One message; an attached one is a Mail again, one deeper."""

    def __init__(
        self,
        raw: bytes,
        *,
        depth: int = 0,
        is_ours: Callable[[str], bool] | None = None,
        account_headers: Sequence[str] = (),
        taught: Sequence[Any] = (),
    ) -> None:
        self.raw = raw
        self.taught = taught  # of formats.taught
        self.depth = depth
        self.is_ours = is_ours
        self.account_headers = account_headers
        self.limit_note: str | None = None
        self.problems: list[str] = []  # what a format could not read in a report that it still took something from
        self.json_documents: list[dict[str, Any]] | None = None  # of json_documents, kept for the next format
        self.text: str | None = None  # all that is to be read, kept: several formats know their mails by it
        self.csv_tables: list[Any] | None = None  # of csv_tables
        self.read_parameters: dict[str, str] | None = None
        self.sent: tuple[datetime | None] | None = None  # of texts.sent_at
        self.free_text: list[ParsedComplaint] | None = None  # freetext's answer, kept: recognising there is reading
        self.data = unmark(self.within_limits(one_line_end(raw[:MOST_BYTES])))
        end = self.data.find(b"\n\n")
        block, self.body_at = (self.data, len(self.data)) if end < 0 else (self.data[:end], end + 2)
        if self.data[:64].lstrip()[:1] in BARE:
            block, self.body_at = b"", 0
        if len(block) > MOST_HEADER_BYTES:
            raise MalformedComplaint(f"header: {len(block)} bytes, more than {MOST_HEADER_BYTES} are not read")
        if (lines := block.count(b"\n")) > MOST_HEADER_LINES:
            raise MalformedComplaint(f"header: {lines} lines, more than {MOST_HEADER_LINES} are not read")
        self.headers = Headers(block)
        self.content_type = main_type(self.headers.first("content-type"))
        if not len(self.headers):
            self.body_at = 0

    def within_limits(self, data: bytes) -> bytes:
        if len(self.raw) > MOST_BYTES:
            self.limit_note = f"only the first {MOST_BYTES} of {len(self.raw)} bytes were read"
        if len(data) > MOST_LINES and (lines := data.count(b"\n")) > MOST_LINES:
            self.limit_note = f"only the first {MOST_LINES} of {lines} lines were read"
            data = b"\n".join(data.split(b"\n", MOST_LINES)[:MOST_LINES])
        return data

    @property
    def parameters(self) -> dict[str, str]:
        """Kept by hand: cached_property takes a lock on Python 3.11, which costs more than the parameters."""
        if self.read_parameters is None:
            self.read_parameters = parameters_of(self.headers.first("content-type"))
        return self.read_parameters

    @property
    def report_type(self) -> str | None:
        """RFC 6522: what a multipart/report reports."""
        return self.parameters.get("report-type", "").lower() if self.content_type == "multipart/report" else None

    @property
    def body(self) -> bytes:
        return self.data[self.body_at :]

    @cached_property
    def parts(self) -> list[Part]:
        """The leaves in order, attached messages among them unopened. A mail that is not multipart is one leaf.

        Raises:
            MalformedComplaint: a limit is exceeded, or a multipart has none of the parts its boundary announces.
        """
        work = (self.data.count(b"\n") + 1) * (1 + self.data.lower().count(b"boundary"))
        if work > MOST_PARSER_WORK:
            raise MalformedComplaint("parts: too many nested boundaries for a mail of this many lines")
        try:
            tree = email.message_from_bytes(self.repaired(), _class=FlatMessage)
        except RecursionError:
            raise MalformedComplaint("parts: nested too deep") from None
        leaves: list[Part] = []
        collect(tree, leaves, level=0)
        return leaves

    def repaired(self) -> bytes:
        """The data as the standard parser needs it: it would end the header at the first line that is no field."""
        if not self.headers.junk and len(self.headers):
            return self.data
        fields = b"".join(
            f"{name}: {value}\n".encode("utf-8", "surrogateescape")
            for name, values in self.headers.values.items()
            for value in values
            if name.startswith(("content-", "mime-"))
        )
        return fields + b"\n" + self.body

    def opened(self, part: Part) -> Mail | None:
        """The message that `part` holds, or None where it holds none or lies too deep."""
        if not part.content_type.startswith(("message/", "text/rfc822")) or self.depth >= MOST_DEPTH:
            return None
        return Mail(
            part.payload,
            depth=self.depth + 1,
            is_ours=self.is_ours,
            account_headers=self.account_headers,
            taught=self.taught,
        )


def one_line_end(raw: bytes) -> bytes:
    """CRLF, the doubled CR of a bad gateway, and the CR alone of old systems become LF."""
    if b"\r" not in raw:
        return raw
    if b"\r\r\n" in raw:
        raw = raw.replace(b"\r\r\n", b"\n")
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def unmark(data: bytes) -> bytes:
    """Take off what stands before the header: blank lines, the "From " line of an mbox, a byte order mark.

    A piece of a multipart without its header (RFC 9477 prints one) gets the header that its boundary needs.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data[:1] in b"F>\n \t" and data:
        for _ in range(10):
            found = MBOX_LINE.match(data)
            if not found:
                break
            data = data[found.end() :]
    if data[:2] == b"--" and (found := ONLY_BOUNDARY.match(data)):
        data = b'Content-Type: multipart/mixed; boundary="' + found[1] + b'"\n\n' + data
    return data
