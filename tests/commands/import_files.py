"""What the tests of import commands share: a file of their columns in, the summary or the refusal out."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

CONTRACT_HEADER = "contract,customer,customer_name,product,brand,contact_name,contact_email,contact_role,language"
ASSIGNMENT_HEADER = "contract,prefix,kind,valid_from,valid_until,port_first,port_last"
HEADERS = {
    "networks": "prefix,name",
    "contracts": CONTRACT_HEADER,
    "assignments": ASSIGNMENT_HEADER,
    "identifiers": "contract,kind,value,valid_from,valid_until",
    "names": "contract,name,valid_from,valid_until",
    "cgnat": "outside_prefix,inside_prefix,block_size,port_first,port_last,order,valid_from,valid_until",
}

Import = Callable[..., dict[str, int]]
Refuse = Callable[..., list[str]]


def write_file(noun: str, lines: tuple[str | bytes, ...]) -> None:
    """With its usual header, unless the first line is bytes."""
    header = () if lines and isinstance(lines[0], bytes) else (HEADERS[noun],)
    raw = [line if isinstance(line, bytes) else line.encode() for line in (*header, *lines)]
    Path("F.csv").write_bytes(b"".join(line + b"\r\n" for line in raw))


def errors_of(noun: str) -> list[str]:
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as exit_info:
        call_command(f"import_{noun}", "F.csv", stdout=out, stderr=err)
    assert (exit_info.value.code, out.getvalue()) == (1, "")
    return err.getvalue().splitlines()


def counts(lines: int, created: int = 0, updated: int = 0, unchanged: int = 0, removed: int = 0) -> dict[str, int]:
    return {"lines": lines, "created": created, "updated": updated, "unchanged": unchanged, "removed": removed}
