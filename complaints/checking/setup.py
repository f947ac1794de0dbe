"""What every check is told, from the settings."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from complaints.checks import CheckConfig, DnsblList, load_lists


def config() -> CheckConfig:
    return CheckConfig(
        helo=settings.HELO,
        secret=probe_secret(),
        probe_domain=settings.PROBE_DOMAIN,
        resolvers=settings.DNS_RESOLVERS,
        relay_port=settings.RELAY_PORT,
        lists=blacklists(),
        info_url=f"{settings.BASE_URL}/relay-check",
        contact=settings.DESK_EMAIL,
    )


@lru_cache(maxsize=1)
def blacklists() -> tuple[DnsblList, ...]:
    return load_lists(Path(settings.CHECK_LISTS_FILE) if settings.CHECK_LISTS_FILE else None)


def probe_secret() -> bytes:
    """Empty where there is no key: then `refusal` has forbidden the relay check."""
    return (
        hmac.digest(settings.SECRET_KEY.encode(), b"relay probes", hashlib.sha256) if settings.HAS_SECRET_KEY else b""
    )
