from __future__ import annotations

from django.db import models


class Reporter(models.Model):
    """Who complains. `authenticated` is said by a human, or by DKIM as our own MX saw it; an address alone proves nothing."""

    address = models.CharField(max_length=320, unique=True)
    authenticated = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.address
