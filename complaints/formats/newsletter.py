"""Bulk mail that speaks of spam and attacks without accusing anybody: newsletters, mailing lists (RFC 2369, RFC 2919).

Reporting services send as bulk mail too. So it is a complaint after all when it carries an original along, or names
a source outright: one of ours, where we know which those are.
"""

from __future__ import annotations

from typing import Final

from ..vocabulary import Disposition, ParsedComplaint
from .mail import Mail
from .named_sources import said_to_be_source
from .reporter_words import read_words
from .texts import subject_of

NAME: Final = "newsletter"
RANK: Final = 990
DISPOSITION: Final = Disposition.OTHER

FIELDS: Final = ("list-unsubscribe", "list-id", "list-post")


def recognises(mail: Mail) -> bool:
    return any(name in mail.headers for name in FIELDS) and not accuses(mail)


def accuses(mail: Mail) -> bool:
    reading = read_words(mail)
    if reading.originals:
        return True
    named = said_to_be_source(f"{subject_of(mail)}\n{reading.words}")
    return any(mail.is_ours is None or mail.is_ours(address) for address in named)


def parse(mail: Mail) -> list[ParsedComplaint]:
    return []
