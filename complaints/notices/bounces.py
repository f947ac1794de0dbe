"""Envelope senders that name their notice: a bounce says by its recipient which mail did not arrive.

The short HMAC keeps strangers from declaring mails undelivered by counting numbers.
"""

from __future__ import annotations

import re

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

BOUNCE = re.compile(r"bounce\+(\d{1,18})-([0-9a-f]{10})@(.+)", re.IGNORECASE)


def bounce_address(notice_id: int) -> str:
    domain = settings.DESK_EMAIL.rpartition("@")[2]
    return f"bounce+{notice_id}-{signature(notice_id)}@{domain}"


def notice_of_bounce(address: str) -> int | None:
    """The id of the notice that a bounce's recipient names, or None when we never wrote that address."""
    found = BOUNCE.fullmatch(address.strip().strip("<>"))
    if not found:
        return None
    notice_id = int(found[1])
    return notice_id if constant_time_compare(signature(notice_id), found[2].lower()) else None


def signature(notice_id: int) -> str:
    return salted_hmac("complaints.bounce", str(notice_id), algorithm="sha256").hexdigest()[:10]
