from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from complaints.models.cases import Case, choices
from complaints.models.customers import Contract
from complaints.vocabulary import MeasureKind


class Intervention(models.Model):
    """A measure on the line: decided first (this row), carried out later by a worker that claims it.

    Withdrawn means: undone before it touched the line. A failed one is shown to a human.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed"  # waits for a second person
        DECIDED = "decided"  # waits for due_at, until then it can be undone
        APPLYING = "applying"
        IN_FORCE = "in_force"
        RELEASE_DUE = "release_due"
        RELEASING = "releasing"
        RELEASED = "released"
        WITHDRAWN = "withdrawn"
        FAILED = "failed"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="interventions", db_index=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="interventions", db_index=False)
    kind = models.CharField(max_length=20, choices=choices(MeasureKind))
    step = models.CharField(max_length=40)
    occurrence = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=20, choices=State.choices, default=State.DECIDED)
    reason = models.CharField(max_length=500)
    decided_by = models.CharField(max_length=150, help_text="A user name, or machine")
    decided_at = models.DateTimeField()
    seconded_by = models.CharField(max_length=150, blank=True, default="")
    due_at = models.DateTimeField(help_text="Not before; until then it can be undone")
    key = models.UUIDField(unique=True, default=uuid.uuid4, help_text="Names it to the ISP's system: twice is once")
    claim = models.CharField(max_length=32, blank=True, default="")
    claimed_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True, default="")
    in_force_at = models.DateTimeField(null=True)
    release_by = models.CharField(max_length=150, blank=True, default="")
    release_reason = models.CharField(max_length=500, blank=True, default="")
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "step", "occurrence", "kind"], name="intervention_once"),
            models.UniqueConstraint(
                fields=["contract", "kind"],
                condition=~Q(state__in=["released", "withdrawn", "failed"]),
                name="intervention_one_in_force",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="intervention_due",
                condition=Q(state__in=["decided", "applying", "release_due", "releasing"]),
            ),
            models.Index(fields=["case", "id"], name="intervention_case"),
            models.Index(fields=["id"], name="intervention_proposed", condition=Q(state="proposed")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on contract {self.contract_id}"


class Hold(models.Model):
    """The kill switch: while a hold of a kind stands, no mail goes out, or no measure begins. Rows are its history."""

    class What(models.TextChoices):
        MAIL = "mail", "all outgoing mail"
        MEASURES = "measures", "all measures"

    what = models.CharField(max_length=10, choices=What.choices)
    reason = models.CharField(max_length=500)
    began_at = models.DateTimeField()
    began_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["what"], condition=Q(ended_at__isnull=True), name="hold_one_at_a_time")
        ]

    def __str__(self) -> str:
        return f"hold of {self.get_what_display()}"


class DeskTask(models.Model):
    """Something a human must do that is no case of its own: a contact without address, a feed that fell silent."""

    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=200, help_text="What it is about; one open task of a kind and key")
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True, default="")
    url = models.CharField(max_length=300, blank=True, default="", help_text="Where it is done: a page of the desk")
    case = models.ForeignKey(Case, null=True, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False,
        help_text="Who is asked, as by an @name in a note; empty: whoever comes first",
    )  # fmt: skip
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=150)
    due_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], condition=Q(done_at__isnull=True), name="task_open_once")
        ]
        indexes = [
            models.Index(fields=["-id"], name="task_open", condition=Q(done_at__isnull=True)),
            models.Index(fields=["case"], name="task_case", condition=Q(case__isnull=False)),
            models.Index(fields=["to"], name="task_to", condition=Q(to__isnull=False, done_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.title
