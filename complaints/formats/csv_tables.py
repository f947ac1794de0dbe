"""CSV that a mail carries, bare or zipped: rows as dictionaries by the header's own names, bounded in every direction.

Columns drift from year to year, so nothing counts them: a format looks for names. Nothing is ever written to disk: what
a member of an archive calls itself is text, a path in it harmless.
"""

from __future__ import annotations

import csv
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..vocabulary import ParsedComplaint
from .header_text import decode
from .json_documents import REPORTS_ON_SENDING
from .mail import Mail
from .mail_parts import Part

MOST_TABLES = 20
MOST_ROWS = 20_000
MOST_LINES = 50_000  # blank ones among them
MOST_COLUMNS = 400
MOST_CELLS = 500_000  # of one table; empty ones are not kept
LONGEST_CELL = 4_000
MOST_UNZIPPED = 16 * 2**20  # bytes of all members of one mail
MOST_MEMBERS = 2_000
CSV_TYPES: Final = ("text/csv", "text/comma-separated-values", "application/csv", "application/vnd.ms-excel")
ZIP_TYPES: Final = ("application/zip", "application/x-zip-compressed", "application/octet-stream", "application/x-zip")
CSV_NAME = re.compile(r"\.csv\b", re.I)
BAD_ARCHIVE: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError),
    *(RuntimeError, NotImplementedError),  # a compression nobody knows
)
DELIMITERS = ",;\t|"
MARKS: Final = (b"csv", b"CSV", b".zip", b".ZIP", b"/zip")
ENCRYPTED = 1  # bit 0 of the general purpose flags
ZIP_MARK = b"PK\x03\x04"

Row = dict[str, str]


@dataclass(slots=True)
class Table:
    name: str
    columns: tuple[str, ...]  # lower case
    rows: list[Row]


def tables(mail: Mail) -> list[Table]:
    """Read once; problems are told to the mail."""
    if mail.csv_tables is None:
        mail.csv_tables = list(read_tables(mail)) if may_hold_csv(mail) else []
    return mail.csv_tables


def named(table: Table, mail: Mail, read: Sequence[ParsedComplaint | None]) -> list[ParsedComplaint]:
    """The complaints read from a table's rows; rows that name nobody (None) are counted and told."""
    found = [complaint for complaint in read if complaint is not None]
    if len(found) < len(read):
        mail.problems.append(f"{table.name[:80]}: {len(read) - len(found)} of {len(read)} rows name nobody")
    return found


def may_hold_csv(mail: Mail) -> bool:
    if mail.report_type in REPORTS_ON_SENDING:
        return False
    return mail.body[:1] == b'"' or any(mark in mail.data for mark in MARKS)


def read_tables(mail: Mail) -> Iterator[Table]:
    budget = [MOST_UNZIPPED]
    count = 0
    for part in mail.parts:
        for name, content in contents_of(part, mail, budget):
            table = read_table(name, content, mail)
            if table is not None:
                yield table
                count += 1
                if count == MOST_TABLES:
                    mail.problems.append(f"CSV: only the first {MOST_TABLES} tables were read")
                    return


def contents_of(part: Part, mail: Mail, budget: list[int]) -> Iterator[tuple[str, bytes]]:
    name = part.filename or ""
    is_table = part.content_type in CSV_TYPES or bool(CSV_NAME.search(name))
    if not is_table and part.content_type not in (*ZIP_TYPES, "text/plain"):
        return
    content = part.payload
    if content[:4] == ZIP_MARK:
        yield from unzipped(name, content, mail, budget)
    elif is_table or (part.content_type == "text/plain" and looks_like_table(content)):
        yield name, content


def looks_like_table(content: bytes) -> bool:
    """A text that begins with a header line in quotes: a table without its mail."""
    first = content.lstrip()[:4_000].partition(b"\n")[0]
    return first[:1] == b'"' and first.count(b'","') >= 3


def unzipped(name: str, content: bytes, mail: Mail, budget: list[int]) -> Iterator[tuple[str, bytes]]:
    """Members that call themselves .csv, `budget` bytes of them at most, whatever the archive's directory claims."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [each for each in archive.infolist()[:MOST_MEMBERS] if CSV_NAME.search(each.filename)]
            for member in members[:MOST_TABLES]:
                if member.flag_bits & ENCRYPTED:
                    mail.problems.append(f"{name[:80]}: {member.filename[:80]} is encrypted")
                    continue
                with archive.open(member) as opened:
                    found = opened.read(budget[0] + 1)
                if len(found) > budget[0]:
                    mail.problems.append(f"{name[:80]}: only {MOST_UNZIPPED} bytes of it were unpacked")
                yield member.filename, found[: budget[0]]
                budget[0] -= len(found)
                if budget[0] <= 0:
                    return
    except BAD_ARCHIVE as exc:
        mail.problems.append(f"{name[:80] or 'ZIP'}: {exc}"[:200])


def read_table(name: str, content: bytes, mail: Mail) -> Table | None:
    text = decode(content.removeprefix(b"\xef\xbb\xbf")).replace("\0", "").lstrip()
    delimiter = max(DELIMITERS, key=text.partition("\n")[0][:100_000].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[Row] = []
    columns: tuple[str, ...] = ()
    called = name[:80] or "CSV"
    try:
        columns = tuple(cell.strip().lower()[:100] for cell in next(reader, []))
        if len(columns) > MOST_COLUMNS:
            mail.problems.append(f"{called}: {len(columns)} columns, more than {MOST_COLUMNS} are not read")
        if not 2 <= len(columns) <= MOST_COLUMNS:
            return None
        count = 0
        for number, cells in enumerate(reader):
            if len(rows) == MOST_ROWS or number == MOST_LINES or count > MOST_CELLS:
                mail.problems.append(f"{called}: only the first {len(rows)} rows were read")
                break
            said = zip(columns, map(str.strip, cells), strict=False)
            row = {column: cell[:LONGEST_CELL] for column, cell in said if cell}
            count += len(row)
            if row:
                rows.append(row)
    except csv.Error as exc:  # a cell of more than 131,072 characters
        mail.problems.append(f"{called}: line {reader.line_num}: {exc}"[:200])
    return Table(name, columns, rows) if columns else None


def first_of(row: Row, names: tuple[str, ...]) -> str:
    """The first of these columns that says something; "-" is what Shadowserver writes for nothing."""
    for name in names:
        value = row.get(name, "")
        if value and value != "-":
            return value
    return ""
