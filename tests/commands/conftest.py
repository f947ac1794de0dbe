"""Fixtures of the import commands: one that must go well, and one that must be refused."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.commands.import_files import Import, Refuse, errors_of, write_file


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    """load("networks", *lines): the summary without the file's name."""
    monkeypatch.chdir(tmp_path)

    def run(noun: str, *lines: str | bytes, **options: bool) -> dict[str, int]:
        write_file(noun, lines)
        out = StringIO()
        call_command(f"import_{noun}", "F.csv", stdout=out, **options)
        summary = json.loads(out.getvalue())
        assert summary.pop("file") == "F.csv"
        return summary

    return run


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """refused("networks", *lines): the lines on standard error of an import that exits with 1."""
    monkeypatch.chdir(tmp_path)

    def run(noun: str, *lines: str | bytes) -> list[str]:
        write_file(noun, lines)
        return errors_of(noun)

    return run
