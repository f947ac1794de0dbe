from __future__ import annotations

import pytest

from complaints.formats.header_text import Headers, bare_address, bare_addresses, bare_id, readable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("  two\t words ", "two words"),
        ("=?utf-8?q?=C3=9Cber_uns?=", "Über uns"),
        ("=?UTF-8*de?B?w5xiZXI=?= uns", "Über uns"),
        ("=?UTF-8?B?w5xiZXI?=", "Über"),  # without its padding
        ("Re: =?iso-8859-1?q?=DCber?= uns", "Re: Über uns"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=9Cber?=", "Über"),  # a character cut in two words
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?x-nobody-knows?q?abc?=", "abc"),
        ("=?utf-8?q?=FF?=", "\ufffd"),
        ("=?utf-8?q?cut", "=?utf-8?q?cut"),
        ("=?utf-8?b?!!!?=", None),
        ("", None),
        (" \t ", None),
    ],
)
def test_encoded_words_become_readable(value: str, text: str | None):
    assert readable(value) == text


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("ada@reporter.example", "ada@reporter.example"),
        ("Ada <ada@reporter.example>", "ada@reporter.example"),
        ('"Ada <not@this.example>" <ada@reporter.example>', "ada@reporter.example"),
        ("ada@reporter.example (Ada Admin)", "ada@reporter.example"),
        ("[ada@reporter.example]", "ada@reporter.example"),
        ("MAILER-DAEMON", "MAILER-DAEMON"),
        ("<>", None),
        ("", None),
        (None, None),
    ],
)
def test_address_is_read_without_name_and_brackets(value: str | None, address: str | None):
    assert bare_address(value) == address


def test_addresses_of_repeated_and_comma_separated_fields_are_named_once_each():
    assert bare_addresses(["<a@x.example>, b@x.example", "a@x.example", ""]) == ("a@x.example", "b@x.example")


def test_message_id_loses_its_brackets_and_what_follows():
    assert bare_id("<1@x.example> (added by mx)") == "1@x.example"
    assert bare_id("1@x.example") == "1@x.example"
    assert bare_id("<>") is None


def test_folded_fields_are_joined_and_repeated_ones_kept_in_order():
    headers = Headers(b"Received: from a\n\tby b\nReceived: from c\nSubject : x")

    assert headers.every("received") == ["from a by b", "from c"]
    assert headers.first("subject") == "x"


def test_one_field_in_another_charset_does_not_spoil_its_neighbours():
    headers = Headers("From: Ö".encode() + b"\nSubject: \xd6")

    assert (headers.first("from"), headers.first("subject")) == ("Ö", "Ö")


def test_line_that_is_no_field_is_counted_as_junk():
    assert Headers(b"From: a\nno field here\nTo: b").junk == 1
