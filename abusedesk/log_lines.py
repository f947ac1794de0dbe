"""One child's output as whole lines with its name in front, coloured only on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

LONGEST_LINE = 64 * 1024
COLOURS = (90, 36, 33, 32, 35, 34, 96, 93, 92, 95, 94)  # ECMA-48 SGR; the launcher itself is grey
# A line may quote hostile mail: an escape sequence in it must not reach the terminal.
CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) != "\t"}


class LogLines:
    """hushed: lines that contain one of these are not shown; blank ones never are."""

    def __init__(self, name: str, out: TextIO, *, width: int, colour: int, hushed: Sequence[str] = ()) -> None:
        self.out = out
        self.hushed = hushed
        self.rest = b""
        self.reader_is_gone = False
        prefix = f"{name:<{width}} |"
        self.prefix = f"\x1b[{COLOURS[colour % len(COLOURS)]}m{prefix}\x1b[0m" if out.isatty() else prefix

    def feed(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.write(line)
        if len(self.rest) > LONGEST_LINE:
            self.finish()

    def finish(self) -> None:
        if self.rest:
            self.write(self.rest)
        self.rest = b""

    def write(self, line: bytes) -> None:
        text = line.rstrip(b"\r").decode(errors="replace")
        if text.strip() and not any(part in text for part in self.hushed):
            self.say(text)

    def say(self, text: str) -> None:
        try:
            print(self.prefix, text.translate(CONTROLS), file=self.out, flush=True)
        except BrokenPipeError:  # as in `… | head`: nothing more can be said, so the tree stops
            self.reader_is_gone = True
