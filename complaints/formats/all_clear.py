"""What reporters write when nobody is accused: a listing is gone, a watchman was started. No complaint, though full of
its words and addresses.
"""

from __future__ import annotations

import re
from typing import Final

from ..vocabulary import Disposition, ParsedComplaint
from .mail import Mail
from .texts import subject_of, text_of

NAME: Final = "all-clear"
RANK: Final = 78
DISPOSITION: Final = Disposition.OTHER

SUBJECTS = (
    re.compile(r"\bSBL\b.{0,120}\b(?:removed|deleted|delisted)\b", re.I),
    re.compile(r"\bremoved from (?:the )?Spamhaus Block ?List", re.I),
    re.compile(r"\[Fail2Ban\] \S{1,60}: (?:started|stopped|unbanned)\b", re.I),
)
OPENINGS = (  # where the subject says nothing: the first words
    re.compile(r"^\s*Hi,\s+The jail \S{1,60} has been (?:started|stopped)", re.I),
    re.compile(r"^[> \t]*SBL\d{2,8}\b[^\n]{0,80}\b(?:removed|deleted)\b", re.I | re.M),
)
OPENING: Final = 2_000


def recognises(mail: Mail) -> bool:
    subject = subject_of(mail)
    if any(pattern.search(subject) for pattern in SUBJECTS):
        return True
    return any(pattern.search(text_of(mail)[:OPENING]) for pattern in OPENINGS)


def parse(mail: Mail) -> list[ParsedComplaint]:
    return []
