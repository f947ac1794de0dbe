"""Settings of the tests: the product's own, with cheap passwords and a database of their own.

DATABASE_URL chooses the database server as it does for the product (SQLite when unset).
"""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

# Made and removed by tests/conftest.py; tools that only read settings leave nothing behind.
SCRATCH = Path(tempfile.gettempdir()) / f"abusedesk-tests-{secrets.token_hex(8)}"
os.environ["ABUSEDESK_DATA_DIR"] = str(SCRATCH)

from abusedesk.settings import *  # noqa: E402, F403
from abusedesk.settings import DATABASES  # noqa: E402

HAS_SECRET_KEY = True
SECRET_KEY = "a-secret-of-the-tests-alone-0123456789-abcdefghijklmnop"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PROBE_DOMAIN = "probe.example"
SECOND_FACTOR = "nobody"  # those who test it say so; the same for saying again who one is
ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
MAIL_UNDO, CUSTOMER_MAILS_A_DAY = 0, 0  # what is decided is due; tests of the timing set their own

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file: an in-memory database is one connection for all threads and never shows a lock.
    DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"  # it dies with the tests anyway
    DATABASES["default"]["NAME"] = ":memory:"  # for makemigrations --check and mypy, which keep nothing
with suppress(OSError):
    SCRATCH.rmdir()  # the product's settings may have made it
