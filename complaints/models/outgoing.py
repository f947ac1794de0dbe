from __future__ import annotations

from django.db import models
from django.db.models import Q


class OutgoingMail(models.Model):
    """One outgoing mail: decided first (this row), sent later by a worker that claims it (notices/delivery.py)."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"  # gave up; a human must look
        WITHHELD = "withheld"  # decided, and kept back by a limit: `problem` says by which; a human may still send it
        WITHDRAWN = "withdrawn"  # taken back by a person before it went

    to_email = models.EmailField(max_length=254)
    language = models.CharField(max_length=10, default="en")
    subject = models.CharField(max_length=300)
    text = models.TextField(help_text="With a mark where the portal link goes: the link itself is not kept")
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claim = models.CharField(max_length=32, blank=True)
    claimed_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(
        null=True, help_text="Set before the mail server gets it, cleared by its no: sending and no answer is a doubt"
    )
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        abstract = True


WAITS_FOR_DELIVERY = Q(state__in=["queued", "sending"])
