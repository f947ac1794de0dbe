from __future__ import annotations

from django.db import models


class Reporter(models.Model):
    """Who complains. An address alone proves nothing: `authenticated` is set by a human, or by DKIM as our MX saw it."""

    address = models.CharField(max_length=320, unique=True)
    authenticated = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.address
