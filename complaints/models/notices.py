from __future__ import annotations

from django.db import models

from complaints.models.cases import Case
from complaints.models.outgoing import WAITS_FOR_DELIVERY, OutgoingMail


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


class Notice(OutgoingMail):
    """One mail of one step of a case to the customer."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notices", db_index=False)
    step = models.CharField(max_length=40)
    occurrence = models.PositiveSmallIntegerField(default=1)
    to_name = models.CharField(max_length=200, blank=True)
    link = models.ForeignKey(PortalLink, null=True, on_delete=models.SET_NULL, db_index=False)
    html = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "step", "occurrence"], name="notice_once")]
        indexes = [models.Index(fields=["due_at"], name="notice_due", condition=WAITS_FOR_DELIVERY)]

    def __str__(self) -> str:
        return f"notice {self.step} of case {self.case_id}"
