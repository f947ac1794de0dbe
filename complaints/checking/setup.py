"""What every check is told, from the settings."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings

from complaints.blacklists import blacklists
from complaints.checks import CheckConfig, Timeouts


def config() -> CheckConfig:
    return CheckConfig(
        helo=settings.HELO,
        secret=probe_secret(),
        probe_domain=settings.PROBE_DOMAIN,
        resolvers=settings.DNS_RESOLVERS,
        probe_address=settings.PROBE_ADDRESS,
        relay_port=settings.RELAY_PORT,
        more_ports=settings.RELAY_MORE_PORTS,
        lists=blacklists(),
        info_url=settings.RELAY_INFO_URL,
        contact=settings.DESK_EMAIL,
        timeouts=Timeouts(overall=settings.RELAY_SECONDS),
    )


def probe_secret() -> bytes:
    """Empty where there is no key: then `refusal` has forbidden the relay check."""
    return (
        hmac.digest(settings.SECRET_KEY.encode(), b"relay probes", hashlib.sha256) if settings.HAS_SECRET_KEY else b""
    )
