"""Every sample is read as the .json beside it says; keys that it leaves out are not tested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from complaints.formats import read_message
from complaints.management.commands.parse import as_json
from tests.formats.sample_files import OWN, name_of


def narrowed(found: Any, wanted: Any) -> Any:
    """`found` with only the keys that `wanted` speaks of; of the reasons the first, which names the address."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return {key: narrowed(found[key], value) for key, value in wanted.items()}
    if isinstance(wanted, list) and isinstance(found, list) and wanted and isinstance(wanted[0], dict):
        return [
            narrowed(item, wanted[place] if place < len(wanted) else wanted[-1]) for place, item in enumerate(found)
        ]
    return found


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_sample_is_read_as_its_expectation_says(path: Path):
    wanted = json.loads(path.with_suffix(".json").read_text())
    found = json.loads(json.dumps(as_json(path.name, read_message(path.read_bytes()))))

    for complaint in wanted["complaints"]:
        if "cause" in complaint:
            reasons = found["complaints"][0]["cause"]["reasons"]
            found["complaints"][0]["cause"]["reasons"] = reasons[: len(complaint["cause"]["reasons"])]

    assert narrowed(found, wanted) == wanted


def test_every_sample_has_an_expectation_and_every_expectation_a_sample():
    folder = OWN[0].parents[1]

    assert {path.with_suffix("") for path in OWN} == {path.with_suffix("") for path in folder.glob("*/*.json")}
