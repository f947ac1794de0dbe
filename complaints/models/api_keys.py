from __future__ import annotations

from django.db import models

from complaints.models.accounts import Restricted


class ApiKey(Restricted):
    """A program's key to the API. The key itself is shown once, when it is made; only its hash is kept."""

    name = models.CharField(max_length=100, help_text="Whose program it is, for people")
    key_hash = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the key, which is 256 random bits")
    scopes = models.JSONField(default=list, help_text='What it may ask for, such as ["whose"]')
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="To the minute: not every call writes a row")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(revoked_at__isnull=True), name="api_key_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def may(self, scope: str) -> bool:
        return self.revoked_at is None and scope in self.scopes
