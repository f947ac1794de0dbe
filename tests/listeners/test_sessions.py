"""What is said on the wire, and what is stored."""

from __future__ import annotations

import time

import pytest

from complaints.listeners.sessions import DeskLMTP
from complaints.models import Message, Reading
from tests.listeners.client import ENVELOPE, message_id, wait_until

MAIL = b"Subject: spam from your network\r\n\r\nplease stop\r\n"


def stored() -> list[bytes]:
    return [message.raw for message in Message.objects.order_by("pk")]


def test_a_mail_is_stored_before_it_is_accepted(smtp):
    reply = smtp.send(MAIL, to=(b"abuse@isp.example", b"other@elsewhere.example"))
    message = Message.objects.get()

    assert reply == f"250 2.0.0 stored as message {message.pk}"
    assert (message.raw, message.channel, message.peer) == (MAIL, "smtp", "127.0.0.1")
    assert message.envelope_from == "loop@reporter.example"
    assert message.envelope_to == "abuse@isp.example\nother@elsewhere.example"
    assert message.reading.state == Reading.State.WAITING


def test_lmtp_answers_once_for_each_recipient_that_was_accepted(lmtp):
    lmtp.write(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<one@isp.example>\r\nRCPT TO:<>\r\nRCPT TO:<two@isp.example>\r\n")
    assert [lmtp.reply()[:3] for _ in range(4)] == ["250", "250", "553", "250"]
    assert lmtp.say(b"DATA").startswith("354")
    lmtp.write(MAIL + b".\r\nNOOP\r\n")
    replies = [lmtp.reply() for _ in range(3)]

    assert replies == [f"250 2.0.0 stored as message {Message.objects.get().pk}"] * 2 + ["250 2.0.0 OK"]
    assert Message.objects.get().channel == "lmtp"


def test_lmtp_without_an_accepted_recipient_takes_no_mail(lmtp):
    lmtp.say(b"MAIL FROM:<a@b.example>")

    assert lmtp.say(b"DATA") == "503 5.5.1 no valid recipients"


def test_lmtp_is_greeted_with_lhlo_alone(start, connect):
    client = connect(start(DeskLMTP), b"")

    assert client.say(b"EHLO client.example").startswith("500 ")
    assert client.say(b"HELO client.example").startswith("500 ")
    assert client.say(b"MAIL FROM:<a@b.example>").startswith("503 ")
    assert client.say(b"LHLO client.example").startswith("250-")


def test_extensions_are_announced(start, connect):
    client = connect(start(max_bytes=65536))
    announced = [line[4:] for line in client.extensions.splitlines()[1:]]

    assert announced == ["SIZE 65536", "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES", "HELP"]


def test_helo_is_enough(start, connect):
    client = connect(start(), b"HELO client.example")

    assert message_id(client.send(MAIL))


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"bare\nline\nfeeds\r\n", id="bare LF"),
        pytest.param(b"bare\rreturns\r\r\n", id="bare CR"),
        pytest.param(b"nul \x00 and \x01\x7f\r\n", id="NUL"),
        pytest.param(bytes(range(128, 256)) + "ünï".encode() + b"\r\n", id="8 bit"),
        pytest.param(b"x" * 1_000_000 + b"\r\nshort\r\n", id="a line of a million octets"),
        pytest.param(
            b"y" * 65_530 + b"\r\n" + b"z" * 65_531 + b"\r\n" + b"w" * 131_075 + b"\r\n", id="edges of chunks"
        ),
        pytest.param(b"a\r\n" * 100_000, id="many short lines"),
        pytest.param(b"\r\n\r\n", id="empty lines"),
        pytest.param(b"", id="nothing at all"),
    ],
)
def test_a_mail_is_kept_as_it_stood_on_the_wire(smtp, wire):
    message_id(smtp.send(wire))

    assert stored() == [wire]


@pytest.mark.parametrize(
    ("wire", "mail"),
    [
        (b"..\r\n", b".\r\n"),
        (b"..first\r\n...\r\nnot .. here\r\n", b".first\r\n..\r\nnot .. here\r\n"),
        (b"bare\n..feed\r\n", b"bare\n..feed\r\n"),  # no line of SMTP begins there
        (b".unstuffed by a careless client\r\n", b"unstuffed by a careless client\r\n"),
        (b"x\r\n" + b"..\r\n" * 50_000, b"x\r\n" + b".\r\n" * 50_000),
    ],
)
def test_a_leading_dot_that_the_client_added_is_taken_away(smtp, wire, mail):
    message_id(smtp.send(wire))

    assert stored() == [mail]


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n\x00.\r\n"])
def test_nothing_but_crlf_dot_crlf_ends_a_mail(smtp, end):
    """SMTP smuggling: the second mail would come from whoever the first one's author likes."""
    smuggled = b"first" + end + ENVELOPE + b"DATA\r\nsecond\r\n"
    reply = smtp.send(smuggled)

    assert Message.objects.get(pk=message_id(reply)).raw == smuggled.replace(b"\r\n.", b"\r\n")
    assert len(stored()) == 1
    assert smtp.say(b"NOOP") == "250 2.0.0 OK"  # and not a reply to what was smuggled


