"""Keys of programs: made here, found here by their hash, revoked here. The key itself is never stored."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.crypto import constant_time_compare

from complaints.models import ApiKey

SCOPES = {"whose": "ask who held an address", "mail-flow": "tell what the contracts' mail did"}
PREFIX = "adk_"  # so that people, and scanners for lost secrets, know what they found
KEY = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_-]{43}")
NOTED_EVERY = timedelta(minutes=1)


class KeyRefused(Exception):
    """The key cannot be made; the text says why."""


def make_key(name: str, *, scopes: Collection[str], actor: str, now: datetime) -> tuple[ApiKey, str]:
    """The row, and the key to hand over: it is shown now and never again.

    Raises:
        KeyRefused: an unknown scope, or a name that a key in use has.
    """
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown or not scopes:
        raise KeyRefused(f"scope {', '.join(unknown) or '(none)'}: choose of {', '.join(SCOPES)}")
    if not name.strip() or len(name) > 100:
        raise KeyRefused("a key needs a name of 1 to 100 characters, such as the program that will use it")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        name=name.strip(), key_hash=hash_of(secret), scopes=sorted(set(scopes)), created_at=now, created_by=actor
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise KeyRefused(f"a key named {name!r} is in use: choose another name, or revoke that one first") from None
    return row, secret


def revoke_key(name: str, *, now: datetime) -> bool:
    """False when no key in use has that name."""
    return bool(ApiKey.objects.filter(name=name, revoked_at=None).update(revoked_at=now))


def find_key(secret: str) -> ApiKey | None:
    """The key in use that a program shows; None when it is unknown or revoked, without saying which."""
    if not KEY.fullmatch(secret):
        return None
    wanted = hash_of(secret)
    row = ApiKey.objects.filter(key_hash=wanted, revoked_at=None).first()
    return row if row and constant_time_compare(bytes(row.key_hash), wanted) else None


def note_use(key: ApiKey, *, now: datetime) -> None:
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
    if key.last_used_at is None or key.last_used_at < now - NOTED_EVERY:
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def hash_of(secret: str) -> bytes:
    """Plain SHA-256 is enough: nobody guesses 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
