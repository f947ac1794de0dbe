"""Bounces and delay notices: delivery status notifications (RFC 3464) and the plain-text ones of older servers.

No complaint, whatever words stand in them: "blocked as spam" in a bounce is about our own notice.
"""

from __future__ import annotations

import re
from typing import Final

from ..vocabulary import Disposition, ParsedComplaint
from .header_text import bare_address
from .mail import Mail

NAME: Final = "bounce"
RANK: Final = 60
DISPOSITION: Final = Disposition.BOUNCE

STATUS_PART = re.compile(rb"^content-type:\s*message/x?delivery-status", re.I | re.M)
DAEMONS = ("mailer-daemon", "postmaster", "mail-daemon", "mmdf", "uucp")
SUBJECT = re.compile(
    r"undeliver|returned mail|delivery (?:status|fail|report|has failed|problem|delayed|incomplete)|mail delivery"
    r"|failure notice|could not (?:send|be delivered|deliver)|non.?deliver|delivery notification|mail system error"
    r"|message .{0,60}\bdelayed|returning message|unzustellbar|non remis|no entregad|mail fail",
    re.I,
)
SENTENCE = re.compile(
    r"could not be delivered|was not delivered|not able to deliver|wasn't able to deliver|delivery to the following"
    r"|undelivered|permanent error|permanent failure|not yet been delivered|returned to sender",
    re.I,
)


def recognises(mail: Mail) -> bool:
    if mail.report_type == "delivery-status" or "x-failed-recipients" in mail.headers:
        return True
    if mail.report_type is not None and STATUS_PART.search(mail.data):
        return True
    return is_from_a_mail_system(mail) and says_so(mail)


def is_from_a_mail_system(mail: Mail) -> bool:
    """A null envelope sender (RFC 5321 section 4.5.5), or the name under which mail servers speak."""
    if (mail.headers.first("return-path") or "-").replace(" ", "") == "<>":
        return True
    sender = (bare_address(mail.headers.first("from")) or "").lower()
    return sender.partition("@")[0] in DAEMONS


def says_so(mail: Mail) -> bool:
    """The sender alone decides nothing: the mail must also say that something was not delivered."""
    if SUBJECT.search(mail.headers.readable("subject") or ""):
        return True
    return bool(SENTENCE.search(mail.body[:4_000].decode("utf-8", "replace")))


def parse(mail: Mail) -> list[ParsedComplaint]:
    return []
