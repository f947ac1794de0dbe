"""How a visit goes: which ports, when TLS, in what order, how much on a connection, and when it is enough."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from complaints.checks import relay
from complaints.checks._config import Streams, connect_by_tcp
from complaints.vocabulary import CheckOutcome, CheckTarget, Verdict
from tests.checks.settings import NONCE, QUICK, make_config

NAME = "mail.customer.example"
Answer = Callable[[str, bool], str | None]  # command line, inside TLS → reply; None: as a closed server


def certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("mail.customer.example.pem"))
    return context


@dataclasses.dataclass
class Server:
    """A closed server with a few traits; `said` has the commands of each connection."""

    answer: Answer = lambda line, tls: None
    offers: Sequence[str] = ()
    tls: ssl.SSLContext | None = None
    banner: str = f"220 {NAME} ESMTP"
    said: list[list[str]] = dataclasses.field(default_factory=list)
    mails: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands: list[str] = []
        self.said.append(commands)
        encrypted = writer.get_extra_info("ssl_object") is not None
        try:
            writer.write(self.banner.encode() + b"\r\n")
            while line := (await reader.readline()).decode().strip():
                commands.append(line)
                writer.write(self.reply(line, encrypted).encode() + b"\r\n")
                if line == "STARTTLS" and self.tls:
                    await writer.drain()
                    await writer.start_tls(self.tls)
                    encrypted = True
                if line == "DATA" and self.reply(line, encrypted).startswith("354"):
                    await reader.readuntil(b"\r\n.\r\n")
                    self.mails += 1
                    writer.write(b"250 taken\r\n")
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def reply(self, line: str, encrypted: bool) -> str:
        if (own := self.answer(line, encrypted)) is not None:
            return own
        if line.startswith("EHLO"):
            lines = [NAME, *(word for word in self.offers if not (encrypted and word == "STARTTLS"))]
            return "\r\n".join([f"250-{each}" for each in lines[:-1]] + [f"250 {lines[-1]}"])
        replies = {"RCPT": "554 5.7.1 Relay access denied", "DATA": "354 go on", "QUIT": "221 bye"}
        return replies.get(line[:4], "220 go ahead" if line == "STARTTLS" else "250 ok")


def visit(*servers: Server | None, **changes) -> CheckOutcome:
    """Port 25 is the first server, 587 the second, 465 the third; a port without a server is closed."""

    async def both() -> CheckOutcome:
        ports = dict(zip((25, 587, 465), servers, strict=False))
        listening = {
            port: await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=certificate() if port == 465 else None)
            for port, server in ports.items()
            if server is not None
        }

        async def connect(address: str, port: int, tls: ssl.SSLContext | None) -> Streams:
            if port not in listening:
                raise ConnectionRefusedError
            return await connect_by_tcp(address, listening[port].sockets[0].getsockname()[1], tls)

        try:
            target = CheckTarget(address="127.0.0.1", port=25, nonce=NONCE)
            config = make_config(**{"connect": connect, "more_ports": (587, 465), **changes})
            async with asyncio.timeout(20):
                return await relay.run(target, config)
        finally:
            for each in listening.values():
                each.close()

    return asyncio.run(both())


def accepting(*words: str, tls: bool | None = None) -> Answer:
    """Takes a recipient when all `words` stand in its line, inside (True) or outside (False) TLS only."""

    def answer(line: str, encrypted: bool) -> str | None:
        fits = line.startswith("RCPT") and all(word in line for word in words)
        return "250 taken" if fits and tls in (None, encrypted) else None

    return answer


def accepted(outcome: CheckOutcome) -> list[str]:
    return [each["form"] for each in outcome.details["forms"] if each["accepted"]]


def test_all_ports_that_answer_are_tried():
    servers = Server(), Server(), Server()
    outcome = visit(*servers)
    assert (outcome.verdict, outcome.reason) == (Verdict.CLEAN, "refused all 35 forms tried on ports 25, 587, 465")
    assert [port["tls"] is not None for port in outcome.details["ports"]] == [False, False, True]


def test_where_only_the_port_for_log_ins_answers_its_refusals_are_enough():
    outcome = visit(None, Server())
    assert (outcome.verdict, outcome.reason) == (Verdict.CLEAN, "refused all 35 forms tried")
    assert [port["stopped"] for port in outcome.details["ports"]] == [
        "no mail server reachable on port 25",
        "",
        "no mail server reachable on port 465",
    ]


def test_no_mail_server_on_any_port_is_a_fact_of_its_own():
    outcome = visit()
    assert (outcome.verdict, outcome.reason) == ("unknown", "no mail server reachable on port 25 or 587 or 465")
    assert outcome.details["no_server"] is True


def test_a_relay_on_the_port_for_log_ins_is_found():
    outcome = visit(Server(), Server(accepting("probe")), proof=never)
    assert outcome.waiting
    assert {each["port"] for each in outcome.details["forms"] if each["accepted"]} == {587}


def test_another_service_behind_a_mail_port_does_not_hide_that_the_relay_is_closed():
    outcome = visit(Server(), Server(banner="SSH-2.0-OpenSSH_9.9"))
    assert (outcome.verdict, outcome.reason) == (Verdict.CLEAN, "refused all 35 forms tried")


def test_a_mail_server_that_sends_us_away_on_587_leaves_the_verdict_unknown():
    outcome = visit(Server(), Server(banner="554 go away"))
    assert (outcome.verdict, outcome.reason) == (
        "unknown",
        "on port 587: blocked or busy, the server greets with 554 go away",
    )


def test_port_that_was_asked_for_alone_is_tried_alone():
    first, second = Server(), Server()
    visit(first, second, relay_port=26)
    assert (len(first.said), len(second.said)) == (4, 0)


def test_plain_form_goes_first_and_in_the_clear_then_the_rest_inside_tls():
    server = Server(offers=["STARTTLS"], tls=certificate())
    outcome = visit(server, more_ports=())
    assert (outcome.verdict, outcome.reason) == (Verdict.CLEAN, "refused all 35 forms tried")
    assert [(each["form"], each["tls"]) for each in outcome.details["forms"][:3]] == [
        ("plain", False),
        ("plain", True),
        ("null-sender", True),
    ]
    assert [commands[1] == "STARTTLS" for commands in server.said] == [False, True, True, True, True]


def test_relay_that_is_open_inside_tls_only_is_found():
    outcome = visit(Server(accepting("probe", tls=True), offers=["STARTTLS"], tls=certificate()), more_ports=())
    assert (outcome.waiting, accepted(outcome)[0]) == (True, "plain")


@pytest.mark.parametrize("reply", ["454 TLS not available", "220 go ahead"])
def test_offered_tls_that_does_not_come_about_is_done_without(reply):
    server = Server(lambda line, tls: reply if line == "STARTTLS" else None, offers=["STARTTLS"])
    outcome = visit(server, more_ports=(), timeouts=dataclasses.replace(QUICK, command=0.3))
    assert (outcome.verdict, outcome.reason) == (Verdict.CLEAN, "refused all 35 forms tried")
    assert outcome.details["ports"][0]["tls_problem"] != ""


def test_pipelining_is_used_where_it_is_offered():
    """A server that answers RSET and MAIL only when it has the line after them, too."""

    async def both() -> CheckOutcome:
        closed = Server(offers=["PIPELINING"])

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(f"220 {NAME}\r\n".encode())
            held = ""
            while line := (await reader.readline()).decode().strip():
                held += closed.reply(line, False) + "\r\n"
                if not line.startswith(("RSET", "MAIL")):
                    writer.write(held.encode())
                    held = ""
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await relay.run(CheckTarget(address="127.0.0.1", port=port, nonce=NONCE), make_config())

    outcome = asyncio.run(both())
    assert (outcome.verdict, outcome.reason) == (Verdict.CLEAN, "refused all 35 forms tried")
    said = "".join(str(each["dir"]) for each in outcome.details["transcript"])
    assert ">>" not in said  # told as question and answer all the same


def test_at_most_nine_forms_a_connection_and_no_reset_before_the_first():
    server = Server()
    visit(server, more_ports=())
    for commands in server.said:
        mails = [line for line in commands if line.startswith("MAIL")]
        assert len(mails) <= 9
        assert commands.count("RSET") <= 8
        assert commands[1].startswith("MAIL")


async def never(nonce: str) -> None:
    await asyncio.sleep(3600)


async def at_once(nonce: str) -> None:
    return None


def test_one_proof_is_enough():
    servers = Server(accepting("probe")), Server()
    outcome = visit(*servers, proof=at_once)
    assert (servers[0].mails, len(servers[1].said), outcome.waiting) == (1, 0, True)
    assert outcome.reason == "accepted at DATA (plain), and the probe has arrived"


def test_without_a_proof_in_time_three_more_forms_are_sent_at_most():
    server = Server(accepting("probe"))
    outcome = visit(server, more_ports=(), proof=never, timeouts=dataclasses.replace(QUICK, proof=0.05))
    assert (server.mails, len(accepted(outcome))) == (4, 4)


def test_first_recipient_that_is_the_servers_own_opens_the_door_for_the_second():
    def gateway(line: str, tls: bool) -> str | None:
        """Looks at the first recipient only."""
        if line.startswith("MAIL"):
            gateway.taken = False
        if line == "RCPT TO:<postmaster>":
            gateway.taken = True
        return "250 taken" if line.startswith("RCPT") and gateway.taken else None

    gateway.taken = False
    server = Server(gateway)
    assert accepted(visit(server, more_ports=())) == ["two-rcpt"]


def test_refused_second_recipient_sends_the_postmaster_no_mail():
    server = Server(lambda line, tls: "250 ok" if line == "RCPT TO:<postmaster>" else None)
    assert (visit(server, more_ports=()).verdict, server.mails) == (Verdict.CLEAN, 0)


@pytest.mark.parametrize(("name", "form"), [(NAME, "helo-own-host"), ("[127.0.0.1]", "helo-own-literal")])
def test_server_that_trusts_its_own_name_is_found_by_it(name, form):
    def trusting(line: str, tls: bool) -> str | None:
        if line.startswith("EHLO"):
            trusting.friend = line == f"EHLO {name}"
        return "250 taken" if line.startswith("RCPT") and trusting.friend else None

    trusting.friend = False
    assert accepted(visit(Server(trusting), more_ports=())) == [form]


def test_our_own_address_literal_is_a_recipient_where_it_is_told():
    outcome = visit(Server(accepting("@[192.0.2.25]>")), more_ports=(), probe_address="192.0.2.25")
    assert accepted(outcome) == ["rcpt-literal"]


def test_every_recipient_is_ours_or_the_servers_own_postmaster():
    server = Server()
    visit(server, more_ports=(), probe_address="192.0.2.25")
    recipients = {line[8:] for commands in server.said for line in commands if line.startswith("RCPT TO:")}
    ours = ("probe.isp.example", "probe+2Eisp+2Eexample", "[192.0.2.25]")
    assert {each for each in recipients if not any(domain in each for domain in ours)} == {"<postmaster>"}


def test_bounce_and_delivery_cannot_be_mixed_up():
    server = Server()
    visit(server, more_ports=())
    senders = {line[10:] for commands in server.said for line in commands if line.startswith("MAIL FROM:<probe-")}
    assert {each.rpartition("@")[2] for each in senders} == {"bounce.probe.isp.example>", "probe.isp.example>"}


def test_greylisted_check_meets_the_same_senders_and_recipients_again():
    first, second = Server(), Server()
    visit(first, more_ports=())
    visit(second, more_ports=())
    assert first.said == second.said


@pytest.mark.parametrize(
    ("reply", "is_retried"),
    [("421 too busy", True), ("450 later", True), ("554 no", False), ("SSH-2.0", False)],
)
def test_what_may_pass_is_tried_again(reply, is_retried):
    outcome = visit(Server(banner=reply), more_ports=())
    assert (outcome.verdict, bool(outcome.details.get("retry"))) == ("unknown", is_retried)
