"""Open relay check: offer a foreign recipient in every spelling that some server once relayed.

Only a probe that arrives in our own mailbox proves a relay, so this check never says "bad". It says "clean"
when every form met a permanent refusal, else "unknown"; `waiting` when a probe may be on its way.
To repeat a greylisted check use the same nonce: greylisting (RFC 6647) remembers sender and recipient.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import re

from complaints.checks._config import CheckConfig
from complaints.checks._forms import FORMS, Attempt, Form, fits, names_of_host, still_worth_trying
from complaints.checks._probe import probe_mail
from complaints.checks._smtp import Connection, ConversationFailed, HungUp, NoServer, Reply, Transcript, open_connection
from complaints.checks._tokens import RETURN_PATH, sign_probe
from complaints.checks._verdict import judge_relay
from complaints.vocabulary import CheckOutcome, CheckTarget

NAME = "relay"
RANK = 10

FORMS_PER_CONNECTION = 9  # Postfix slows down after 10 errors, Exim hangs up at the tenth RSET
MAX_CONNECTIONS = 12
WANTS_TLS = re.compile(r"starttls|\btls\b", re.IGNORECASE)


class NeedsTls(Exception):
    """The server takes no mail before STARTTLS: start over, encrypted."""


async def run(target: CheckTarget, config: CheckConfig) -> CheckOutcome:
    """Raises ValueError for a target or configuration that no probe may be sent with; else always an outcome."""
    visit = Visit(target, config)
    stopped: ConversationFailed | None = None
    try:
        async with asyncio.timeout(config.timeouts.overall):
            await visit.try_all()
    except ConversationFailed as exc:
        stopped = exc
    except TimeoutError:
        stopped = ConversationFailed(f"not finished within {config.timeouts.overall:g} s")
    outcome = judge_relay(
        visit.attempts,
        skipped=[form.id for form in visit.skipped],
        stopped=str(stopped) if stopped else None,
        no_server=isinstance(stopped, NoServer) and visit.connections == 0,
    )
    details = {**outcome.details, **visit.as_details()}
    return dataclasses.replace(outcome, details=details)


class Visit:
    """One check of one server: a few connections, one after the other, and what came of them."""

    def __init__(self, target: CheckTarget, config: CheckConfig) -> None:
        if not config.probe_domain:
            raise ValueError("relay check: no probe domain is configured, a probe could not come back")
        self.config, self.nonce = config, target.nonce
        self.ip = ipaddress.ip_address(target.address)
        self.address, self.port = str(self.ip), target.port or config.relay_port
        self.fields = own_fields(config.probe_domain, self.ip, self.sign(RETURN_PATH))
        self.attempts: list[Attempt] = []
        self.skipped: list[Form] = []
        self.waiting_forms = list(FORMS)
        self.connections = 0
        self.banner = ""
        self.wants_tls = False
        self.tls: str | None = None
        self.transcript = Transcript()

    def sign(self, form: str) -> str:
        return sign_probe(self.config.secret, self.nonce, self.address, self.port, form)

    def as_details(self) -> dict[str, object]:
        return {
            "forms": [attempt.as_details() for attempt in self.attempts],
            "transcript": self.transcript.entries,
            "banner": self.banner,
            "tls": self.tls,
            "connections": self.connections,
        }

    async def try_all(self) -> None:
        hung_up_at: Form | None = None
        while self.waiting_forms:
            if self.connections >= MAX_CONNECTIONS:
                raise ConversationFailed(f"the server hung up too often, {len(self.waiting_forms)} forms are untried")
            try:
                await self.visit_once()
            except NeedsTls:
                self.wants_tls = True
            except HungUp:
                # A limit per connection is met with a new one; the same form twice is the server's last word.
                if self.waiting_forms and self.waiting_forms[0] is hung_up_at:
                    raise
                hung_up_at = self.waiting_forms[0] if self.waiting_forms else None

    async def visit_once(self) -> None:
        """Try up to nine forms on one connection."""
        async with await self.connect() as connection:
            self.connections += 1
            await self.greet(connection)
            await self.try_some(connection)
            await connection.quit()

    async def connect(self) -> Connection:
        return await open_connection(self.address, self.port, self.config.timeouts, self.transcript)

    async def greet(self, connection: Connection) -> None:
        banner = await connection.reply("the connection")
        self.banner = self.banner or str(banner)
        if not banner.ok:
            raise ConversationFailed(f"blocked or busy, the server greets with {banner}")
        hello = await self.hello(connection)
        if self.wants_tls:
            await self.encrypt(connection, hello)
        self.fields = {**self.fields, **names_of_host(banner.text, hello.text)}

    async def hello(self, connection: Connection) -> Reply:
        reply = await connection.command(f"EHLO {self.config.helo}", step="EHLO")
        if not reply.ok:
            reply = await connection.command(f"HELO {self.config.helo}", step="HELO")
        if not reply.ok:
            raise ConversationFailed(f"the server refuses our HELO: {reply}")
        return reply

    async def encrypt(self, connection: Connection, hello: Reply) -> None:
        if not any(line.upper().startswith("STARTTLS") for line in hello.lines):
            raise ConversationFailed("the server demands STARTTLS but does not offer it")
        answer = await connection.command("STARTTLS", step="STARTTLS")
        if not answer.ok:
            raise ConversationFailed(f"the server demands STARTTLS but refuses it: {answer}")
        await connection.start_tls()
        self.tls = connection.tls
        await self.hello(connection)

    async def try_some(self, connection: Connection) -> None:
        for count in range(FORMS_PER_CONNECTION):
            form = self.next_form()
            if form is None:
                return
            if count and not (await connection.command("RSET", step="RSET")).ok:
                return
            attempt = await self.try_form(connection, form)
            if attempt.code == 530 and connection.tls is None and WANTS_TLS.search(attempt.text):
                await connection.quit()
                raise NeedsTls
            self.attempts.append(attempt)
            self.waiting_forms.pop(0)

    def next_form(self) -> Form | None:
        """The next form that fits this server; those that do not are put aside and counted."""
        while self.waiting_forms:
            form = self.waiting_forms[0]
            if fits(form, self.fields) and still_worth_trying(form, self.attempts):
                return form
            self.skipped.append(self.waiting_forms.pop(0))
        return None

    async def try_form(self, connection: Connection, form: Form) -> Attempt:
        local_part = self.sign(form.id)
        fields = {**self.fields, "u": local_part}
        sender, recipient = form.sender.format(**fields), form.recipient.format(**fields)

        def attempt(stage: str, reply: Reply) -> Attempt:
            return Attempt(form, sender, recipient, stage, reply.code, reply.text)

        for stage, line in (("mail", f"MAIL FROM:{sender}"), ("rcpt", f"RCPT TO:{recipient}"), ("data", "DATA")):
            reply = await connection.command(line, step=line.partition(":")[0])
            if reply.code >= 400:
                return attempt(stage, reply)
            if not (reply.code == 354 if stage == "data" else reply.ok):
                raise ConversationFailed(f"the server answers {line.partition(':')[0]} with {reply}")
        content = probe_mail(self.config, address=self.address, port=self.port, form=form.id, local_part=local_part)
        try:
            reply = await connection.message(content, step="the message")
        except ConversationFailed as exc:
            self.attempts.append(Attempt(form, sender, recipient, "end", None, str(exc)))
            self.waiting_forms.pop(0)
            raise
        if 300 <= reply.code < 400:
            raise ConversationFailed(f"the server answers the message with {reply}")
        return attempt("end", reply)


def own_fields(probe: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address, return_local: str) -> dict[str, str]:
    return {
        "probe": probe,
        "probe_imcea": probe.replace(".", "+2E"),
        "return_local": return_local,
        # Another domain than the probes': a bounce must never be taken for a delivery.
        "bounce": f"{return_local}@bounce.{probe}",
        "literal": f"[IPv6:{ip}]" if ip.version == 6 else f"[{ip}]",  # RFC 5321 section 4.1.3
    }
