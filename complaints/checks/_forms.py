"""The battery: spellings of a foreign recipient that one server or another has relayed by mistake. Pure.

Sender and recipient are paths as sent, with their angle brackets. `{u}` is the form's signed local part,
`{probe}` our probe domain, `{bounce}` our return path, `{literal}` the target's address literal, `{host}` and
`{domain}` the name the target calls itself and its parent, `{own_literal}` that of our listener. Likeliest first;
a family shares one mistake.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from functools import cache
from string import Formatter

HOST_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.I | re.A
)
MAX_ACCEPTED = 4  # the first accepted probe and three more
TAKES_ANY_DOMAIN = frozenset({"plain", "sender", "two-rcpt", "helo"})  # families whose recipient is a plain one


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """helo: the name we greet with; empty: our own. before: a recipient offered before the probe's."""

    id: str
    family: str
    sender: str
    recipient: str
    helo: str = ""
    before: str = ""

    def fits(self, known: frozenset[str]) -> bool:
        """known: names of the fields that the server and we can fill in."""
        return fields_of(self) <= known

    @property
    def is_a_recipient(self) -> bool:
        """Whether it differs from the plain form by its recipient alone: then others may be asked beside it."""
        return self.sender == "<{bounce}>" and not self.helo and not self.before and self.family != "plain"

    @property
    def names_host_in_recipient(self) -> bool:
        return "{host}" in self.recipient


@cache
def fields_of(form: Form) -> frozenset[str]:
    parts = Formatter().parse(form.sender + form.recipient + form.helo + form.before)
    return frozenset(name for _, name, _, _ in parts if name)


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """One form as the server took it. `code` None after stage "end": sent whole, never answered."""

    form: Form
    sender: str
    recipient: str
    stage: str  # the last step reached: mail, rcpt, data, end
    code: int | None
    text: str
    port: int = 25
    tls: bool = False

    @property
    def accepted(self) -> bool:
        return self.stage == "end" and self.code is not None and 200 <= self.code < 300

    @property
    def may_arrive(self) -> bool:
        """Also a message whose end was never answered may be on its way (RFC 1047)."""
        return self.accepted or (self.stage == "end" and self.code is None)

    def as_details(self) -> dict[str, object]:
        return {
            "form": self.form.id,
            "port": self.port,
            "tls": self.tls,
            "sender": self.sender,
            "recipient": self.recipient,
            "stage": self.stage,
            "code": self.code,
            "text": self.text,
            "accepted": self.accepted,
        }


