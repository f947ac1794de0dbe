from __future__ import annotations

from django.db import models

from complaints.addresses import address_text
from complaints.models.cases import Case
from complaints.models.customers import Contract
from complaints.models.messages import Message
from complaints.models.reporters import Reporter
from complaints.models.rules import Rule
from complaints.vocabulary import Answer, Category


class Complaint(models.Model):
    """One accusation read from a message, with the answer to whose address it was.

    Unique as (message, address, port, time, category, resource), so reading a message twice has the
    effect of once. Unknown parts are b"", 0 and "" there, because NULLs would not be equal.
    """

    class Ruling(models.TextChoices):
        NONE = "", "none"
        IGNORED = "ignored", "ignored"
        HELD = "held", "held until there are more"

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="complaints", db_index=False)
    address = models.BinaryField(max_length=16)
    port = models.PositiveIntegerField(default=0)
    seen_at = models.DateTimeField(help_text="When the abuse happened, as the reporter says; else when we got the mail")
    seen_exactly = models.BooleanField(default=True, help_text="False: the report gave no time")
    category = models.CharField(max_length=20, choices=[(c.value, c.value) for c in Category])
    resource = models.CharField(max_length=500, blank=True, help_text="Domain or URL, where no address is named")
    received_at = models.DateTimeField()
    format = models.CharField(max_length=40)
    feedback_type = models.CharField(max_length=40, blank=True)
    subject = models.CharField(max_length=400, blank=True, help_text="Subject of the mail complained about")
    original_message_id = models.CharField(max_length=400, blank=True)
    evidence = models.JSONField(default=dict, help_text="Further fields of the report, and its Received lines")
    reporter = models.ForeignKey(Reporter, null=True, on_delete=models.PROTECT, related_name="complaints")

    answer = models.CharField(max_length=10, choices=[(a.value, a.value) for a in Answer])
    contract = models.ForeignKey(
        Contract, null=True, on_delete=models.PROTECT, related_name="complaints", db_index=False
    )
    method = models.CharField(max_length=20, blank=True)
    confidence = models.FloatField(default=0)
    valid_from = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)
    attribution = models.JSONField(default=dict, help_text="Reason in words, and the candidates")
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="complaints", db_index=False)
    rule = models.ForeignKey(
        Rule, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
        help_text="The first rule that fitted when it was filed",
    )  # fmt: skip
    ruling = models.CharField(
        max_length=10, choices=Ruling.choices, default=Ruling.NONE, db_default="", blank=True,
        help_text="Why a rule keeps it out of the cases; empty: none does",
    )  # fmt: skip

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "address", "port", "seen_at", "category", "resource"], name="complaint_once"
            )
        ]
        indexes = [
            models.Index(fields=["case", "seen_at"], name="complaint_case"),
            models.Index(fields=["address", "seen_at"], name="complaint_address"),
            models.Index(fields=["contract", "seen_at"], name="complaint_contract"),
            models.Index(
                fields=["original_message_id"], name="complaint_message_id", condition=~models.Q(original_message_id="")
            ),
            models.Index(fields=["id"], name="complaint_lonely", condition=models.Q(case__isnull=True, ruling="")),
            # How much each contract was complained about in a period, of this index alone (reporting/offenders.py).
            models.Index(
                fields=["seen_at", "contract", "category"],
                name="complaint_seen",
                condition=models.Q(contract__isnull=False),
            ),
            # Those of some networks, for who is restricted to these.
            models.Index(
                fields=["address", "id"],
                name="complaint_lonely_place",
                condition=models.Q(case__isnull=True, ruling=""),
            ),
            models.Index(fields=["rule", "id"], name="complaint_ruled", condition=models.Q(rule__isnull=False)),
            models.Index(
                fields=["contract", "category", "seen_at"], name="complaint_held", condition=models.Q(ruling="held")
            ),
            models.Index(fields=["id"], name="complaint_not_ours", condition=models.Q(answer="not-ours")),
        ]

    def __str__(self) -> str:
        return f"complaint {self.pk} about {self.address_text}"

    @property
    def address_text(self) -> str:
        return address_text(self.address)
