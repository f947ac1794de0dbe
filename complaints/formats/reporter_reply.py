"""A reporter's answer to one of our mails to them: it names that mail's Message-ID.

They go out as <reporter-17.0123456789abcdef@our.domain> (complaints/notices/reporter_mail.py). Nobody guesses the
sixteen digits, so who names them has had the mail.
"""

from __future__ import annotations

import re
from typing import Final

from ..vocabulary import Disposition, ParsedComplaint
from .header_text import LONGEST_VALUE, Headers
from .mail import Mail

NAME: Final = "reporter-reply"
RANK: Final = 74  # after bounces and automatic replies, which name our mails too
DISPOSITION: Final = Disposition.REPORTER_REPLY
OUR_ID = re.compile(r"<reporter-\d{1,18}\.[0-9a-f]{16}@[^\s<>@]{1,253}>", re.I)


def recognises(mail: Mail) -> bool:
    return bool(ids_answered(mail.headers))


def ids_answered(headers: Headers) -> list[str]:
    """The Message-IDs of ours that the mail answers, the youngest last, as they were written."""
    named = (value for name in ("references", "in-reply-to") for value in headers.every(name))
    return [found for value in named for found in OUR_ID.findall(value[-LONGEST_VALUE:])]


def parse(mail: Mail) -> list[ParsedComplaint]:
    return []
