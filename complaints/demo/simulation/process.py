"""A process of its own for each simulation: settings, data folder and database are made for it and removed with it.

The desk's own settings, key and data are not looked at. Only DATABASE_URL is, to play on the same kind of database.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from complaints import checks
from complaints.demo.simulation.measures import command_in

# A site asks some lists, not all: these are asked by many, and say different things.
LISTS = ("spamhaus-zen", "spamcop", "psbl", "mailspike", "dronebl", "blocklist-de", "virusfree")
OURS = ("ABUSEDESK_", "BROKER_URL", "EMAIL_URL", "DATABASE_URL", "DJANGO_SETTINGS_MODULE")


class BrokeOff(Exception):
    """The simulation ended with a fault; it has told it on stderr."""


def simulate(arguments: Sequence[str], *, database_url: str | None) -> dict[str, Any]:
    """Run `python -m complaints.demo.simulation` with `arguments` to its end; the scorecard. Progress goes to stderr.

    database_url: a server on which it makes a database and drops it; None: an SQLite file of its own.
    Raises BrokeOff.
    """
    command = [sys.executable, "-m", __package__, *arguments]
    with tempfile.TemporaryDirectory(prefix="abusedesk-simulation-") as folder:
        env = environment(Path(folder), database_url, os.environ)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=settings.BASE_DIR, env=env, check=False)
    if done.returncode:
        raise BrokeOff(f"the simulation broke off (exit {done.returncode}); its own words stand above")
    return dict(json.loads(done.stdout))


def environment(folder: Path, database_url: str | None, outer: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in outer.items() if not name.startswith(OURS)}
    return kept | {
        "ABUSEDESK_DATA_DIR": str(folder),
        "DATABASE_URL": database_url or f"sqlite:///{folder / 'simulation.sqlite3'}",
        "ABUSEDESK_SQLITE_SYNCHRONOUS": "NORMAL",
        "ABUSEDESK_SECRET_KEY": secrets.token_urlsafe(40),
        "ABUSEDESK_NAME": "Simulated ISP",
        "ABUSEDESK_EMAIL": "abuse@isp.example",
        "ABUSEDESK_BASE_URL": "https://desk.isp.example",
        "ABUSEDESK_AUTHSERV_ID": "mx.isp.example",
        "ABUSEDESK_PROBE_DOMAIN": "probe.isp.example",
        "ABUSEDESK_HELO": "relaycheck.isp.example",
        "ABUSEDESK_DNS": "192.0.2.53:53",
        "ABUSEDESK_LISTS_FILE": str(write_lists(folder / "lists.yaml")),
        "ABUSEDESK_MEASURES": "command",
        "ABUSEDESK_MEASURES_COMMAND": command_in(folder),
        "ABUSEDESK_LOG_LEVEL": "ERROR",
    }


def write_lists(path: Path) -> Path:
    shipped = yaml.safe_load((Path(checks.__file__).parent / "dnsbls.yaml").read_text())
    path.write_text(yaml.safe_dump({"lists": [each for each in shipped["lists"] if each["name"] in LISTS]}))
    return path
