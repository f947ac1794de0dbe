from __future__ import annotations

from django.db import models


class Reporter(models.Model):
    """Who complains. An address alone proves nothing: a human, or DKIM as our own MX saw it, sets `authenticated`."""

    address = models.CharField(max_length=320, unique=True)
    authenticated = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.address
