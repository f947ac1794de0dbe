"""Mail in files: single mails, Maildir folders, mbox files. Read as bytes, so that nothing changes on the way."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

SEPARATOR = b"From "
ESCAPED = re.compile(rb">+From ")
LINE_ENDS = (b"\n", b"\r\n")


@dataclasses.dataclass(frozen=True, slots=True)
class FoundMail:
    """name: where it stood, for people. Either `raw` or a `problem`."""

    name: str
    raw: bytes = b""
    problem: str = ""
    envelope_from: str = ""


def read_stream(stream: BinaryIO, name: str, *, max_bytes: int) -> FoundMail:
    try:
        raw = stream.read(max_bytes + 1)
    except OSError as exc:
        return FoundMail(name, problem=exc.strerror or str(exc))
    return FoundMail(name, problem=too_large(max_bytes)) if len(raw) > max_bytes else FoundMail(name, raw)


def read_file(path: Path, *, max_bytes: int) -> FoundMail:
    try:
        with path.open("rb") as stream:
            return read_stream(stream, str(path), max_bytes=max_bytes)
    except OSError as exc:
        return FoundMail(str(path), problem=exc.strerror or str(exc))


def read_maildir(folder: Path, *, max_bytes: int) -> Iterator[FoundMail]:
    """The mails of new/ and cur/; the folder is left as it is. A mail in tmp/ is not delivered yet."""
    parts = [folder / part for part in ("new", "cur") if (folder / part).is_dir()]
    if not parts:
        yield FoundMail(str(folder), problem="not a Maildir: there is neither new/ nor cur/ in it")
    for part in parts:
        try:
            files = sorted(path for path in part.iterdir() if not path.name.startswith("."))
        except OSError as exc:
            yield FoundMail(str(part), problem=exc.strerror or str(exc))
            continue
        for path in files:
            yield read_file(path, max_bytes=max_bytes)


def read_mbox(path: Path, *, max_bytes: int) -> Iterator[FoundMail]:
    """Mails that were read before the file broke off are kept."""
    try:
        with path.open("rb") as lines:
            yield from split_mbox(lines, str(path), max_bytes=max_bytes)
    except OSError as exc:
        yield FoundMail(str(path), problem=exc.strerror or str(exc))


def split_mbox(lines: Iterable[bytes], name: str, *, max_bytes: int) -> Iterator[FoundMail]:
    """A mail begins after a "From " line that follows an empty line. ">From " loses one ">" (mboxrd and mboxo)."""
    mail: MboxMail | None = None
    after_empty = True
    number = 0
    for line in lines:
        if after_empty and line.startswith(SEPARATOR):
            if mail:
                yield mail.found(max_bytes)
            number += 1
            mail = MboxMail(f"{name}: mail {number}", line)
            after_empty = False
        elif mail:
            mail.add(line[1:] if ESCAPED.match(line) else line, max_bytes)
            after_empty = line in LINE_ENDS
        elif line not in LINE_ENDS:
            yield FoundMail(name, problem="not an mbox: it does not begin with a line 'From …'")
            return
    if mail:
        yield mail.found(max_bytes)


class MboxMail:
    def __init__(self, name: str, separator: bytes) -> None:
        self.name = name
        self.lines: list[bytes] = []
        self.size = 0
        sender = separator.split()[1:2]
        self.sender = sender[0].decode("utf-8", "replace") if sender and b"@" in sender[0] else ""

    def add(self, line: bytes, max_bytes: int) -> None:
        self.size += len(line)
        if self.size > max_bytes + len(b"\r\n"):
            self.lines.clear()
        else:
            self.lines.append(line)

    def found(self, max_bytes: int) -> FoundMail:
        if self.lines and self.lines[-1] in LINE_ENDS:  # belongs to the mbox, not to the mail
            self.size -= len(self.lines.pop())
        if self.size > max_bytes:
            return FoundMail(self.name, problem=too_large(max_bytes))
        return FoundMail(self.name, b"".join(self.lines), envelope_from=self.sender)


def too_large(max_bytes: int) -> str:
    return f"larger than {max_bytes} octets (ABUSEDESK_MAX_MESSAGE_BYTES)"
