"""The probe mail: small, and telling whoever finds it what it is, why it came and how to make it stop."""

from __future__ import annotations

from email.utils import formatdate

from complaints.checks._config import CheckConfig

TOKEN_FIELD = "X-Relay-Check-Token"  # noqa: S105 - a field name
# Auto-Submitted (RFC 3834): nobody's auto-reply shall answer. List-Unsubscribe (RFC 2369): not a list, but the field
# in which mail programs look for a way out.
MAIL = """\
From: Relay check <{contact}>
To: {local_part}@{probe_domain}
Subject: Open relay test of {address} port {port}
Date: {date}
Message-ID: <{local_part}@{helo}>
Auto-Submitted: auto-generated
Precedence: bulk
List-Unsubscribe: <mailto:{contact}?subject=No%20relay%20tests%20of%20{address}>
{token_field}: {local_part}
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

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
    text = MAIL.format(
        contact=contact_of(config),
        local_part=local_part,
        probe_domain=config.probe_domain,
        address=address,
        port=port,
        date=formatdate(localtime=False),
        helo=config.helo,
        token_field=TOKEN_FIELD,
        info_url=config.info_url or "ask the contact below",
        form=form,
    )
    return text.replace("\n", "\r\n").encode("ascii", "replace")


def contact_of(config: CheckConfig) -> str:
    return config.contact or f"postmaster@{config.probe_domain}"
