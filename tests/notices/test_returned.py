"""What mails that came back say, by their own words."""

from __future__ import annotations

import pytest

from complaints.notices.returned import is_about_address, read_returned

OURS = "<case-2026-00012.notify-1.0123456789abcdef@isp.example>"
QMAIL = f"""Return-Path: <>
From: MAILER-DAEMON@mx.example
To: bounce+7-0123456789@isp.example
Subject: failure notice

Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<anna@brenn.example>:
192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 User unknown

--- Below this line is a copy of the message.

Message-ID: {OURS}
References: <case-2026-00011.notify-1.0123456789abcdef@isp.example>
"""
EXIM_LATE = """From: Mailer-Daemon@mx.example
Subject: Warning: message 1abc delayed 24 hours
X-Failed-Recipients: anna@brenn.example

The message has not yet been delivered. 451 4.3.0
"""
EXIM = """From: Mailer-Daemon@mx.example
Subject: Mail delivery failed: returning message to sender
X-Failed-Recipients: anna@brenn.example

A message that you sent could not be delivered.
"""
RECEIPT = """From: anna@brenn.example
Subject: Re: hello

Thank you, it arrived.
"""


def test_qmail_quotes_the_servers_reply_and_the_original():
    said = read_returned(QMAIL.encode())
    assert said is not None
    assert (said.final, said.status, said.ids) == (True, "5.1.1", (OURS,))
    assert said.sent_to == ("bounce+7-0123456789@isp.example",)


def test_exim_names_the_recipient_in_its_header():
    said = read_returned(EXIM.encode())
    assert said is not None
    assert (said.final, said.status, said.recipients) == (True, "", ("anna@brenn.example",))


def test_a_warning_is_not_final():
    said = read_returned(EXIM_LATE.encode())
    assert said is not None
    assert not said.final


def test_an_ordinary_mail_says_nothing():
    assert read_returned(RECEIPT.encode()) is None


@pytest.mark.parametrize("junk", [b"", b"\0" * 999, b"Content-Type: multipart/report; boundary=x\n\n", b"--" * 200_000])
def test_junk_is_no_bounce(junk):
    assert read_returned(junk) is None


@pytest.mark.parametrize(
    ("status", "bad"),
    [("5.1.1", True), ("5.1.10", True), ("5.2.1", True), ("5.4.1", True), ("", True), ("5.0.0", True),
     ("5.7.1", False), ("5.7.26", False), ("5.3.4", False), ("5.2.3", False), ("5.6.0", False), ("4.4.7", False)],
)  # fmt: skip
def test_what_a_code_says_of_the_address(status, bad):
    assert is_about_address(status) is bad