def test_the_end_may_arrive_in_pieces(smtp):
    smtp.begin()
    for octet in b"slow\r\n.\r\n":
        smtp.write(bytes([octet]))
        time.sleep(0.01)

    assert message_id(smtp.reply())
    assert stored() == [b"slow\r\n"]


def test_commands_and_mails_may_come_all_at_once(smtp):
    smtp.write((ENVELOPE + b"DATA\r\n" + b"one\r\n.\r\n" + ENVELOPE + b"DATA\r\n" + b".\r\n") + b"QUIT\r\n")
    replies = [smtp.reply() for _ in range(9)]

    assert [reply[:3] for reply in replies] == ["250", "250", "354", "250", "250", "250", "354", "250", "221"]
    assert stored() == [b"one\r\n", b""]


def test_the_same_mail_twice_is_accepted_twice_and_kept_once(smtp, told):
    first, second = smtp.send(MAIL), smtp.send(MAIL)
    time.sleep(0.2)

    assert first == second
    assert stored() == [MAIL]
    assert told == [[message_id(first)]]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (b"MAIL FROM:<>", ""),
        (b"mail from: <a@b.example>", "a@b.example"),
        (b"MAIL FROM:a@b.example", "a@b.example"),
        (b"MAIL FROM:<@relay.example,@other.example:a@b.example>", "a@b.example"),
        (b'MAIL FROM:<"odd >, name"@b.example>', '"odd >, name"@b.example'),
        (b"MAIL FROM:<no domain at all>", "no domain at all"),
        (b'MAIL FROM:<"open@b.example>', '"open@b.example'),
        ("MAIL FROM:<jürgen@bücher.example> SMTPUTF8 BODY=8BITMIME".encode(), "jürgen@bücher.example"),
        (b"MAIL FROM:<j\xfcrgen@b.example>", "j?rgen@b.example"),
        (b"MAIL FROM:<a@b.example> SIZE=1000", "a@b.example"),
        (b"MAIL FROM:<" + b"a" * 600 + b"@b.example>", "a" * 320),
    ],
)
def test_senders_need_not_be_well_formed(smtp, written, kept):
    assert smtp.say(written).startswith("250 ")
    smtp.say(b"RCPT TO:<abuse@isp.example>")
    smtp.say(b"DATA")
    smtp.write(MAIL + b".\r\n")

    assert Message.objects.get(pk=message_id(smtp.reply())).envelope_from == kept


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<a@b.example> SIZE=99999999", "552 5.3.4 "),
        (b"MAIL FROM:", "501 5.5.4 "),
        (b"MAIL", "501 5.5.4 "),
        (b"DATA", "503 5.5.1 "),
        (b"RCPT TO:<a@b.example>", "503 5.5.1 "),
        (b"VRFY a@b.example", "252 2.0.0 "),
        (b"EXPN list", "502 5.5.1 "),
        (b"NONSENSE", "500 5.5.2 "),
        (b"", "500 5.5.2 "),
        (b"\xff\xfe", "500 5.5.2 "),
        (b"NOOP " + b"x" * 5000, "500 5.5.2 "),
        (b"NOOP " + b"x" * 500_000, "500 5.5.2 "),
    ],
)
def test_what_is_refused_is_refused_with_a_reason_and_the_session_goes_on(smtp, line, code):
    assert smtp.say(line).startswith(code)
    assert message_id(smtp.send(MAIL))


def test_a_mail_of_the_largest_size_is_taken_and_one_octet_more_is_not(start, connect):
    client = connect(start(max_bytes=70_000))
    largest = b"..\r\n" + b"x" * 69_995 + b"\r\n"  # 70,000 without the added dot

    assert message_id(client.send(largest))
    assert client.send(b"x" + largest) == "552 5.3.4 a mail may have 70000 octets"
    assert client.send(b"y" * 5_000_000 + b"\r\n") == "552 5.3.4 a mail may have 70000 octets"
    assert message_id(client.send(MAIL))
    assert stored() == [largest[1:], MAIL]


def test_lmtp_refuses_a_large_mail_once_for_each_recipient(start, connect):
    client = connect(start(DeskLMTP, max_bytes=70_000), b"LHLO client.example")
    first = client.send(b"x" * 80_000 + b"\r\n", to=(b"one@isp.example", b"two@isp.example"))

    assert (first[:9], client.reply()[:9]) == ("552 5.3.4", "552 5.3.4")
    assert client.say(b"NOOP").startswith("250")


def test_a_thousand_recipients_are_enough(smtp):
    smtp.say(b"MAIL FROM:<a@b.example>")
    smtp.write(b"".join(b"RCPT TO:<r%d@isp.example>\r\n" % number for number in range(1001)))
    replies = [smtp.reply() for _ in range(1001)]

    assert replies == ["250 2.1.5 OK"] * 1000 + ["452 4.5.3 more than 1000 recipients"]


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(start, connect, caplog):
    listener = start()
    client = connect(listener)
    client.begin()
    client.write(b"Subject: half a mail\r\n")
    client.close()
    other = connect(listener)

    assert message_id(other.send(MAIL))
    assert stored() == [MAIL]
    assert [record.getMessage() for record in caplog.records if record.name.startswith("complaints")] == [
        "127.0.0.1: the client left in the middle of a mail, 22 octets dropped"
    ]
    wait_until(lambda: listener.held == 0)
