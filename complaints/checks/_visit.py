"""One visit to one port of one server: a few connections, one after the other, and what came of them.

In stages, so that the many closed servers are done soon and politely: the plain form alone and in the clear; then the
others, inside TLS where the server offers it, recipients with one sender several at a time and without a message. What
is taken is then offered alone and sent. Then we wait a moment and look in our mailbox: one proof is enough.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from complaints.checks._config import CheckConfig
from complaints.checks._forms import FORMS, PLAIN, Attempt, Form, names_of_host, still_worth_trying
from complaints.checks._mail_hosts import may_be_written_to
from complaints.checks._probe import probe_mail
from complaints.checks._smtp import Connection, ConversationFailed, HungUp, Reply, TlsFailed, Transcript
from complaints.checks._smtp import open_connection as open_smtp
from complaints.checks._tokens import RETURN_PATH, sign_probe

FORMS_PER_CONNECTION = 9  # Postfix slows down after 10 errors, Exim hangs up at the tenth RSET
MAX_CONNECTIONS = 16
IMPLICIT_TLS = 465  # RFC 8314 section 3.3
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

    def as_details(self) -> dict[str, object]:
        said = {"banner": self.banner, "tls": self.tls, "tls_problem": self.tls_problem}
        return {"port": self.port, "connections": self.connections, "stopped": str(self.stopped or ""), **said}


class Visit:
    """proven: waits a moment for a probe to come back and says whether one has."""

    def __init__(
        self,
        config: CheckConfig,
        nonce: str,
        ip: Address,
        port: int,
        transcript: Transcript,
        proven: Callable[[], Awaitable[bool]],
    ) -> None:
        self.config, self.nonce, self.ip, self.port, self.proven = config, nonce, ip, port, proven
        self.transcript = transcript
        self.found = Findings(port)
        self.waiting_forms = list(FORMS)
        self.taken: set[str] = set()  # forms whose recipient was taken, and which are now to be sent
        self.names = {**fixed_names(config, ip), "return_local": self.sign(RETURN_PATH)}
        # Another domain than the probes': a bounce must never be taken for a delivery.
        self.names["bounce"] = f"{self.names['return_local']}@bounce.{config.probe_domain}"
        self.known = frozenset({*self.names, "u"})
        self.accepted: list[Form] = []  # forms whose probes may be on their way
        self.is_done = False  # one proof is enough
        self.encrypts = ""  # "offered" or "demanded": STARTTLS comes first on every further connection

    def sign(self, claim: str) -> str:
        return sign_probe(self.config.secret, self.nonce, str(self.ip), self.port, claim)

    async def try_all(self) -> None:
        """Until no form is left, or one is proven. Raises ConversationFailed, with what was found in `found`."""
        hung_up_at: Form | None = None
        while not self.is_done and self.choose_form():
            if self.found.connections >= MAX_CONNECTIONS:
                left = len(self.waiting_forms)
                raise ConversationFailed(f"the server hung up too often, {left} forms are untried", for_now=True)
            try:
                await self.connect_once()
            except TlsFailed as exc:
                self.do_without_tls(exc)
            except HungUp:
                # A limit per connection is met with a new one; the same form twice is the server's last word.
                if self.waiting_forms and self.waiting_forms[0] is hung_up_at:
                    raise
                hung_up_at = self.waiting_forms[0] if self.waiting_forms else None

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
        names = names_of_host(banner.text, hello.text)
        if names and await may_be_written_to(names["host"], str(self.ip), self.config):
            self.names |= names
        self.known |= self.names.keys()
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
        room = FORMS_PER_CONNECTION
        while room and (forms := self.choose_some(room)):
            room -= len(forms)
            if len(forms) > 1:
                if not await self.sound_out(connection, forms):
                    return
                continue
            attempt = await self.try_form(connection, forms[0])
            if attempt is None:
                return
            if attempt.code == 530 and not attempt.tls and WANTS_TLS.search(attempt.text):
                self.encrypts = "demanded"
                if not may_encrypt:
                    raise ConversationFailed("the server demands STARTTLS but does not offer it")
                return
            self.keep(attempt)
            if attempt.may_arrive and await self.proven():
                self.is_done = True
                return
            if attempt.form is PLAIN and may_encrypt and not attempt.may_arrive:
                self.encrypts = "offered"
                self.waiting_forms.insert(0, PLAIN)
                return

    def keep(self, attempt: Attempt) -> None:
        self.found.attempts.append(attempt)
        self.waiting_forms.remove(attempt.form)
        if attempt.may_arrive:
            self.accepted.append(attempt.form)

    def choose_some(self, room: int) -> list[Form]:
        """The next form, or several that can be asked for with one sender."""
        head = self.choose_form()
        if head is None or not self.goes_along(head):
            return [head] if head else []
        return [form for form in self.waiting_forms if self.goes_along(form)][:room]

    def goes_along(self, form: Form) -> bool:
        """Not with a server that decides later than at the recipient: there each form must be sent to be known."""
        decides_late = bool(self.found.attempts) and self.found.attempts[0].stage in ("data", "end")
        return form.is_a_recipient and not decides_late and form.id not in self.taken and self.is_of_use(form)

    def choose_form(self) -> Form | None:
        """The next form that fits this server; those that do not are put aside and counted."""
        while self.waiting_forms:
            if self.is_of_use(self.waiting_forms[0]):
                return self.waiting_forms[0]
            self.found.skipped.append(self.waiting_forms.pop(0))
        return None

    def is_of_use(self, form: Form) -> bool:
        # What the server calls itself is known once it has greeted us.
        fits = form.fits(self.known) or not self.found.greeted
        return fits and still_worth_trying(form, self.accepted)

    def fields(self, form: Form) -> dict[str, str]:
        return {**self.names, "u": self.sign(form.id)}

    async def sound_out(self, connection: Connection, forms: Sequence[Form]) -> bool:
        """Which recipients does the server take? Refusals count; what it takes is kept for an attempt of its own.

        False when the server will not start over on this connection.
        """
        sender = PLAIN.sender.format(**self.names)
        recipients = [form.recipient.format(**self.fields(form)) for form in forms]
        starts_over = connection.in_transaction
        lines = [*["RSET"] * starts_over, f"MAIL FROM:{sender}", *(f"RCPT TO:{each}" for each in recipients)]
        connection.in_transaction = True
        encrypted, waiting = connection.tls is not None, list(zip(forms, recipients, strict=True))
        async with aclosing(connection.exchange(lines)) as replies:
            if starts_over and not (await anext(replies)).ok:
                return False
            mail = await anext(replies)
            if mail.code >= 400:  # whoever the recipient is
                for form, recipient in waiting:
                    self.keep(Attempt(form, sender, recipient, "mail", mail.code, mail.text, self.port, encrypted))
                return False
            if not mail.ok:
                raise ConversationFailed(f"the server answers MAIL FROM with {mail}")
            for form, recipient in waiting:
                reply = await anext(replies)
                if reply.code >= 400:
                    self.keep(Attempt(form, sender, recipient, "rcpt", reply.code, reply.text, self.port, encrypted))
                elif reply.ok:
                    self.taken.add(form.id)
                else:
                    raise ConversationFailed(f"the server answers RCPT TO with {reply}")
        return True

    async def try_form(self, connection: Connection, form: Form) -> Attempt | None:
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
        starts_over = connection.in_transaction and not form.helo
        connection.in_transaction = True
        async with aclosing(connection.exchange([*["RSET"] * starts_over, *lines])) as replies:
            if starts_over and not (await anext(replies)).ok:
                return None
            for line in lines:
                reply = await anext(replies)
                verb, _, path = line.partition(":")
                if reply.code >= 400 and path != before:
                    return attempt("mail" if verb == "MAIL FROM" else "rcpt", reply)
                if reply.code < 400 and not reply.ok:
                    raise ConversationFailed(f"the server answers {verb} with {reply}")
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
        connection.in_transaction = False  # RFC 5321 section 4.1.1.4: the end of data clears everything
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
