"""Whatever arrives, read_message answers: never an exception, never more than two seconds of CPU."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from complaints.formats import read_message
from complaints.vocabulary import Disposition, ParsedMessage
from tests.formats.sample_files import CORPUS, OWN, name_of
from tests.services.pace import cpu_within

LONGEST_S = 2.0
REPORT = b"Feedback-Type: abuse\nUser-Agent: x\nVersion: 1\nSource-IP: 192.0.2.25\n"


def read_in_time(raw: bytes) -> ParsedMessage:
    with cpu_within(LONGEST_S):
        found = read_message(raw, is_ours=lambda address: address.startswith("192.0.2."), probe_domain="probe.example")
    assert found.disposition is not Disposition.UNREADABLE or found.problem
    return found


def crashed(found: ParsedMessage) -> bool:
    """An answer that came from an exception nobody foresaw names its class: readable, but a bug of ours."""
    return bool(found.problem) and "Error:" in str(found.problem)


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_every_cut_and_every_flipped_byte_is_survived(path: Path):
    raw = path.read_bytes()
    dice = random.Random(path.name)
    for at in range(0, len(raw), 64):
        assert not crashed(read_message(raw[:at]))
        flipped = bytearray(raw)
        for _ in range(8):
            flipped[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        assert not crashed(read_message(bytes(flipped)))


@pytest.mark.skipif(not CORPUS.exists(), reason=f"no shared corpus at {CORPUS}")
def test_every_third_kilobyte_cut_of_the_shared_corpus_is_survived():
    for path in sorted(CORPUS.glob("*/*.eml")):
        raw = path.read_bytes()[:40_000]
        for at in range(0, len(raw), 3 * 1024):
            assert not crashed(read_message(raw[:at])), f"{name_of(path)} cut at {at}"


def nested(depth: int) -> bytes:
    opening = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(depth)
    )
    return b"From: a@reporter.example\nSubject: spam\n" + opening + b"Content-Type: text/plain\n\n192.0.2.25\n"


def messages_in_messages(depth: int) -> bytes:
    return b"From: a@reporter.example\nSubject: spam\nContent-Type: message/rfc822\n\n" * depth + REPORT


HUGE = {
    "nested 200 deep": nested(200),
    "nested 3000 deep": nested(3000),
    "nested 200 deep with a long text": nested(200) + b"x\n" * 100_000,
    "messages 200 deep": messages_in_messages(200),
    "100,000 header fields": b"X-Field: value\n" * 100_000 + b"\n",
    "100,000 Received lines": b"Received: from a.example ([192.0.2.1]) by b.example\n" * 100_000 + b"\nspam",
    "a header field of 5 MB": b"Subject: " + b"a" * 5_000_000 + b"\n\nspam",
    "an encoded word of 5 MB": b"Subject: =?utf-8?q?" + b"a" * 5_000_000 + b"?=\n\nspam",
    "a line of 50 MB": b"Subject: spam\n\n" + b"1" * 50_000_000,
    "a line of dots and digits": b"Subject: spam\n\n" + b"1.1.1." * 500_000,
    "a line of colons": b"Subject: spam\n\n" + b"a:" * 500_000,
    "a line of opened brackets": b"Subject: spam\n\n" + b"<" * 1_000_000,
    "html that never closes": b"Subject: spam\nContent-Type: text/html\n\n" + b"<script <style <!-- " * 50_000,
    "a million blank lines": b"Subject: spam\n\n" + b"\n" * 1_000_000,
    "blank space for a header": b" " * 3_000_000,
    "quotes without end": b"Subject: spam\n\n" + b"> " * 1_000_000,
    "20,000 parts": b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nspam 192.0.2.25\n" * 20_000,
    "20,000 addresses": b"Subject: spam\n\n" + b"".join(b"192.0.%d.%d\n" % (i // 250, i % 250) for i in range(20_000)),
    "NUL bytes": b"\0" * 100_000,
    "a parameter of a megabyte": b'Content-Type: multipart/report; boundary="' + b"b" * 1_000_000 + b'"\n\n--b',
    "many parameters": b"Content-Type: multipart/report" + b"; a=b" * 100_000 + b"\n\n",
    "many parameters in a part": b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain'
    + b"; a=b" * 1_400_000
    + b"\n\nspam\n",
    "a folded field of 7 MB in a part": b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: a/b'
    + b";\n a=b" * 100_000
    + b"\n\nspam\n",
    "uuencoded nonsense": b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n" + b"M" * 10_000,
}


@pytest.mark.parametrize("raw", HUGE.values(), ids=HUGE.keys())
def test_what_is_far_too_large_is_answered_in_time(raw: bytes):
    assert not crashed(read_in_time(raw))


def test_what_lies_beyond_the_size_limit_is_said():
    found = read_in_time(b"Subject: spam from 192.0.2.25\n\n" + b"x" * 79 + b"\n" * 9_000_000)

    assert found.problem == "only the first 8388608 of 9000110 bytes were read" or "lines were read" in str(
        found.problem
    )


def test_a_limit_that_is_exceeded_is_named_with_its_figure():
    found = read_in_time(HUGE["100,000 header fields"])

    assert found.disposition is Disposition.UNREADABLE
    assert found.problem == "header: 1499999 bytes, more than 524288 are not read"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=3000))
def test_any_bytes_are_answered(raw: bytes):
    assert not crashed(read_message(raw))


PIECES = [
    b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n", b"--b\n", b"--b--\n", b"\n",
    b"Content-Type: message/feedback-report\n", b"Content-Type: message/rfc822\n", b"Received: from [", b"\r",
    b"Source-IP: ", b"192.0.2.25", b"2001:db8::", b"Subject: spam ", b"=?utf-8?b?//8=?=", b"\xff\xfe", b"\0",
    b"Content-Transfer-Encoding: base64\n", b"From ", b">", b" ", b"\t", REPORT, b"Tue, 3 Mar 2026 99:99:99 +9999",
]  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_order_of_the_pieces_of_a_report_is_answered(pieces: list[bytes]):
    assert not crashed(read_message(b"".join(pieces)))
