"""One visit to one port of one server: a few connections, one after the other, and what came of them.

Two stages, so that the many closed servers are done soon and politely: the plain form alone and in the clear; then
the others, inside TLS where the server offers it. After an acceptance we leave, let the server deliver, and look in
our mailbox: one proof is enough.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import re
from collections.abc import Awaitable, Callable

from complaints.checks._config import CheckConfig
from complaints.checks._forms import FORMS, PLAIN, Attempt, Form, names_of_host, still_worth_trying
from complaints.checks._probe import probe_mail
from complaints.checks._smtp import Connection, ConversationFailed, HungUp, Reply, TlsFailed, Transcript
from complaints.checks._smtp import open_connection as open_smtp
from complaints.checks._tokens import return_path_of, sign_probe

FORMS_PER_CONNECTION = 9  # Postfix slows down after 10 errors, Exim hangs up at the tenth RSET
MAX_CONNECTIONS = 16
IMPLICIT_TLS = 465  # RFC 8314 section 3.3
SIGNED_FIELDS = ("u", "return_local", "bounce")  # of every form its own
WANTS_TLS = re.compile(r"starttls|\btls\b", re.IGNORECASE)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclasses.dataclass(slots=True)
class Findings:
    """What one port gave. stopped: why the battery was not finished. skipped: forms that did not fit or help."""

    port: int
    attempts: list[Attempt] = dataclasses.field(default_factory=list)
    skipped: list[Form] = dataclasses.field(default_factory=list)
    stopped: ConversationFailed | None = None
    connections: int = 0
    banner: str = ""
    greeted: bool = False  # with 220: a mail server is there
    tls: dict[str, object] | None = None
    tls_problem: str = ""

    @property
    def may_arrive(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.may_arrive]

    def as_details(self) -> dict[str, object]:
        said = {"banner": self.banner, "tls": self.tls, "tls_problem": self.tls_problem}
        return {"port": self.port, "connections": self.connections, "stopped": str(self.stopped or ""), **said}


class Visit:
    def __init__(self, config: CheckConfig, nonce: str, ip: Address, port: int, transcript: Transcript) -> None:
        self.config, self.nonce, self.ip, self.port = config, nonce, ip, port
        self.transcript = transcript
        self.found = Findings(port)
        self.waiting_forms = list(FORMS)
        self.names = fixed_names(config, ip)
        self.encrypts = ""  # "offered" or "demanded": STARTTLS comes first on every further connection

    def sign(self, claim: str) -> str:
        return sign_probe(self.config.secret, self.nonce, str(self.ip), self.port, claim)

    async def try_all(self, proven: Callable[[], Awaitable[bool]]) -> None:
        """Until no form is left, or one is proven. Raises ConversationFailed, with what was found in `found`."""
        hung_up_at: Form | None = None
        while self.choose_form():
            if self.found.connections >= MAX_CONNECTIONS:
                left = len(self.waiting_forms)
                raise ConversationFailed(f"the server hung up too often, {left} forms are untried", for_now=True)
            accepted = len(self.found.may_arrive)
            try:
                await self.connect_once()
            except TlsFailed as exc:
                self.do_without_tls(exc)
            except HungUp:
                # A limit per connection is met with a new one; the same form twice is the server's last word.
                if self.waiting_forms and self.waiting_forms[0] is hung_up_at:
                    raise
                hung_up_at = self.waiting_forms[0] if self.waiting_forms else None
            if len(self.found.may_arrive) > accepted and await proven():
                return

    async def connect_once(self) -> None:
        """Try up to nine forms on one connection."""
        implicit = self.port == IMPLICIT_TLS
        connection = await open_smtp(self.config, str(self.ip), self.port, self.transcript, implicit_tls=implicit)
        async with connection:
            self.found.connections += 1
            await self.greet(connection)
            await self.try_some(connection)
            await connection.quit()

    async def greet(self, connection: Connection) -> None:
        banner = await connection.reply("the connection")
        self.found.banner = self.found.banner or str(banner)
        if not banner.ok:
            why = f"blocked or busy, the server greets with {banner}"
            raise ConversationFailed(why, for_now=banner.code < 500)
        self.found.greeted = True
        hello = await self.hello(connection)
        self.names |= names_of_host(banner.text, hello.text)
        if self.encrypts:
            await self.encrypt(connection)
        self.found.tls = connection.tls or self.found.tls

    async def hello(self, connection: Connection) -> Reply:
        reply = await connection.command(f"EHLO {self.config.helo}", step="EHLO")
        if reply.ok:
            connection.offers = frozenset(line.partition(" ")[0].upper() for line in reply.lines[1:])
        else:
            reply = await connection.command(f"HELO {self.config.helo}", step="HELO")
        if not reply.ok:
            raise ConversationFailed(f"the server refuses our HELO: {reply}", for_now=reply.code < 500)
        return reply

    async def encrypt(self, connection: Connection) -> None:
        if "STARTTLS" not in connection.offers:
            raise TlsFailed("the server demands STARTTLS but does not offer it")
        answer = await connection.command("STARTTLS", step="STARTTLS")
        if not answer.ok:
            raise TlsFailed(f"the server demands STARTTLS but refuses it: {answer}")
        await connection.start_tls()
        await self.hello(connection)

    def do_without_tls(self, problem: TlsFailed) -> None:
        """Opportunistic, as mail servers are with each other: what need not be encrypted is not."""
        if self.encrypts != "offered":
            raise problem
        self.encrypts, self.found.tls_problem = "", str(problem)
        if self.waiting_forms and self.waiting_forms[0] is PLAIN:
            self.waiting_forms.pop(0)

    async def try_some(self, connection: Connection) -> None:
        may_encrypt = "STARTTLS" in connection.offers and not self.found.tls_problem
        for count in range(FORMS_PER_CONNECTION):
            form = self.choose_form()
            if form is None:
                return
            attempt = await self.try_form(connection, form, first=count == 0)
            if attempt is None:
                return
            if attempt.code == 530 and not attempt.tls and WANTS_TLS.search(attempt.text):
                self.encrypts = "demanded"
                if not may_encrypt:
                    raise ConversationFailed("the server demands STARTTLS but does not offer it")
                return
            self.keep(attempt)
            if attempt.may_arrive:
                return
            if form is PLAIN and may_encrypt:
                self.encrypts = "offered"
                self.waiting_forms.insert(0, PLAIN)
                return

    def keep(self, attempt: Attempt) -> None:
        self.found.attempts.append(attempt)
        self.waiting_forms.pop(0)

    def choose_form(self) -> Form | None:
        """The next form that fits this server; those that do not are put aside and counted."""
        while self.waiting_forms:
            form = self.waiting_forms[0]
            # What the server calls itself is known once it has greeted us.
            fits = form.fits((*self.names, *SIGNED_FIELDS)) or not self.found.greeted
            if fits and still_worth_trying(form, self.found.attempts):
                return form
            self.found.skipped.append(self.waiting_forms.pop(0))
        return None

    def fields(self, form: Form) -> dict[str, str]:
        return_local, probe = self.sign(return_path_of(form.id)), self.config.probe_domain
        # Another domain than the probes': a bounce must never be taken for a delivery.
        bounce = f"{return_local}@bounce.{probe}"
        return {**self.names, "u": self.sign(form.id), "return_local": return_local, "bounce": bounce}

    async def try_form(self, connection: Connection, form: Form, *, first: bool) -> Attempt | None:
        """None when the server will not start over on this connection."""
        fields = self.fields(form)
        sender, recipient, before = (text.format(**fields) for text in (form.sender, form.recipient, form.before))
        encrypted = connection.tls is not None

        def attempt(stage: str, reply: Reply) -> Attempt:
            return Attempt(form, sender, recipient, stage, reply.code, reply.text, self.port, encrypted)

        if form.helo:  # it starts over as RSET does (RFC 5321 section 4.1.4)
            reply = await connection.command(f"EHLO {form.helo.format(**fields)}", step="EHLO")
            if reply.code >= 400:
                return attempt("helo", reply)
        lines = [f"MAIL FROM:{sender}", *([f"RCPT TO:{before}"] if before else []), f"RCPT TO:{recipient}"]
        starts_over = not first and not form.helo
        replies = await connection.commands(*(["RSET"] if starts_over else []), *lines)
        if starts_over and not replies.pop(0).ok:
            return None
        mail, rcpt = replies[0], replies[-1]
        for stage, line, reply in (("mail", "MAIL FROM", mail), ("rcpt", "RCPT TO", rcpt)):
            if reply.code >= 400:
                return attempt(stage, reply)
            if not reply.ok:
                raise ConversationFailed(f"the server answers {line} with {reply}")
        reply = await connection.command("DATA", step="DATA")
        if reply.code >= 400:
            return attempt("data", reply)
        if reply.code != 354:
            raise ConversationFailed(f"the server answers DATA with {reply}")
        return await self.send_probe(
            connection, Attempt(form, sender, recipient, "end", None, "", self.port, encrypted)
        )

    async def send_probe(self, connection: Connection, attempt: Attempt) -> Attempt:
        form = attempt.form.id
        content = probe_mail(self.config, address=str(self.ip), port=self.port, form=form, local_part=self.sign(form))
        try:
            reply = await connection.message(content, step="the message")
        except ConversationFailed as exc:
            self.keep(dataclasses.replace(attempt, text=str(exc)))
            raise
        if 300 <= reply.code < 400:
            raise ConversationFailed(f"the server answers the message with {reply}")
        return dataclasses.replace(attempt, code=reply.code, text=reply.text)


def fixed_names(config: CheckConfig, ip: Address) -> dict[str, str]:
    names = {
        "probe": config.probe_domain,
        "probe_imcea": config.probe_domain.replace(".", "+2E"),
        "literal": literal(ip),
    }
    with contextlib.suppress(ValueError):
        names["own_literal"] = literal(ipaddress.ip_address(config.probe_address))
    return names


def literal(ip: Address) -> str:
    return f"[IPv6:{ip}]" if ip.version == 6 else f"[{ip}]"  # RFC 5321 section 4.1.3
