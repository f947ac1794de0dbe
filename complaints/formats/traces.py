"""Fields of the original, beside Received, that tell how it was made: by a script, by mailing software, by a forwarder.

Anybody can write them. They say what kind of mail it is, and never who sent it.
"""

from __future__ import annotations

import re
from typing import Final

from .header_text import Headers, bare_address

KEPT: Final = frozenset(
    {
        # Mailing software: RFC 2369, RFC 2919, RFC 8058, and what the big ones add.
        "list-unsubscribe", "list-id", "precedence", "feedback-id", "x-campaign", "x-campaignid", "x-mailer",
        # Scripts: PHP's mail.add_x_header, cPanel and Exim.
        "x-php-originating-script", "x-php-script", "x-source", "x-source-args", "x-source-dir", "x-wp-mailer",
        # Mail that was sent on: RFC 5321 leaves the names to the servers.
        "delivered-to", "x-original-to", "x-forwarded-to", "x-forwarded-for", "resent-from",
    }
)  # fmt: skip
SIGNATURE: Final = "dkim-signature"
TELLING: Final = KEPT | {SIGNATURE}
MOST: Final = 20
LONGEST: Final = 200
SIGNER = re.compile(r"(?:^|;)\s*d\s*=\s*([\w.-]{1,253})")


def traces_of(original: Headers | None) -> tuple[str, ...]:
    """Each as "name: value", the name in small letters; of a signature only the domain.

    From, the address alone, stands there for comparison with them.
    """
    if original is None:
        return ()
    values = original.values
    if TELLING.isdisjoint(values):
        return ()
    found = [f"{name}: {values[name][0][:LONGEST]}" for name in sorted(KEPT & values.keys())]
    for signature in values.get(SIGNATURE, ()):
        if signer := SIGNER.search(signature[:1000]):
            found.append(f"dkim: {signer[1].lower()}")
    if found and (sender := bare_address(original.first("from"))):
        found.append(f"from: {sender.lower()[:LONGEST]}")
    return tuple(found[:MOST])
