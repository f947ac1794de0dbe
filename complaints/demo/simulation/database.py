"""An empty database of its own for one simulation, and nothing of it left afterwards. Never the desk's own."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

from django.core.management import call_command
from django.db import connection


@contextlib.contextmanager
def fresh_database() -> Iterator[None]:
    """On SQLite the file that the settings name, which must not exist yet; on a server, a new database beside it."""
    if connection.vendor == "sqlite":
        call_command("migrate", verbosity=0)
        yield
        connection.close()
        return
    name = str(connection.settings_dict["NAME"])
    connection.settings_dict["TEST"]["NAME"] = f"simulation_{secrets.token_hex(4)}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
