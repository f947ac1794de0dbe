"""The parts of a mail as the standard library's compat32 parser splits them, flattened to leaves and bounded."""

from __future__ import annotations

import binascii
import email.message
import re

from .errors import MalformedComplaint

MOST_PARTS = 500
MOST_TEXT = 256 * 2**10  # bytes of one part that are read as text
PARAMETER = re.compile(r";\s*([\w*-]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^;\s]*))")


class FlatMessage(email.message.Message):
    """Lets the standard parser keep attached messages as they are: bytes, and decodable when base64.

    Its own reading of Content-Type takes time in the square of the field's length; ours is bounded.
    """

    def get_content_type(self) -> str:
        kind = main_type(header_value(self, "content-type") or self.get_default_type())
        return "attached/" + kind.removeprefix("message/") if kind.startswith("message/") else kind

    def get_content_maintype(self) -> str:
        return self.get_content_type().partition("/")[0]

    def get_boundary(self, failobj: object = None) -> str | None:  # type: ignore[override]
        return parameters_of(header_value(self, "content-type")).get("boundary", "").rstrip() or None


class Part:
    """One leaf of a mail."""

    __slots__ = ("_message", "content_type", "filename", "inside", "level")

    def __init__(self, message: email.message.Message, level: int, inside: str) -> None:
        self._message = message
        self.level = level
        self.inside = inside  # content type of the multipart it lies in
        # RFC 2046 section 5.1.5: what lies in a digest is a message unless it says otherwise.
        default = "message/rfc822" if inside == "multipart/digest" else "text/plain"
        self.content_type = main_type(header_value(message, "content-type") or default)
        parameters = parameters_of(header_value(message, "content-disposition"))
        self.filename = parameters.get("filename") or parameters_of(header_value(message, "content-type")).get("name")

    @property
    def payload(self) -> bytes:
        """The content, transfer encoding undone as far as it can be."""
        try:
            content = self._message.get_payload(decode=True)
        except (ValueError, LookupError, binascii.Error):
            content = str(self._message._payload).encode("utf-8", "surrogateescape")  # type: ignore[attr-defined]
        return content if isinstance(content, bytes) else b""

    @property
    def is_attachment(self) -> bool:
        return header_value(self._message, "content-disposition").lower().startswith("attachment")

    @property
    def text(self) -> str:
        """Readable text, at most MOST_TEXT bytes of it; a wrong or unknown charset never hides it."""
        content = self.payload[:MOST_TEXT]
        charset = parameters_of(header_value(self._message, "content-type")).get("charset", "utf-8")
        for name in (charset, "utf-8"):
            try:
                return content.decode(name)
            except (LookupError, ValueError):
                continue
        return content.decode("utf-8" if len(content) == MOST_TEXT else "latin-1", "replace")


def collect(message: email.message.Message, leaves: list[Part], level: int, inside: str = "") -> None:
    if len(leaves) >= MOST_PARTS:
        raise MalformedComplaint(f"parts: more than {MOST_PARTS}")
    # Asked for nothing else: getting the payload of a leaf decodes it, and raises for a charset with a NUL in it.
    payload = message.get_payload() if message.is_multipart() else None
    if not isinstance(payload, list):
        kind = main_type(header_value(message, "content-type"))
        if kind.startswith("multipart/") and level == 0:
            boundary = parameters_of(header_value(message, "content-type")).get("boundary", "")
            raise MalformedComplaint(f"{kind}: its boundary {boundary[:70]!r} never appears, so it has no parts")
        leaves.append(Part(message, level, inside))
        return
    kind = main_type(header_value(message, "content-type"))
    for child in payload:
        if isinstance(child, email.message.Message):
            collect(child, leaves, level + 1, kind)


def header_value(message: email.message.Message, name: str) -> str:
    return str(message.get(name, "")).replace("\n", " ")


def main_type(value: str | None) -> str:
    return value.partition(";")[0].strip().lower() if value else "text/plain"


def parameters_of(value: str | None) -> dict[str, str]:
    """The first of each parameter counts; quotes and escapes are taken off, RFC 2231 names lose their star."""
    found: dict[str, str] = {}
    for name, quoted, plain in PARAMETER.findall(value[:4_000] if value else ""):
        found.setdefault(name.lower().rstrip("*"), quoted.replace("\\", "") if quoted else plain)
    return found
