"""DMARC aggregate (RFC 7489 section 7.2) and TLS (RFC 8460) reports: statistics about our own domains, no complaint."""

from __future__ import annotations

import re
from typing import Final

from ..vocabulary import Disposition, ParsedComplaint
from .mail import Mail

NAME: Final = "statistics-report"
RANK: Final = 65
DISPOSITION: Final = Disposition.OTHER

SUBJECT = re.compile(r"^\W*report domain:\s*\S+\s+submitter:", re.I)  # RFC 7489 section 7.2.1.1 prescribes it
ATTACHED = re.compile(rb"application/tlsrpt\+|filename=\"?[\w.-]+![\w.-]+!\d+!\d+[\w.!-]*\.(?:xml|zip|json)", re.I)


def recognises(mail: Mail) -> bool:
    if mail.report_type == "tlsrpt" or SUBJECT.search(mail.headers.readable("subject") or ""):
        return True
    return bool(ATTACHED.search(mail.data))


def parse(mail: Mail) -> list[ParsedComplaint]:
    return []
