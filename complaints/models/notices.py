from __future__ import annotations

from django.db import models
from django.db.models import Q

from complaints.models.brands import Brand
from complaints.models.cases import Case
from complaints.models.complaints import Complaint
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
    """One mail of one step of a case to the customer. What goes in another's digest is carried by it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notices", db_index=False)
    step = models.CharField(max_length=40)
    occurrence = models.PositiveSmallIntegerField(default=1)
    recipient = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="1: the contact in charge; 2 and on: the next one, after the mail came back"
    )
    carried_by = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="carries", db_index=False,
        help_text="The notice whose mail told this one too, as a digest; its Message-ID and envelope are this one's",
    )  # fmt: skip
    to_name = models.CharField(max_length=200, blank=True)
    link = models.ForeignKey(PortalLink, null=True, on_delete=models.SET_NULL, db_index=False)
    html = models.TextField()
    brand = models.ForeignKey(
        Brand, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
        help_text="In whose name it is written; empty: the desk's own",
    )  # fmt: skip
    given = models.JSONField(
        default=dict, db_default=models.Value({}, output_field=models.JSONField()),
        help_text="What its words were made of beside the case, for the same letter to the next contact",
    )  # fmt: skip

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "step", "occurrence", "recipient"], name="notice_once")]
        indexes = [
            models.Index(fields=["due_at"], name="notice_due", condition=WAITS_FOR_DELIVERY),
            models.Index(fields=["to_email", "sent_at"], name="notice_told", condition=Q(sent_at__isnull=False)),
            models.Index(fields=["carried_by"], name="notice_carried", condition=Q(carried_by__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"notice {self.step} of case {self.case_id}"


class Forward(OutgoingMail):
    """One complaint on its way to a customer's own abuse desk, as a report that a program can read."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="forwards", db_index=False)
    complaint = models.ForeignKey(Complaint, on_delete=models.CASCADE, related_name="forwards")
    format = models.CharField(max_length=10, help_text="xarf or arf: as the contact asked when it was decided")
    report = models.TextField(help_text="XARF: the JSON document; ARF: the machine's part. Redacted (RFC 6590)")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "complaint"], name="forward_once")]
        indexes = [models.Index(fields=["due_at"], name="forward_due", condition=WAITS_FOR_DELIVERY)]

    def __str__(self) -> str:
        return f"complaint {self.complaint_id} of case {self.case_id} as {self.format}"


class LetterText(models.Model):
    """A letter as the desk words it: it wins over the file of the same language, step and cause. Never changed."""

    language = models.CharField(max_length=10)
    step = models.CharField(max_length=40, help_text="As the playbook names it")
    cause = models.CharField(max_length=20, blank=True, default="", help_text="Empty: for every cause")
    version = models.PositiveIntegerField(help_text="Counts up for each language, step and cause")
    source = models.TextField(help_text="In the form of templates/notices; empty: from this version on the file again")
    written_by = models.CharField(max_length=150)
    written_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["language", "step", "cause", "version"], name="letter_version")]

    def __str__(self) -> str:
        return f"{self.language}/{self.step}{'.' if self.cause else ''}{self.cause}, version {self.version}"
