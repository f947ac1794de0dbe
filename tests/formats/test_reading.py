from __future__ import annotations

from datetime import UTC, datetime

import pytest

from complaints.formats import read_message
from complaints.formats.reading import all_formats
from complaints.vocabulary import Disposition


def mail(text: str, *, to: str = "abuse@brenn.example", subject: str = "spam", extra: str = "") -> bytes:
    return f"From: Ada <ada@reporter.example>\nTo: {to}\nSubject: {subject}\n{extra}\n{text}\n".encode()


def ours(address: str) -> bool:
    return address.startswith("192.0.2.")


def addresses(raw: bytes, is_ours=ours) -> list[str | None]:
    return [complaint.source_ip for complaint in read_message(raw, is_ours=is_ours).complaints]


def test_formats_are_asked_from_the_surest_to_the_vaguest():
    order = ["arf", "xarf4", "xarf3", "jmrp", "xarf02", "bounce", "statistics-report", "auto-reply", "freetext"]
    names = [kind.NAME for kind in all_formats()]

    assert [name for name in names if name in order] == order
    assert names[-1] == "freetext"


@pytest.mark.parametrize(
    "raw",
    [
        mail("x", to="Probe <run-17@probe.example>"),
        mail("x", to="a@other.example, run-17@PROBE.example"),
        mail("x", extra="Delivered-To: run-17@probe.example\n"),
        mail("x", extra="X-Original-To: <run-17@probe.example>\n"),
    ],
)
def test_mail_to_the_probe_domain_is_a_probe_before_any_format_is_asked(raw: bytes):
    assert read_message(raw, probe_domain="probe.example").disposition is Disposition.PROBE


@pytest.mark.parametrize("to", ["a@notprobe.example", "a@probe.example.evil.example", "probe.example@brenn.example"])
def test_domain_that_only_looks_like_the_probe_domain_is_no_probe(to: str):
    assert read_message(mail("x", to=to), probe_domain="probe.example").disposition is Disposition.OTHER


def test_outer_fields_are_read_for_the_desk():
    found = read_message(
        mail(
            "x",
            subject="=?utf-8?q?Beschwerde_=C3=BCber?=  Spam",
            extra="Message-ID: <1@r>\nDate: 3 Mar 2026 12:00 +0200\n",
        )
    )

    assert found.subject == "Beschwerde über Spam"
    assert found.sender == "ada@reporter.example"
    assert found.message_id == "1@r"
    assert found.sent_at == datetime(2026, 3, 3, 10, 0, tzinfo=UTC)


def test_of_several_addresses_only_ours_are_accused():
    assert addresses(mail("Spam from 192.0.2.7, 198.51.100.7 and 192.0.2.8")) == ["192.0.2.7", "192.0.2.8"]


def test_addresses_that_are_not_ours_are_kept_so_that_attribution_can_say_so():
    assert addresses(mail("We got spam: 198.51.100.7 and 203.0.113.7")) == ["198.51.100.7", "203.0.113.7"]


def test_our_mail_servers_in_the_outer_header_are_not_accused():
    received = "Received: from mx.brenn.example (mx.brenn.example [192.0.2.1]) by store.brenn.example with LMTP\n"

    assert read_message(mail("This is spam.", extra=received), is_ours=ours).disposition is Disposition.OTHER


def test_line_that_is_no_field_does_not_hide_the_fields_below_it():
    raw = mail("Spam from 192.0.2.7", extra="this line is broken\nMessage-ID: <1@r>\nDate: 3 Mar 2026 12:00 +0000\n")

    assert read_message(raw).message_id == "1@r"
    assert addresses(raw) == ["192.0.2.7"]


def test_sender_alone_does_not_make_a_bounce():
    raw = mail("Spam from 192.0.2.7").replace(b"ada@reporter.example", b"postmaster@reporter.example")

    assert read_message(raw).disposition is Disposition.COMPLAINT


def test_machine_that_complains_without_expecting_answers_is_no_auto_reply():
    raw = mail("Spam from 192.0.2.7", extra="Auto-Submitted: auto-generated\nPrecedence: bulk\n")

    assert read_message(raw).disposition is Disposition.COMPLAINT
