"""What happens to an answer of attribution after it was written: waits for a better one, and corrections of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from complaints.models.cases import Case
from complaints.models.complaints import Complaint
from complaints.models.customers import Contract


class AttributionWait(models.Model):
    """A complaint whose owner cannot be known now: when it is asked again, and how the waiting ended.

    One row a complaint. A wait that ended without an owner stays, so that the desk can show it.
    """

    class Why(models.TextChoices):
        RESOLVER = "resolver", "a source of truth could not be reached"
        REPORTER = "reporter", "the reporter was asked for what is missing"

    class Outcome(models.TextChoices):
        ANSWERED = "answered"
        SILENT = "silent"  # the reporter never answered
        EXHAUSTED = "exhausted"  # asked as often as is sensible
        LEFT = "left"  # an analyst has seen how it ended and wants nothing more of it

    complaint = models.OneToOneField(Complaint, on_delete=models.CASCADE, related_name="wait")
    why = models.CharField(max_length=10, choices=Why.choices)
    resolver = models.CharField(max_length=40, blank=True, help_text="NAME of the resolver that could not answer")
    reason = models.CharField(max_length=500, blank=True, help_text="In words: what is missing or unreachable")
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Asked again then; for a reporter: when we stop waiting for the mail")
    tries = models.PositiveSmallIntegerField(default=0, help_text="How often it was asked again since it started")
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, help_text="Empty: still waiting")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", ended_at__isnull=True) | ~Q(outcome="") & Q(ended_at__isnull=False),
                name="wait_ended_has_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="wait_due", condition=Q(outcome="")),
            models.Index(
                fields=["-ended_at", "-id"], name="wait_in_vain", condition=Q(outcome__in=["silent", "exhausted"])
            ),
        ]

    def __str__(self) -> str:
        return f"wait of complaint {self.complaint_id}"


class Reattribution(models.Model):
    """One answer of attribution that became another one: proposed, or done. History, so never deleted.

    before and after hold the answers as they were written: answer, contract, customer, method, confidence,
    valid_from, valid_until, reason, candidates.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed"
        APPLIED = "applied"
        DISMISSED = "dismissed"
        OVERTAKEN = "overtaken"  # a younger look came to another answer, or to the one that is written

    class Told(models.TextChoices):
        """Whether the contract that was wrongly accused had a letter from us, and what came of that."""

        NO = "no"
        WRONG = "wrong"  # told, and not yet told that it was our mistake: a task of the desk
        WITHDRAWN = "withdrawn"  # the letter of correction is decided
        LEFT = "left"  # an analyst decided that no letter is needed

    complaint = models.ForeignKey(Complaint, on_delete=models.PROTECT, related_name="reattributions", db_index=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    because = models.CharField(max_length=200, help_text="What made us look again, such as the file that was imported")
    before = models.JSONField()
    after = models.JSONField()
    from_contract = models.ForeignKey(Contract, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    to_contract = models.ForeignKey(Contract, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    from_case = models.ForeignKey(
        Case, null=True, on_delete=models.PROTECT, related_name="moved_away", db_index=False,
        help_text="The case the complaint stood in when this was written",
    )  # fmt: skip
    to_case = models.ForeignKey(
        Case, null=True, on_delete=models.PROTECT, related_name="moved_here", db_index=False,
        help_text="The case it went to; known when it is applied",
    )  # fmt: skip
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150, help_text="A user name, or machine")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=500, blank=True, help_text="The decider's reason")
    told = models.CharField(max_length=10, choices=Told.choices, default=Told.NO)
    reverts = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reverted_by",
        help_text="The re-attribution that this one undoes",
    )  # fmt: skip

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["complaint"], condition=Q(state="proposed"), name="reattribution_one_proposed"
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_at__isnull=True)
                | ~Q(state="proposed") & Q(decided_at__isnull=False),
                name="reattribution_decided_when",
            ),
        ]
        indexes = [
            models.Index(fields=["complaint", "id"], name="reattribution_complaint"),
            models.Index(
                fields=["because", "from_contract", "to_contract", "id"],
                name="reattribution_waiting",
                condition=Q(state="proposed"),
            ),
            models.Index(fields=["from_case"], name="reattribution_holds_case", condition=Q(state="proposed")),
            models.Index(fields=["from_case"], name="reattribution_told_wrong", condition=Q(told="wrong")),
            models.Index(
                fields=["-decided_at", "-id"], name="reattribution_decided", condition=Q(decided_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} re-attribution of complaint {self.complaint_id}"
