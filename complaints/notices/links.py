"""The customer's key to one case: made here, found here by its hash, revoked here.

A token is HMAC-SHA256(secret key, nonce). The database holds nonce and hash but not the secret key, so a
copied database opens nothing; the desk can still make the token again when a mail is sent or shown.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from complaints.models import Case, PortalLink

LIFETIME = timedelta(days=90)
PURPOSE = "complaints.portal-link"  # keeps these tokens apart from everything else the secret key signs
TOKEN_LENGTH = 43  # 32 bytes in base64 without padding


def make_link(case: Case, *, now: datetime) -> PortalLink:
    nonce = secrets.token_bytes(32)
    return PortalLink.objects.create(
        case=case,
        nonce=nonce,
        token_hash=hash_of(token_from(nonce, settings.SECRET_KEY)),
        created_at=now,
        expires_at=now + LIFETIME,
    )


def token_of(link: PortalLink) -> str | None:
    """The token, or None when the secret key has changed since: then nobody can make it any more."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        token = token_from(bytes(link.nonce), secret)
        if constant_time_compare(hash_of(token), bytes(link.token_hash)):
            return token
    return None


def portal_url(link: PortalLink) -> str | None:
    """The full address of the customer's page, or None as in `token_of`."""
    token = token_of(link)
    return token and settings.BASE_URL + reverse("portal:case", args=[token])


def find_link(token: str, *, now: datetime) -> PortalLink | None:
    """The link a visitor brings; None when it is unknown, expired or revoked, without saying which."""
    if len(token) != TOKEN_LENGTH:
        return None
    wanted = hash_of(token)
    link = PortalLink.objects.select_related("case").filter(token_hash=wanted).first()
    if link is None or not constant_time_compare(wanted, bytes(link.token_hash)):
        return None
    return link if is_open(link, now=now) else None


def is_open(link: PortalLink, *, now: datetime) -> bool:
    return link.revoked_at is None and link.expires_at > now


def revoke_link(link: PortalLink, *, now: datetime | None = None) -> None:
    now = now or timezone.now()
    if PortalLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now):
        link.revoked_at = now


def token_from(nonce: bytes, secret: str | bytes) -> str:
    digest = salted_hmac(PURPOSE, nonce, secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
