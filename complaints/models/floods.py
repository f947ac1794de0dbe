from __future__ import annotations

from django.db import models
from django.db.models import Q


class SenderMinute(models.Model):
    """How many mails one sender sent in one minute. Kept for a few hours, and only of those who send much."""

    sender = models.CharField(max_length=320)
    minute = models.DateTimeField()
    mails = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sender", "minute"], name="sender_minute_once")]
        indexes = [models.Index(fields=["minute"], name="sender_minute_old")]

    def __str__(self) -> str:
        return f"{self.sender} {self.minute:%H:%M}"


class Flood(models.Model):
    """A sender sends more than is read at once (RFC 6650 section 7.5): the rest is read behind everything else."""

    sender = models.CharField(max_length=320)
    began_at = models.DateTimeField()
    last_at = models.DateTimeField(help_text="When a mail was put off last")
    put_off = models.PositiveIntegerField(default=0, help_text="Mails that were left for the background")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sender"], condition=Q(ended_at__isnull=True), name="flood_one_open")
        ]
        indexes = [models.Index(fields=["sender", "-id"], name="flood_sender")]

    def __str__(self) -> str:
        return f"flood from {self.sender}"
