from __future__ import annotations

from django.db import models
from django.db.models import Q

from complaints.models.cases import Case


class PortalLink(models.Model):
    """The customer's key to one case: only its hash is kept.

    The token is HMAC-SHA256(secret key, nonce): 256 bits that nobody can guess, that the database alone
    does not hold, and that the desk can still show to an analyst who opens the sent mail.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="links")
    nonce = models.BinaryField(max_length=32)
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link to case {self.case_id}"


class Notice(models.Model):
    """One outgoing mail: decided first (this row), sent later by a worker that claims it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"  # gave up; a human must look

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notices", db_index=False)
    step = models.CharField(max_length=40)
    occurrence = models.PositiveSmallIntegerField(default=1)
    to_name = models.CharField(max_length=200, blank=True)
    to_email = models.EmailField(max_length=254)
    language = models.CharField(max_length=10, default="en")
    link = models.ForeignKey(PortalLink, null=True, on_delete=models.SET_NULL, db_index=False)
    subject = models.CharField(max_length=300)
    text = models.TextField(help_text="With a mark where the portal link goes: the link itself is not kept")
    html = models.TextField()
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claim = models.CharField(max_length=32, blank=True)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "step", "occurrence"], name="notice_once")]
        indexes = [models.Index(fields=["due_at"], name="notice_due", condition=Q(state__in=["queued", "sending"]))]

    def __str__(self) -> str:
        return f"notice {self.step} of case {self.case_id}"
