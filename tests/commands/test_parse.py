"""`manage.py parse` as other programs use it: one JSON object a file, no database, no environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = "tests/samples/arf/well_formed.eml"


def parse(*files: str, given: bytes = b"", **settings: str) -> tuple[int, list[dict[str, Any]], str]:
    run = subprocess.run(
        [sys.executable, "manage.py", "parse", *files],
        cwd=REPOSITORY,
        input=given,
        capture_output=True,
        env={"PATH": os.environ["PATH"], **settings},
    )
    return run.returncode, [json.loads(line) for line in run.stdout.splitlines()], run.stderr.decode()


def test_file_is_printed_as_one_object_with_exactly_the_promised_keys():
    status, (found,), _ = parse(SAMPLE)

    assert status == 0
    assert list(found) == ["file", "format", "disposition", "problem", "complaints"]
    assert found["file"] == SAMPLE
    assert list(found["complaints"][0]) == [
        "category", "feedback_type", "source_ip", "source_port", "arrival_date", "reported_domains", "reported_uris",
        "original_mail_from", "original_rcpt_to", "original_message_id", "original_subject", "reporter", "user_agent",
        "version", "auth_failure", "delivery_result", "cause",
    ]  # fmt: skip
    assert list(found["complaints"][0]["cause"]) == ["guess", "confidence", "reasons"]


def test_dash_reads_the_standard_input():
    status, (found,), _ = parse("-", given=(REPOSITORY / SAMPLE).read_bytes())

    assert (status, found["file"], found["disposition"]) == (0, "-", "complaint")


def test_missing_file_is_an_object_of_its_own_and_holds_nothing_up():
    status, found, _ = parse("no/such/file.eml", SAMPLE)

    assert status == 0
    assert [(item["disposition"], item["problem"]) for item in found] == [
        ("unreadable", "No such file or directory"),
        ("complaint", None),
    ]


def test_exit_status_tells_when_no_file_could_be_opened():
    status, found, errors = parse("no/such/file.eml", "no/other.eml")

    assert status == 1
    assert len(found) == 2
    assert "none of the files could be opened" in errors


def test_database_is_not_needed_and_not_made(tmp_path: Path):
    parse(SAMPLE, ABUSEDESK_DATA_DIR=str(tmp_path))

    assert list(tmp_path.glob("**/*.sqlite3")) == []
