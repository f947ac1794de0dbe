"""Peers that are broken or mean it: whatever they do, the check ends in time with `unknown` and the reason."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from complaints.checks import Timeouts, relay
from complaints.vocabulary import CheckOutcome, CheckTarget, Verdict
from tests.checks.settings import NONCE, make_config

Peer = Callable[[Reader, Writer], Awaitable[None]]
HELLO = ["220 mail.customer.example", "250 mail.customer.example"]
TAKES_ALL = [*HELLO, "250 ok", "250 ok", "354 go on"]


def check_against(peer: Peer, **changes: Any) -> CheckOutcome:
    async def serve(reader: Reader, writer: Writer) -> None:
        try:
            await peer(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def both() -> CheckOutcome:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with asyncio.timeout(15):
                target = CheckTarget(address="127.0.0.1", port=port, nonce=NONCE)
                outcome = await relay.run(target, make_config(**changes))
            server.close()
            return outcome

    return asyncio.run(both())


def says(*replies: str | bytes, then: bytes = b"") -> Peer:
    """Give these replies, one after each command (the first unasked), then `then`, then hang up."""

    async def peer(reader: Reader, writer: Writer) -> None:
        for number, reply in enumerate(replies):
            if number:
                await one_command(reader, after_354=replies[number - 1] == "354 go on")
            writer.write(reply if isinstance(reply, bytes) else reply.encode() + b"\r\n")
            await writer.drain()
        if replies:
            await one_command(reader, after_354=replies[-1] == "354 go on")
        writer.write(then)
        await writer.drain()

    return peer


async def one_command(reader: Reader, *, after_354: bool) -> None:
    while line := await reader.readline():
        if not after_354 or line == b".\r\n":
            return


def floods(head: bytes, again: bytes) -> Peer:
    async def peer(reader: Reader, writer: Writer) -> None:
        writer.write(head)
        while True:
            writer.write(again)
            await writer.drain()

    return peer


async def drips(reader: Reader, writer: Writer) -> None:
    for byte in b"220 " + b"a" * 500:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("peer", "reason"),
    [
        (says(), "the server hung up at the connection"),
        (says(HELLO[0]), "the server hung up at EHLO"),
        (says(*HELLO), "the server hung up at MAIL FROM"),
        (says(*HELLO, "250 ok"), "the server hung up at RCPT TO"),
        (says(*HELLO, "250 ok", "250 ok"), "the server hung up at DATA"),
        (floods(b"", b"220-welcome\r\n"), "the reply to the connection has more than 100 lines"),
        (floods(b"220 ", b"a" * 1000), "the reply to the connection has a line of more than 2048 bytes"),
        (floods(b"", b"\0" * 1000), "the reply to the connection has a line of more than 2048 bytes"),
        (drips, "no answer to the connection within 1 s"),
        (says(b"220 \0\0\r\n"), "no SMTP reply to the connection: '220 \\\\x00\\\\x00'"),
        (says(b"SSH-2.0-OpenSSH_9.9\r\n"), "no SMTP reply to the connection: 'SSH-2.0-OpenSSH_9.9'"),
        (says(b"\r\n"), "no SMTP reply to the connection: ''"),
        (says("999 hello"), "no SMTP reply to the connection: '999 hello'"),
        (says("2200 hello"), "no SMTP reply to the connection: '2200 hello'"),
        (says("220-one\r\n250 two"), "one reply to the connection with two codes: 220, 250"),
        (says("220 one\r\n550 two"), "the server spoke out of turn before EHLO"),
        (says("421 too busy"), "the server ended the conversation at the connection: 421 too busy"),
        (says("554 go away"), "blocked or busy, the server greets with 554 go away"),
        (says(HELLO[0], "550 no", "550 no"), "the server refuses our HELO: 550 no"),
        (says(*HELLO, "354 what"), "the server answers MAIL FROM with 354 what"),
        (says(*HELLO, "250 ok", "334 what"), "the server answers RCPT TO with 334 what"),
        (says(*HELLO, "250 ok", "250 ok", "250 done"), "the server answers DATA with 250 done"),
        (says(*TAKES_ALL, "354 more"), "the server answers the message with 354 more"),
        (
            says(*HELLO, "530 5.7.0 Must issue a STARTTLS command first"),
            "the server demands STARTTLS but does not offer it",
        ),
    ],
)
def test_bad_manners_leave_the_verdict_unknown(peer, reason):
    outcome = check_against(peer)
    assert (outcome.verdict, outcome.waiting, outcome.reason) == (Verdict.UNKNOWN, False, reason)


@pytest.mark.parametrize("last_words", [b"", b"\0\0\0\r\n", b"421 gone\r\n"])
def test_message_sent_but_never_answered_may_still_arrive(last_words):
    """RFC 1047: the server may have taken it before the line broke."""
    outcome = check_against(says(*TAKES_ALL, then=last_words))
    assert (outcome.verdict, outcome.waiting) == (Verdict.UNKNOWN, True)
    assert outcome.details["forms"][0]["stage"] == "end"
    assert outcome.details["forms"][0]["accepted"] is False


def test_outcome_of_a_flood_is_small_and_free_of_control_characters():
    outcome = check_against(floods(b"", b"220-\x00\x1b[31m" + b"a" * 900 + b"\r\n"))
    text = json.dumps(outcome.details)
    assert len(text) < 100_000
    assert "\\u0000" not in text
    assert "\\u001b" not in text


def refuses_then_leaves(limit: int, last: bytes) -> Peer:
    """Like Postfix at its error limit: the refusal, then 421 and the end, unasked."""

    async def peer(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail.customer.example\r\n")
        refused = 0
        while line := await reader.readline():
            refused += line.startswith(b"RCPT")
            writer.write(b"554 5.7.1 Relay access denied\r\n" if line.startswith(b"RCPT") else b"250 ok\r\n")
            if refused >= limit:
                writer.write(last)
                return

    return peer


@pytest.mark.parametrize("last", [b"", b"421 4.7.0 too many errors\r\n"])
def test_check_goes_on_where_the_server_ended_the_conversation(last):
    outcome = check_against(refuses_then_leaves(4, last))
    assert (outcome.verdict, outcome.reason) == (Verdict.CLEAN, "refused all 35 forms tried")
    assert outcome.details["connections"] == 9


def refuses_with(text: str) -> Peer:
    async def peer(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail.customer.example\r\n")
        while line := await reader.readline():
            writer.write(f"{text}\r\n".encode() if line.startswith(b"RCPT") else b"250 ok\r\n")

    return peer


@pytest.mark.parametrize(
    "text",
    [
        "554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org",
        "550 5.7.1 Client host rejected: cannot find your hostname",
        "550 5.7.25 no forward-confirmed name",
        "550 rejected: your IP has a poor reputation",
        "550 5.7.1 <relaycheck.isp.example>: Helo command rejected: Host not found",
        "553 5.1.8 Domain of sender address bounce@bounce.probe.isp.example does not exist",
        "550 5.1.8 <x@bounce.probe.isp.example>: Sender address rejected: Domain not found",
    ],
)
def test_refusal_of_the_tester_is_no_proof_of_a_closed_relay(text):
    outcome = check_against(refuses_with(text))
    assert (outcome.verdict, outcome.reason) == (
        Verdict.UNKNOWN,
        f"blocked, the refusal is about our tester: {text}",
    )


@pytest.mark.parametrize(
    "text",
    [
        "554 5.7.1 <a@b.example>: Relay access denied",  # Postfix
        "550 relay not permitted",  # Exim
        "550 5.7.1 Relaying denied",  # sendmail
        "550 Invalid recipient",  # OpenSMTPD
        "553 sorry, that domain isn't in my list of allowed rcpthosts",  # qmail
        "550 5.7.1 Unable to relay",  # Exchange
        "550 5.1.1 user unknown",
        "501 5.1.3 Bad recipient address syntax",
        "535 5.7.8 Authentication required",
    ],
)
def test_known_refusals_of_relaying_are_believed(text):
    assert check_against(refuses_with(text)).verdict == Verdict.CLEAN


def test_server_that_leaves_after_every_refusal_is_not_pestered_for_ever():
    outcome = check_against(refuses_then_leaves(1, b""))
    assert (outcome.verdict, outcome.reason) == (
        Verdict.UNKNOWN,
        "the server hung up too often, 20 forms are untried",
    )


@pytest.mark.parametrize(
    "name", ["localhost", "-bad.example", "a..example", "x\\y.example", "mail", "192.0.2.1", "[192.0.2.1]"]
)
def test_greeting_without_a_host_name_leaves_the_forms_that_need_one_out(name):
    async def peer(reader: Reader, writer: Writer) -> None:
        writer.write(f"220 {name} ready\r\n".encode())
        while line := await reader.readline():
            reply = b"554 5.7.1 no\r\n" if line.startswith(b"RCPT") else b"250 ok\r\n"
            writer.write(reply)

    outcome = check_against(peer)
    assert outcome.reason == "refused all 23 forms tried (12 did not fit: the server gives no name)"
    assert len(outcome.details["skipped"]) == 13  # and our own literal, which we have not told


IMPATIENT = Timeouts(connect=1, command=0.15, overall=1.0, dns=0.3, proof=0.05)
CODES = "220 221 250 251 252 334 354 421 450 451 501 530 535 550 554 199 600 25 2500"
WORDS = ("", "ok", "mail.customer.example", "Must issue a STARTTLS command first", "STARTTLS", "PIPELINING", "a" * 3000,
         "blocked using zen.spamhaus.org", "\0", "\xff")  # fmt: skip
LINES = st.tuples(
    st.sampled_from([code.encode() for code in CODES.split()]),
    st.sampled_from([b" ", b"-", b"", b"\t"]),
    st.sampled_from([word.encode() for word in WORDS]) | st.binary(max_size=20),
    st.sampled_from([b"\r\n", b"\n", b"\r", b""]),
).map(b"".join)
REPLIES = st.lists(LINES, min_size=0, max_size=4).map(b"".join)


def plays(script: list[bytes], then: str) -> Peer:
    """One reply a packet, from the greeting on; then it starts over, hangs up, or says nothing more."""

    async def peer(reader: Reader, writer: Writer) -> None:
        while True:
            for reply in script:
                writer.write(reply)
                await writer.drain()
                if not await reader.read(4096):
                    return
            if then == "hang up":
                return
            if then == "silence" or not any(script):
                await asyncio.sleep(60)

    return peer


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(REPLIES, max_size=8), st.sampled_from(["start over", "hang up", "silence"]))
@example([b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"530 STARTTLS\r\n", b"220 go\r\n"], "start over")
@example([b"220 x\r\n", b"250-x\r\n250 PIPELINING\r\n", b"250 a\r\n250 b\r\n250 c\r\n", b"354 d\r\n"], "start over")
def test_whatever_a_peer_says_the_check_ends_in_time_without_a_fault_and_never_with_bad(script, then):
    started = time.monotonic()
    outcome = check_against(plays(script, then), timeouts=IMPATIENT)
    assert time.monotonic() - started < 5
    assert outcome.verdict in (Verdict.CLEAN, Verdict.UNKNOWN)
    assert outcome.reason
    text = json.dumps(outcome.details)
    assert len(text) < 400_000
    assert "\\u0000" not in text


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("how", ["reset", "close", "silence"])
def test_a_peer_that_goes_away_at_any_step_leaves_the_verdict_unknown(step, how):
    replies = [*TAKES_ALL, "250 taken"][:step]

    async def peer(reader: Reader, writer: Writer) -> None:
        for number, reply in enumerate(replies):
            if number:
                await one_command(reader, after_354=replies[number - 1] == "354 go on")
            writer.write(reply.encode() + b"\r\n")
            await writer.drain()
        if how == "silence":
            await asyncio.sleep(60)
        if how == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    assert check_against(peer, timeouts=IMPATIENT).verdict == Verdict.UNKNOWN


def test_two_hundred_slow_peers_at_once_end_together():
    async def slow(reader: Reader, writer: Writer) -> None:
        await asyncio.sleep(60)

    async def every() -> float:
        async with await asyncio.start_server(slow, "127.0.0.1", 0, backlog=512) as server:
            port, started = server.sockets[0].getsockname()[1], time.monotonic()
            target = CheckTarget(address="127.0.0.1", port=port, nonce=NONCE)
            outcomes = await asyncio.gather(*(relay.run(target, make_config()) for _ in range(200)))
            # On a busy machine the second may be over before the connection stands: that is no answer either.
            assert {outcome.reason for outcome in outcomes} <= {
                "no answer to the connection within 1 s",
                f"no answer on port {port} within 1 s",
            }
            server.close()
            return time.monotonic() - started

    assert asyncio.run(every()) < 5
