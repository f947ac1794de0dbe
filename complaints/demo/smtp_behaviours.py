"""What the mail hosts of the simulated world do with a foreign recipient, and with a message they took."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from email.utils import formatdate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from complaints.demo.smtp_hosts import MailServer

BOUNCE = """\
From: MAILER-DAEMON@{host}
To: {to}
Subject: Undelivered Mail Returned to Sender
Date: {date}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_dsn"

--=_dsn
Content-Type: text/plain

Not delivered to <{recipient}>: relaying is not permitted.

--=_dsn
Content-Type: message/delivery-status

Reporting-MTA: dns; {host}

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.7.1

--=_dsn
Content-Type: text/rfc822-headers

{headers}

--=_dsn--
"""


@dataclasses.dataclass(slots=True)
class Envelope:
    peer: str
    helo: str = ""
    sender: str | None = None
    recipients: list[str] = dataclasses.field(default_factory=list)
    data: bytes = b""


Rule = Callable[["MailServer", Envelope, str], bool]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """`relays` decides a foreign recipient; `then` is what happens to an accepted message."""

    banner: int = 220
    mail: str | None = None  # the answer to MAIL instead of 250
    relays: Rule = lambda host, envelope, recipient: False
    data: str | None = None  # the answer to DATA instead of 354
    then: str = "relay"  # relay, drop, bounce
    greylists: bool = False
    slow: bool = False
    asks_log_in: bool = False


def anybody(host: MailServer, envelope: Envelope, recipient: str) -> bool:
    return True


def percent_hack(host: MailServer, envelope: Envelope, recipient: str) -> bool:
    local, _, domain = recipient.rpartition("@") if "@" in recipient else (recipient, "", "")
    return "%" in local and host.is_own(domain)


def own_sender(host: MailServer, envelope: Envelope, recipient: str) -> bool:
    return host.is_own((envelope.sender or "@?").rpartition("@")[2])


def own_recipient(host: MailServer, envelope: Envelope, recipient: str) -> bool:
    """A mailbox that takes whatever stands before the last @ of the host's own names."""
    return host.is_own(recipient.rpartition("@")[2] if "@" in recipient else "")


BEHAVIOURS = {
    "closed": Behaviour(),
    "open": Behaviour(relays=anybody),
    "open_percent": Behaviour(relays=percent_hack),
    "open_own_sender": Behaviour(relays=own_sender),
    "accept_and_drop": Behaviour(relays=anybody, then="drop"),
    "catch_all": Behaviour(relays=own_recipient, then="drop"),
    "bounce_back": Behaviour(relays=anybody, then="bounce"),
    "rcpt_then_refuse_data": Behaviour(relays=anybody, data="554 5.7.1 Relay access denied"),
    "greylist": Behaviour(greylists=True),
    "tarpit": Behaviour(slow=True),
    "auth_required": Behaviour(mail="530 5.7.0 Authentication required", asks_log_in=True),
    "banner_554": Behaviour(banner=554),
}


def relayed(host: MailServer, envelope: Envelope) -> Envelope:
    trace = (
        f"Received: from {envelope.helo} ([{envelope.peer}])\r\n"
        f"\tby {host.name} with ESMTP id {len(host.accepted):08X}; {formatdate()}\r\n"
    )
    recipients = [rerouted(host, recipient) for recipient in envelope.recipients]
    return dataclasses.replace(envelope, recipients=recipients, data=trace.encode() + envelope.data)


def rerouted(host: MailServer, recipient: str) -> str:
    """Where the mail really goes: whatever is addressed to the host itself is read again as an address."""
    named = recipient
    while (inner := behind_own_name(host, named)) != named:
        named = inner
    return named if "@" in named else recipient


def behind_own_name(host: MailServer, recipient: str) -> str:
    """One layer less of "a%b@own", "b!a@own" (RFC 976), "@own:a@b" (RFC 5321 appendix C), "a@b@own", or the same
    without a domain; any other recipient as it is."""
    route, colon, rest = recipient.partition(":")
    if colon and route.startswith("@") and host.is_own(route[1:]):
        return rest
    if recipient.startswith('"') and recipient.endswith('"'):
        return recipient.strip('"')
    local, at, domain = recipient.rpartition("@")
    if not at:
        local = recipient
    elif not host.is_own(domain):
        return recipient
    inner = local.strip('"')
    first, bang, last = inner.partition("!")
    if bang:
        return f"{last}@{first}"
    return inner if "@" in inner else "@".join(inner.rsplit("%", 1))


def bounced(host: MailServer, envelope: Envelope) -> Envelope | None:
    """A non-delivery report (RFC 3464) to the envelope sender; none to a null sender."""
    if not envelope.sender:
        return None
    report = BOUNCE.format(
        host=host.name,
        to=envelope.sender,
        date=formatdate(),
        recipient=envelope.recipients[0],
        headers=envelope.data.partition(b"\r\n\r\n")[0].decode("ascii", "replace").replace("\r\n", "\n"),
    )
    return Envelope(host.address, host.name, "", [envelope.sender], report.replace("\n", "\r\n").encode())
