from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import ssl
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from complaints.checks import match_probe, relay
from complaints.checks._forms import FORMS
from complaints.demo.smtp_hosts import SmtpHost
from complaints.vocabulary import CheckOutcome, CheckTarget, Verdict
from tests.checks.mailbox import Caught, Mailbox
from tests.checks.settings import NONCE, QUICK, SECRET, make_config


async def check(host: SmtpHost, nonce: str = NONCE, **changes) -> CheckOutcome:
    return await relay.run(CheckTarget(address=host.address, port=host.port, nonce=nonce), make_config(**changes))


def check_host(behaviour: str, **changes) -> tuple[CheckOutcome, SmtpHost]:
    async def both() -> tuple[CheckOutcome, SmtpHost]:
        async with SmtpHost(behaviour=behaviour) as host:
            return await check(host, **changes), host

    return asyncio.run(both())


def form_of(caught: Caught, host: SmtpHost) -> str | None:
    local_part, _, domain = caught.recipient.rpartition("@")
    if domain != "probe.isp.example":
        return None  # the host handed a bang path on as it stood; our mailbox would refuse it
    return match_probe(SECRET, local_part, NONCE, host.address, host.port)


@pytest.mark.parametrize(
    ("behaviour", "verdict", "waiting", "reason"),
    [
        ("closed", Verdict.CLEAN, False, "refused all 35 forms tried"),
        ("rcpt_then_refuse_data", Verdict.CLEAN, False, "refused all 35 forms tried"),
        ("auth_required", Verdict.CLEAN, False, "refused all 35 forms tried"),
        (
            "greylist",
            Verdict.UNKNOWN,
            False,
            "greylisted or refused for now: 450 4.2.0 Greylisted, please try again later",
        ),
        (
            "banner_554",
            Verdict.UNKNOWN,
            False,
            "blocked or busy, the server greets with 554 mail.customer.example No SMTP service for you",
        ),
        ("tarpit", Verdict.UNKNOWN, False, "no answer to the connection within 1 s"),
        (
            "accept_and_drop",
            Verdict.UNKNOWN,
            True,
            "accepted at DATA (plain, null-sender, pct-literal, bang-literal), waiting for the probe to arrive",
        ),
    ],
)
def test_behaviour_of_a_server_decides_the_verdict(behaviour, verdict, waiting, reason):
    outcome, _ = check_host(behaviour)
    assert (outcome.verdict, outcome.waiting, outcome.reason) == (verdict, waiting, reason)


def test_open_relay_delivers_a_probe_that_names_its_form():
    async def both() -> tuple[CheckOutcome, list[str]]:
        async with Mailbox() as mailbox, SmtpHost(behaviour="open", deliver_to=mailbox.at) as host:
            outcome = await check(host)
            arrived = await mailbox.wait_for(4)
            return outcome, sorted(str(form_of(caught, host)) for caught in arrived)

    outcome, forms = asyncio.run(both())
    assert (outcome.verdict, outcome.waiting) == (Verdict.UNKNOWN, True)
    assert forms == ["bang-literal", "null-sender", "pct-literal", "plain"]


@pytest.mark.parametrize(("behaviour", "form"), [("open_percent", "pct-host"), ("open_own_sender", "sender-own-host")])
def test_relay_that_knows_only_one_trick_is_found_by_it(behaviour, form):
    async def both() -> tuple[str, int]:
        async with Mailbox() as mailbox, SmtpHost(behaviour=behaviour, deliver_to=mailbox.at) as host:
            outcome = await check(host)
            accepted = [each["form"] for each in outcome.details["forms"] if each["accepted"]]
            arrived = [form_of(caught, host) for caught in await mailbox.wait_for(len(accepted))]
            return accepted[0], arrived.count(form)

    assert asyncio.run(both()) == (form, 1)


def test_bounce_goes_to_the_return_path_and_matches_no_form():
    async def both() -> list[tuple[str, str, str | None]]:
        async with Mailbox() as mailbox, SmtpHost(behaviour="bounce_back", deliver_to=mailbox.at) as host:
            await check(host)
            caught = (await mailbox.wait_for(1))[0]
            local_part, _, domain = caught.recipient.partition("@")
            return [(caught.sender, domain, match_probe(SECRET, local_part, NONCE, host.address, host.port))]

    assert asyncio.run(both()) == [("<>", "bounce.probe.isp.example", None)]


def test_catch_all_of_the_hosts_own_names_is_never_called_a_relay():
    outcome, host = check_host("catch_all")
    assert (outcome.verdict, outcome.waiting) == (Verdict.UNKNOWN, True)
    assert len(host.accepted) == 4


def test_probe_says_who_why_and_how_to_make_it_stop():
    _, host = check_host("accept_and_drop")
    mail = message_from_bytes(host.accepted[0].data, policy=default)
    token = host.accepted[0].recipients[0].partition("@")[0]

    assert len(host.accepted[0].data) < 2048
    assert mail["From"] == "Relay check <abuse@isp.example>"
    assert mail["To"] == f"{token}@probe.isp.example"
    assert mail["Subject"] == f"Open relay test of 127.0.0.1 port {host.port}"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Relay-Check-Token"] == token
    assert mail["Date"]
    assert mail["Message-ID"] == f"<{token}@relaycheck.isp.example>"
    for word in ("relaycheck.isp.example", "https://isp.example/relay-test", "abuse@isp.example", "Why:"):
        assert word in mail.get_content()


