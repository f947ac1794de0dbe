"""The byte scanner and the standard library's parser say the same of every mail, or the scanner steps back."""

from __future__ import annotations

import email
import email.message
from pathlib import Path

import pytest

from complaints.formats import MalformedComplaint, arf, arf_fast
from complaints.formats.mail import Mail
from tests.formats.sample_files import CORPUS, OWN, name_of

ARF_SAMPLES = [path for path in OWN if path.parent.name.startswith("arf")]
SHARED = sorted(CORPUS.glob("*/*.eml"))
# What the scanner must not leave to the slow way: these are as the RFC wants them.
WELL_FORMED = {
    "arf/well_formed", "arf/well_formed_crlf", "arf/closing_boundary_missing", "arf/original_headers_only",
    "arf/several_recipients_in_one_folded_field", "arf/raw_latin1_in_original", "arf_not_spam/moved_out_of_junk",
    "arf_opt_out/wants_no_more", "arf_auth_failure/dkim_bodyhash",
}  # fmt: skip


def by_both_ways(raw: bytes):
    """→ (the scanner's answer or None, the parser's answer or what it complains of)."""
    try:
        mail = Mail(raw)
        fast = arf_fast.find_parts(mail)
        slow = arf.find_parts(mail)
    except MalformedComplaint as exc:
        return None, str(exc)
    if fast is None:
        return None, slow and arf.read_complaint(slow, mail)
    return arf.read_complaint(fast, mail), slow and arf.read_complaint(slow, mail)


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_scanner_and_parser_agree_on_our_samples(path: Path):
    fast, slow = by_both_ways(path.read_bytes())

    assert fast is None or fast == slow


@pytest.mark.skipif(not SHARED, reason=f"no shared corpus at {CORPUS}")
def test_scanner_and_parser_agree_on_the_shared_corpus():
    answers = {name_of(path): by_both_ways(path.read_bytes()) for path in SHARED}

    assert {name: pair for name, pair in answers.items() if pair[0] is not None and pair[0] != pair[1]} == {}
    assert sum(pair[0] is not None for pair in answers.values()) > 20  # it does not agree by never answering


@pytest.mark.parametrize("path", ARF_SAMPLES, ids=name_of)
def test_scanner_and_parser_agree_on_every_cut_and_flip(path: Path):
    raw = path.read_bytes()
    for at in range(0, len(raw), 64):
        for twisted in (raw[:at], raw[:at] + bytes([raw[at] ^ 0x20]) + raw[at + 1 :]):
            fast, slow = by_both_ways(twisted)
            assert fast is None or fast == slow, f"byte {at}"


@pytest.mark.parametrize("name", sorted(WELL_FORMED))
def test_scanner_takes_what_is_well_formed(name: str):
    path = next(path for path in OWN if name_of(path) == name)

    assert arf_fast.find_parts(Mail(path.read_bytes())) is not None


@pytest.mark.parametrize(
    "name", ["arf/report_part_base64_attachment", "arf/mbox_lines", "arf/original_base64", "arf/outer_type_mixed"]
)
def test_scanner_steps_back_when_in_doubt(name: str):
    path = next(path for path in OWN if name_of(path) == name)

    assert arf_fast.find_parts(Mail(path.read_bytes())) is None


def test_report_fields_are_those_that_the_bare_standard_parser_finds():
    path = next(path for path in OWN if name_of(path) == "arf/well_formed")
    found = arf_fast.find_parts(Mail(path.read_bytes()))
    message = email.message_from_bytes(path.read_bytes())
    reports = [part for part in message.walk() if part.get_content_type() == "message/feedback-report"]
    report = reports[0].get_payload(0)
    assert isinstance(report, email.message.Message)

    assert found is not None
    assert {name: values[0] for name, values in found.fields.values.items()} == {
        name.lower(): value for name, value in report.items()
    }
