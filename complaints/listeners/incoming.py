"""The octets of one DATA on their way from the wire to the store."""

from __future__ import annotations

from typing import Protocol

STUFFING = 8  # what dot-stuffing may add while DATA is read, as a fraction of the size limit: 1/8


class Memory(Protocol):
    """Counts the mail that all sessions hold together."""

    max_bytes: int

    def hold(self, octets: int) -> bool: ...
    def release(self, octets: int) -> None: ...


class Incoming:
    """The octets of one DATA, with the line end before them, counted against the memory of all sessions."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.pieces: list[bytes] = []
        self.raw = b""
        self.size = self.held = 0
        self.complete = self.refused = self.dropped = False

    def add(self, piece: bytes, *, complete: bool = False) -> None:
        """A mail that cannot be taken is read to its end, but not kept: the client listens only then."""
        self.size += len(piece)
        self.complete = complete
        if self.dropped:
            return
        self.pieces.append(piece)
        self.held += len(piece)
        self.refused = not self.memory.hold(len(piece))
        self.dropped = self.refused or self.size > self.memory.max_bytes + self.memory.max_bytes // STUFFING
        if self.dropped:
            self.release()
        elif complete:
            self.raw = unstuffed(b"".join(self.pieces))
            self.pieces.clear()

    def release(self) -> None:
        self.memory.release(self.held)
        self.held = 0
        self.pieces.clear()

    def is_too_large(self) -> bool:
        return not self.refused and (self.dropped or len(self.raw) > self.memory.max_bytes)


def unstuffed(data: bytes) -> bytes:
    """The mail between a first CRLF and the last dot. RFC 5321 section 4.5.2: the client doubled leading dots."""
    return data[: -len(b".\r\n")].replace(b"\r\n.", b"\r\n")[len(b"\r\n") :]