def test_every_recipient_is_in_the_probe_domain():
    outcome, _ = check_host("closed")
    for each in outcome.details["forms"]:
        text = each["recipient"].replace("+40", "@").replace("+2E", ".")
        assert "probe.isp.example" in text, each


def test_closed_server_sees_every_form_and_no_more_than_nine_on_a_connection():
    outcome, host = check_host("closed", probe_address="127.0.0.1")
    tried = [each["form"] for each in outcome.details["forms"]]
    assert (tried[0], sorted(tried)) == ("plain", sorted(form.id for form in FORMS))
    assert outcome.details["skipped"] == []
    assert host.connections == 4


def test_greylisted_check_passes_when_repeated_with_the_same_nonce():
    async def both() -> tuple[CheckOutcome, CheckOutcome]:
        async with SmtpHost(behaviour="greylist") as host:
            first = await check(host)
            host.greylist_s = 0
            return first, await check(host)

    first, second = asyncio.run(both())
    assert first.details["retry"] is True
    assert (first.verdict, second.verdict) == (Verdict.UNKNOWN, Verdict.CLEAN)


def test_fix_is_seen_at_once():
    async def both() -> list[Verdict]:
        async with SmtpHost(behaviour="open") as host:
            before = await check(host)
            host.behaviour = "closed"
            return [before.verdict, (await check(host)).verdict]

    assert asyncio.run(both()) == [Verdict.UNKNOWN, Verdict.CLEAN]


def test_port_where_nothing_listens_is_no_server_and_not_clean():
    async def closed_port() -> CheckOutcome:
        async with SmtpHost() as host:
            pass
        return await check(host)

    outcome = asyncio.run(closed_port())
    port = int(outcome.reason.rpartition(" ")[2])
    assert (outcome.verdict, outcome.reason) == (Verdict.UNKNOWN, f"no mail server reachable on port {port}")
    assert outcome.details["no_server"] is True


def test_server_on_ipv6_is_checked_with_an_ipv6_literal():
    async def both() -> CheckOutcome:
        async with SmtpHost("::1") as host:
            return await check(host)

    outcome = asyncio.run(both())
    senders = {each["form"]: each["sender"] for each in outcome.details["forms"]}
    assert outcome.verdict == Verdict.CLEAN
    assert senders["sender-literal"] == "<relaycheck@[IPv6:::1]>"


def test_server_of_a_third_party_is_understood():
    """aiosmtpd that refuses foreign recipients; some odd forms it calls syntax errors, which is a refusal too."""

    class NoRelay:
        async def handle_RCPT(self, server, session, envelope, address, options):
            return "550 5.7.1 Relaying denied"

    async def both() -> CheckOutcome:
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(NoRelay(), hostname="mail.customer.example"), "127.0.0.1", 0
        )
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await relay.run(CheckTarget(address="127.0.0.1", port=port, nonce=NONCE), make_config())

    outcome = asyncio.run(both())
    assert (outcome.verdict, outcome.reason) == (Verdict.CLEAN, "refused all 35 forms tried")


def certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("mail.customer.example.pem"))
    return context


def fingerprint() -> str:
    pem = Path(__file__).with_name("mail.customer.example.pem").read_text()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE") :])).hexdigest()


def test_relay_that_demands_starttls_is_proven_inside_it():
    async def both() -> tuple[CheckOutcome, str | None]:
        async with Mailbox(tls_context=certificate(), require_starttls=True) as relaying:
            target = CheckTarget(address="127.0.0.1", port=relaying.at[1], nonce=NONCE)
            outcome = await relay.run(target, make_config())
            local_part = relaying.caught[0].recipient.partition("@")[0]
            return outcome, match_probe(SECRET, local_part, NONCE, "127.0.0.1", relaying.at[1])

    outcome, form = asyncio.run(both())
    assert (outcome.waiting, form) == (True, "plain")
    assert outcome.details["tls"]["version"] == "TLSv1.3"
    assert outcome.details["tls"]["certificate_sha256"] == fingerprint()


def test_tarpit_is_left_when_the_whole_time_is_up():
    async def both() -> tuple[CheckOutcome, float]:
        async with SmtpHost(behaviour="tarpit") as host:
            host.delay_s = 0.3
            started = asyncio.get_running_loop().time()
            outcome = await check(host, timeouts=dataclasses.replace(QUICK, overall=1.0))
            return outcome, asyncio.get_running_loop().time() - started

    outcome, seconds = asyncio.run(both())
    assert (outcome.verdict, outcome.reason) == (Verdict.UNKNOWN, "not finished within 1 s")
    assert seconds < 2


def test_check_without_probe_domain_is_refused():
    target = CheckTarget(address="127.0.0.1", port=25, nonce=NONCE)
    with pytest.raises(ValueError, match="no probe domain is configured"):
        asyncio.run(relay.run(target, make_config(probe_domain="")))


def test_transcript_shows_both_sides_in_order():
    outcome, _ = check_host("rcpt_then_refuse_data")
    said = [(line["dir"], line["text"].partition(" ")[0]) for line in outcome.details["transcript"][:12]]
    assert said == [
        ("<", "220"),
        (">", "EHLO"),
        ("<", "250-mail.customer.example"),
        ("<", "250-8BITMIME"),
        ("<", "250"),
        (">", "MAIL"),
        ("<", "250"),
        (">", "RCPT"),
        ("<", "250"),
        (">", "DATA"),
        ("<", "554"),
        (">", "RSET"),
    ]
    assert outcome.details["banner"] == "220 mail.customer.example ESMTP"
