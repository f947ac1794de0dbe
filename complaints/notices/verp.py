"""Envelope senders that name their mail: a bounce says by its recipient which notice, which mail to a reporter
(bounce+r…) or which forwarded complaint (bounce+f…) did not arrive.

The short HMAC keeps strangers from declaring mails undelivered by counting numbers.
"""

from __future__ import annotations

import re

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

BOUNCE = re.compile(r"bounce\+([rf]?\d{1,18})-([0-9a-f]{10})@.{1,255}", re.IGNORECASE)
TO_REPORTER, FORWARDED = "r", "f"


def bounce_address(notice_id: int, *, domain: str = "") -> str:
    """domain: of the header's From, so that SPF and DMARC agree; empty: the desk's own."""
    return address_of(str(notice_id), domain)


def reporter_bounce_address(mail_id: int) -> str:
    return address_of(f"{TO_REPORTER}{mail_id}")


def forward_bounce_address(mail_id: int, *, domain: str = "") -> str:
    return address_of(f"{FORWARDED}{mail_id}", domain)


def address_of(name: str, domain: str = "") -> str:
    return f"bounce+{name}-{signature(name)}@{domain or settings.DESK_EMAIL.rpartition('@')[2]}"


def notice_of_bounce(address: str) -> int | None:
    """The id of the notice that a bounce's recipient names, or None when we never wrote that address."""
    name = mail_of_bounce(address)
    return int(name) if name and name.isdecimal() else None


def mail_of_bounce(address: str) -> str | None:
    """What address_of was given, "12" or "r12"; None when we never made this address."""
    found = BOUNCE.fullmatch(address.strip().strip("<>"))
    if not found:
        return None
    name = found[1].lower()
    return name if constant_time_compare(signature(name), found[2].lower()) else None


def signature(name: str) -> str:
    return salted_hmac("complaints.bounce", name, algorithm="sha256").hexdigest()[:10]
