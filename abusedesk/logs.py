"""Log lines without the keys of customers' pages: whoever reads the log must not be able to open one."""

from __future__ import annotations

import logging
import re

PORTAL_KEY = re.compile(r"(/c/)[A-Za-z0-9_-]{20,}")


class HidePortalKeys(logging.Filter):
    """Masks the key in a line before any handler writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if PORTAL_KEY.search(line):
            record.msg, record.args = PORTAL_KEY.sub(r"\1(key)", line), None
        return True
