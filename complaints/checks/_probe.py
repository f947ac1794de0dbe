"""The probe mail: small, and telling whoever finds it what it is, why it came and how to make it stop."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from complaints.checks._config import CheckConfig

TOKEN_FIELD = "X-Relay-Check-Token"  # noqa: S105 - a field name
BODY = """\
This is an automatic test for open mail relays, sent by {helo} in the name of the
operator of the network that {address} belongs to.

Why: mail reported as abuse was traced to {address}. This message was offered to its
mail server on port {port} for a mailbox of ours that it is not responsible for. A server
that delivers it would deliver the mail of any spammer too.

Nothing was changed on the server and no other mailbox was used.
About these tests: {info_url}
Questions, or to be left out of them: {contact}
Test form: {form}
"""


def probe_mail(config: CheckConfig, *, address: str, port: int, form: str, local_part: str) -> bytes:
    """The message with CRLF line ends, under 2 KB, no line beginning with a dot."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"Relay check <{contact_of(config)}>"
    mail["To"] = f"{local_part}@{config.probe_domain}"
    mail["Subject"] = f"Open relay test of {address} port {port}"
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = f"<{local_part}@{config.helo}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's auto-reply shall answer it
    mail["Precedence"] = "bulk"
    # RFC 2369: not a list, but the field in which mail programs look for a way out.
    mail["List-Unsubscribe"] = f"<mailto:{contact_of(config)}?subject=No%20relay%20tests%20of%20{address}>"
    mail[TOKEN_FIELD] = local_part
    mail.set_content(
        BODY.format(
            helo=config.helo,
            address=address,
            port=port,
            form=form,
            info_url=config.info_url or "ask the contact below",
            contact=contact_of(config),
        )
    )
    return bytes(mail)


def contact_of(config: CheckConfig) -> str:
    return config.contact or f"postmaster@{config.probe_domain}"
