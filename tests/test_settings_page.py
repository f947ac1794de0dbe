"""docs/settings.md lists what the program reads: no variable more, none less."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READ_BY = (ROOT / "abusedesk/settings.py", ROOT / "abusedesk/log_in.py")
READ = re.compile(r'env\.\w+\(\s*"([A-Z][A-Z0-9_]+)"')


def variables_read() -> set[str]:
    return {name for path in READ_BY for name in READ.findall(path.read_text())}


def variables_listed() -> set[str]:
    rows = [line for line in (ROOT / "docs/settings.md").read_text().splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row.split("|")[1])}


def test_every_setting_is_read_where_this_test_looks() -> None:
    elsewhere = [path for path in (ROOT / "abusedesk").glob("*.py") if path not in READ_BY]
    assert {path.name: READ.findall(path.read_text()) for path in elsewhere if READ.search(path.read_text())} == {}


def test_every_variable_that_is_read_is_listed() -> None:
    assert sorted(variables_read() - variables_listed()) == []


def test_every_variable_that_is_listed_is_read() -> None:
    assert sorted(variables_listed() - variables_read()) == []
