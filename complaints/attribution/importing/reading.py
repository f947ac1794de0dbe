"""A CSV file of the ISP: read line by line, with every fault kept with its line and column. Knows no table.

Nothing is guessed: a column that is missing or unknown, a byte that is no UTF-8, a row of another
length is a fault. All faults are told at once, up to MAX_FAULTS, because one a run makes a long day.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
Progress = Callable[[int], None]  # told the number of lines read, now and then
MAX_FAULTS = 50
LINES_A_PROGRESS = 2_000


class ImportRefused(Exception):
    """Nothing was changed. `faults` are lines as "F.csv:12: prefix: what stood there and why it is refused"."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Sheet:
    """One file while it is read. `name` stands in front of its faults; `lines` counts the data rows.

    `stream`: text as open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") gives it, or any
    other iterable of lines.
    """

    def __init__(
        self, stream: Iterable[str], columns: Sequence[str], *, name: str, progress: Progress | None = None
    ) -> None:
        self.stream, self.columns, self.name, self.progress = stream, list(columns), name, progress
        self.place = {column: number for number, column in enumerate(self.columns)}
        self.lines = 0
        self.faults: list[str] = []

    def fault(self, line: int, column: str, problem: str) -> None:
        self.faults.append(f"{self.name}:{line}: {column}: {problem}" if column else f"{self.name}:{line}: {problem}")
        if len(self.faults) == MAX_FAULTS:
            raise ImportRefused([*self.faults, f"{self.name}: stopped after {MAX_FAULTS} faults"])

    def seal(self) -> None:
        """Raises ImportRefused when there were faults."""
        if self.faults:
            raise ImportRefused(self.faults)

    def rows(self) -> Iterator[Row]:
        """The data rows that have the right number of cells. A fault of the header ends it here."""
        reader = csv.reader(self.checked_lines(), strict=True)
        header = [cell.strip() for cell in self.next_cells(reader) or []]
        if header and header[0].startswith("\ufeff"):
            header[0] = header[0].removeprefix("\ufeff")
        self.check_header(header)
        self.seal()
        order = [header.index(column) for column in self.columns]
        while True:
            line = reader.line_num + 1
            cells = self.next_cells(reader)
            if cells is None:
                return
            if cells:
                self.lines += 1
                if len(cells) == len(header):
                    yield Row(self, line, [cells[index].strip() for index in order])
                else:
                    self.fault(line, "", f"{len(cells)} cells, but the header has {len(header)}")

    def next_cells(self, reader: Iterator[list[str]]) -> list[str] | None:
        """None at the end, and after a quoting fault: what follows it cannot be told apart any more."""
        try:
            return next(reader, None)
        except csv.Error as exc:
            self.fault(getattr(reader, "line_num", 0), "", f"is no CSV: {exc}")
            return None

    def checked_lines(self) -> Iterator[str]:
        for number, line in enumerate(self.stream, 1):
            if self.progress and number % LINES_A_PROGRESS == 0:
                self.progress(number)
            if not line.isascii():
                self.check_encoding(number, line)
            if "\0" in line:
                self.fault(number, "", "holds a NUL byte: is it UTF-16? Save it as UTF-8")
            yield line

    def check_encoding(self, number: int, line: str) -> None:
        for place, letter in enumerate(line, 1):
            if "\udc80" <= letter <= "\udcff":  # how surrogateescape keeps a byte that is no UTF-8
                self.fault(number, "", f"byte 0x{ord(letter) - 0xDC00:02x} at character {place} is no UTF-8")
                return

    def check_header(self, header: list[str]) -> None:
        if not header:
            return self.fault(1, "", f"the header line is missing: {','.join(self.columns)}")
        if len(header) == 1 and ";" in header[0]:
            return self.fault(1, "", "the columns are parted by semicolons: part them by commas")
        for problem, names in (
            ("is missing", [name for name in self.columns if name not in header]),
            ("is not a column of this file", [name for name in header if name not in self.columns]),
            ("is there twice", sorted({name for name in header if header.count(name) > 1})),
        ):
            for name in names:
                self.fault(1, name or "(no name)", problem)
        return None


@dataclasses.dataclass(slots=True)
class Row:
    sheet: Sheet
    line: int
    cells: list[str]
    good: bool = True

    def read(self, column: str, parse: Callable[[str], T]) -> T | None:
        """The parsed cell, or None with a fault noted and the row no longer `good`."""
        try:
            return parse(self.cells[self.sheet.place[column]])
        except ValueError as exc:
            self.refuse(column, str(exc))
            return None

    def refuse(self, column: str, problem: str) -> None:
        self.good = False
        self.sheet.fault(self.line, column, problem)
