"""What a server refuses to start with. Commands that only read or import are not asked."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import yaml
from django.conf import settings
from django.core.management.utils import get_random_secret_key

SHORTEST_KEY = 20  # manage.py make_secret_key gives 50


class StartRefused(Exception):
    """The configuration must not serve anybody; the text says why and what to do."""


def require_safe_start() -> None:
    """Raises StartRefused: no secret key, or demo accounts outside the demo."""
    if not settings.HAS_SECRET_KEY:
        raise StartRefused(
            "no secret key: run `manage.py make_secret_key` once (it is kept in the data directory), or set "
            "ABUSEDESK_SECRET_KEY or ABUSEDESK_SECRET_KEY_FILE. To look around first: script/demo"
        )
    require_lists()
    if settings.DEMO:
        return
    if len(settings.SECRET_KEY) < SHORTEST_KEY:
        raise StartRefused(
            f"the secret key has fewer than {SHORTEST_KEY} characters and can be guessed: make one by "
            "manage.py make_secret_key, or set a longer ABUSEDESK_SECRET_KEY"
        )
    from complaints.models import User

    if names := list(User.objects.filter(is_demo=True).values_list("username", flat=True)[:10]):
        raise StartRefused(
            f"this database has demo accounts ({', '.join(names)}), whose passwords are public. "
            "Use another ABUSEDESK_DATA_DIR or DATABASE_URL, or delete them: manage.py delete_demo_accounts"
        )
    if settings.SECRET_KEY.startswith("demo-only-key"):
        raise StartRefused("ABUSEDESK_SECRET_KEY is the demo's key, which everybody knows. Make one of your own.")


def doubts() -> list[str]:
    """What is allowed, but would reach customers wrong."""
    found = []
    if urlsplit(settings.BASE_URL).hostname in ("127.0.0.1", "localhost", "0.0.0.0", "::1", "::"):  # noqa: S104
        found.append(f"links in our mails lead to {settings.BASE_URL}, this machine: set ABUSEDESK_BASE_URL")
    if settings.DESK_EMAIL.endswith("@localhost"):
        found.append(f"our mails come from {settings.DESK_EMAIL}, which nobody can answer: set ABUSEDESK_EMAIL")
    if not settings.PROBE_DOMAIN:
        found.append("no relay can be proven without a probe mailbox: set ABUSEDESK_PROBE_DOMAIN")
    if not settings.DNS_RESOLVERS:
        found.append("no blacklist is asked without a resolver: set ABUSEDESK_DNS")
    return found


def require_lists() -> None:
    """Else every check would fail later, one by one."""
    from complaints.blacklists import shipped

    try:
        shipped()
    except (OSError, ValueError, yaml.YAMLError) as exc:
        raise StartRefused(f"ABUSEDESK_LISTS_FILE cannot be used: {exc}") from exc


def make_secret_key() -> bool:
    """Write a key into the data directory, readable by this user alone. False: there is one already.

    The running process takes it too, so that a first `receive_mail --wait` needs no preparation.
    """
    if settings.HAS_SECRET_KEY:
        return False
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = get_random_secret_key()
    with os.fdopen(os.open(settings.KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key + "\n")
    settings.SECRET_KEY, settings.HAS_SECRET_KEY = key, True
    return True