FORMS = (
    Form("plain", "plain", "<{bounce}>", "<{u}@{probe}>"),
    Form("null-sender", "sender", "<>", "<{u}@{probe}>"),
    Form("sender-own-host", "sender", "<relaycheck@{host}>", "<{u}@{probe}>"),
    Form("sender-own-domain", "sender", "<relaycheck@{domain}>", "<{u}@{probe}>"),
    Form("sender-own-postmaster", "sender", "<postmaster@{host}>", "<{u}@{probe}>"),
    Form("sender-literal", "sender", "<relaycheck@{literal}>", "<{u}@{probe}>"),
    Form("sender-localhost", "sender", "<relaycheck@localhost>", "<{u}@{probe}>"),
    Form("sender-bare", "sender", "<relaycheck>", "<{u}@{probe}>"),
    # Not the recipient itself: a bounce to it would look like a delivery.
    Form("sender-same-domain", "sender", "<{return_local}@{probe}>", "<{u}@{probe}>"),
    Form("pct-host", "percent", "<{bounce}>", "<{u}%{probe}@{host}>"),
    Form("pct-literal", "percent", "<{bounce}>", "<{u}%{probe}@{literal}>"),
    Form("pct-localhost", "percent", "<{bounce}>", "<{u}%{probe}@localhost>"),
    Form("pct-bare", "percent", "<{bounce}>", "<{u}%{probe}>"),
    Form("bang-host", "bang", "<{bounce}>", "<{probe}!{u}@{host}>"),
    Form("bang-literal", "bang", "<{bounce}>", "<{probe}!{u}@{literal}>"),
    Form("bang-bare", "bang", "<{bounce}>", "<{probe}!{u}>"),
    Form("bang-pct", "bang", "<{bounce}>", "<{probe}!{u}%{probe}@{host}>"),
    Form("route-host", "route", "<{bounce}>", "<@{host}:{u}@{probe}>"),
    Form("route-literal", "route", "<{bounce}>", "<@{literal}:{u}@{probe}>"),
    Form("route-localhost", "route", "<{bounce}>", "<@localhost:{u}@{probe}>"),
    Form("quoted", "quoted", "<{bounce}>", '<"{u}@{probe}">'),
    Form("quoted-pct", "quoted", "<{bounce}>", '<"{u}%{probe}">'),
    Form("quoted-host", "quoted", "<{bounce}>", '<"{u}@{probe}"@{host}>'),
    Form("quoted-literal", "quoted", "<{bounce}>", '<"{u}@{probe}"@{literal}>'),
    Form("double-at-host", "double-at", "<{bounce}>", "<{u}@{probe}@{host}>"),
    Form("double-at-literal", "double-at", "<{bounce}>", "<{u}@{probe}@{literal}>"),
    Form("no-brackets", "spelling", "<{bounce}>", "{u}@{probe}"),
    Form("trailing-dot", "spelling", "<{bounce}>", "<{u}@{probe}.>"),
    Form("quoted-local", "spelling", "<{bounce}>", '<"{u}"@{probe}>'),
    Form("imcea", "imcea", "<{bounce}>", "<IMCEASMTP-{u}+40{probe_imcea}@{host}>"),  # Exchange 5.5, MS99-027
    Form("own-sender-pct", "both", "<relaycheck@{host}>", "<{u}%{probe}@{host}>"),
    Form("literal-sender-route", "both", "<relaycheck@{literal}>", "<@{literal}:{u}@{probe}>"),
    Form("rcpt-literal", "rcpt-literal", "<{bounce}>", "<{u}@{own_literal}>"),
    # Without a domain the postmaster is the server's own (RFC 5321 section 4.1.1.3), whatever name it goes by.
    Form("two-rcpt", "two-rcpt", "<{bounce}>", "<{u}@{probe}>", before="<postmaster>"),
    # Last: from here on the connection runs under a borrowed name.
    Form("helo-own-host", "helo", "<{bounce}>", "<{u}@{probe}>", helo="{host}"),
    Form("helo-own-literal", "helo", "<{bounce}>", "<{u}@{probe}>", helo="{literal}"),
)
PLAIN = FORMS[0]


def names_of_host(*said: str) -> dict[str, str]:
    """The fields `host` and `domain` from what banner and EHLO reply said, hostile text included; {} when no name."""
    words = (text.split(maxsplit=1)[0].rstrip(".") for text in said if text.strip())
    host = next((word.lower() for word in words if HOST_NAME.fullmatch(word)), None)
    if host is None:
        return {}
    parent = host.partition(".")[2]
    return {"host": host, "domain": parent if "." in parent else host}


def still_worth_trying(form: Form, accepted: Sequence[Form]) -> bool:
    """After an acceptance, whether this form could still teach something that the probes on their way do not.

    Acceptance proves nothing (sinks and catch-alls accept too), so we go on, but politely: one accepted form a
    family and four in all. A server that took a plain foreign recipient takes any domain; naming its host in
    the recipient would then send the probe to whoever really owns that name.
    """
    if len(accepted) >= MAX_ACCEPTED or form.family in {other.family for other in accepted}:
        return False
    takes_any_domain = any(other.family in TAKES_ANY_DOMAIN for other in accepted)
    return not (takes_any_domain and (form.names_host_in_recipient or form.family in TAKES_ANY_DOMAIN - {"sender"}))
