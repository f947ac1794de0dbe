from __future__ import annotations

import hashlib

import pytest

from complaints.formats.evidence import DEEPEST, LONGEST_TEXT, MOST_HEADERS, Attachment, evidence_of
from tests.formats.sample_files import OWN, name_of
from tests.formats.test_hostile_input import HUGE
from tests.services.pace import cpu_within

PAGE = """<html><style>p {color: red}</style><script>alert(1)</script><body onload="x()">
<p>Dear client,</p><p>log in <a class=x href="http://evil.example/?a=1&amp;b=2">http://bank.example/</a></p>
<img src="http://spy.example/p.gif"></body></html>"""


def mail(*parts: str) -> bytes:
    body = "".join(f"--b\n{part}\n" for part in parts)
    return f'From: a@reporter.example\nContent-Type: multipart/mixed; boundary="b"\n\n{body}--b--\n'.encode()


def test_header_is_decoded_and_keeps_its_order():
    raw = b"Received: from b\n\tby c\nReceived: from a\nSubject: =?utf-8?q?=C3=9Cber?=  uns\n\nx"

    assert evidence_of(raw).headers == (("Received", "from b by c"), ("Received", "from a"), ("Subject", "Über uns"))
    assert evidence_of(raw).subject == "Über uns"


def test_page_becomes_plain_lines_with_the_targets_of_its_links():
    found = evidence_of(b"Content-Type: text/html\n\n" + PAGE.encode())

    assert [text.text for text in found.texts] == [
        "Dear client,\nlog in [http://evil.example/?a=1&b=2] http://bank.example/"
    ]


def test_attachment_is_listed_with_size_type_and_hash():
    raw = mail(
        "Content-Type: text/plain\n\nSee below.",
        'Content-Type: application/zip; name="x"\nContent-Transfer-Encoding: base64\n'
        'Content-Disposition: attachment; filename="../../etc/virus.zip"\n\nUEsDBA==',
    )

    assert evidence_of(raw).attachments == (
        Attachment("virus.zip", "application/zip", 4, hashlib.sha256(b"PK\3\4").hexdigest()),
    )
    assert [text.text for text in evidence_of(raw).texts] == ["See below."]


def test_text_that_is_a_file_is_both_shown_and_listed():
    found = evidence_of(mail('Content-Type: text/plain; name="log.txt"\n\nline'))

    assert [(text.name, text.text) for text in found.texts] == [("log.txt", "line")]
    assert [(file.name, file.size) for file in found.attachments] == [("log.txt", 4)]


def test_attached_mail_is_opened_in_its_turn():
    found = evidence_of(mail("Content-Type: message/rfc822\n\nSubject: inner\n\nspam"))

    assert [(original.subject, original.texts[0].text) for original in found.originals] == [("inner", "spam")]
    assert found.attachments == ()


def test_mails_below_the_deepest_are_listed_as_files():
    raw = b"Content-Type: message/rfc822\n\n" * (DEEPEST + 2) + b"Subject: deep\n\nx"
    found = evidence_of(raw)
    for _ in range(DEEPEST):
        assert found.attachments == ()
        (found,) = found.originals

    assert found.originals == ()
    assert [file.content_type for file in found.attachments] == ["message/rfc822"]


def test_characters_that_turn_or_hide_text_are_shown_as_such():
    found = evidence_of("Subject: a\u202eb\n\nx\0y\u200bz\tw".encode())

    assert found.subject == "a\ufffdb"
    assert found.texts[0].text == "x\ufffdy\ufffdz\tw"


def test_what_is_left_out_is_said():
    raw = b"X: y\n" * 300 + b"\n" + b"a" * 50_000
    found = evidence_of(raw)

    assert len(found.headers) == MOST_HEADERS
    assert len(found.texts[0].text) == LONGEST_TEXT
    assert found.notes == (
        "only the first 200 of 300 header fields are shown",
        "text/plain: only the first 40000 of 50000 characters are shown",
    )


def test_mail_that_cannot_be_taken_apart_is_shown_as_it_is():
    found = evidence_of(b'Content-Type: multipart/mixed; boundary="never"\nSubject: x\n\nthe body')

    assert [text.text for text in found.texts] == ["the body"]
    assert found.notes == ("multipart/mixed: its boundary 'never' never appears, so it has no parts",)


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_every_sample_and_every_cut_of_it_is_shown(path):
    raw = path.read_bytes()
    for end in range(0, len(raw) + 1, 256):
        found = evidence_of(raw[:end])
        assert found.sha256 == hashlib.sha256(raw[:end]).hexdigest()


@pytest.mark.parametrize("raw", HUGE.values(), ids=HUGE.keys())
def test_what_is_far_too_large_is_shown_in_time(raw: bytes):
    with cpu_within(2):
        evidence_of(raw)
