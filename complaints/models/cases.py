from __future__ import annotations

import re
from enum import StrEnum

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from complaints.models.customers import Contract, Product
from complaints.models.playbooks import PlaybookVersion
from complaints.vocabulary import CaseState, Category, Cause, CustomerStatus, EventKind, Resolution


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ")) for member in kind]


NUMBER = re.compile(r"([1-9]\d{3})-0*(\d{1,15})", re.ASCII)  # Case.number


class CaseQuerySet(models.QuerySet["Case"]):
    def active(self) -> CaseQuerySet:
        return self.exclude(state=CaseState.CLOSED)

    def numbered(self, number: str) -> CaseQuerySet:
        """The case of a number such as "2026-00012"; nothing for what is no case number, however odd."""
        found = NUMBER.fullmatch(number)
        return self.filter(pk=int(found[2]), opened_at__year=int(found[1])) if found else self.none()


class Case(models.Model):
    """What is wrong with one contract in one category, or one site or machine of it, until it is proven fixed."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="cases", db_index=False)
    category = models.CharField(max_length=20, choices=choices(Category))
    grouping = models.CharField(
        max_length=270, blank=True, db_default="", default="",
        help_text="What of the contract it is about, cases/grouping.py; empty: the contract as a whole",
    )  # fmt: skip
    address = models.BinaryField(max_length=16, help_text="The address of the first complaint")
    state = models.CharField(max_length=20, choices=choices(CaseState), default=CaseState.INVESTIGATING)
    state_since = models.DateTimeField()
    customer_status = models.CharField(max_length=20, choices=choices(CustomerStatus), default=CustomerStatus.NONE)
    resolution = models.CharField(max_length=30, choices=choices(Resolution), blank=True)
    owner = models.JSONField(default=dict, help_text="Customer, contract and contact as they were when it opened")
    confidence = models.FloatField(default=0, help_text="Of the attribution, the best of its complaints")

    cause = models.CharField(max_length=20, choices=choices(Cause), default=Cause.UNKNOWN)
    cause_confidence = models.FloatField(default=0)
    cause_reasons = models.JSONField(default=list)
    priority = models.PositiveSmallIntegerField(default=0)
    priority_reasons = models.JSONField(default=list, help_text="[[reason in words, points], …]")
    headline = models.CharField(max_length=300, blank=True, help_text="The one line of reason in the queue")

    opened_at = models.DateTimeField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(help_text="Time of the youngest abuse complained about")
    complaint_count = models.PositiveIntegerField(default=0)
    reporter_count = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True)
    relapse_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="relapses", db_index=False)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged", db_index=False,
        help_text="The case that it lives on in: what comes later for this one goes there",
    )  # fmt: skip
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="parts", db_index=False,
        help_text="The case that a person made this one a part of; its own life goes on",
    )  # fmt: skip
    ladder = models.PositiveSmallIntegerField(default=0, help_text="How many relapses before this one")

    playbook = models.ForeignKey(PlaybookVersion, null=True, on_delete=models.PROTECT, db_index=False)
    stay = models.PositiveIntegerField(default=1, help_text="Rises with every move: names the occurrence of each step")
    due_at = models.DateTimeField(null=True, help_text="When the machine looks at it next")
    deadline_at = models.DateTimeField(
        null=True, help_text="The promise: ours while we work, the customer's while they do"
    )
    fixed_claimed_at = models.DateTimeField(null=True)
    # The customer's clock (cases/clock.py): it stands still while a person reads their answer.
    turn = models.PositiveIntegerField(db_default=1, default=1, help_text="The stay in which the present turn began")
    clock_used_s = models.PositiveIntegerField(db_default=0, default=0, help_text="Of the turn, before this stay")
    clock_paused_in = models.CharField(max_length=20, blank=True, db_default="", default="")
    clock_left_s = models.PositiveIntegerField(null=True, help_text="Until the deadline, when the clock was stopped")
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    team = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="Who on the desk it was given to by a rule"
    )
    weighed = models.JSONField(null=True, help_text="What the priority was made from: other weights can be tried on it")

    objects = CaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "category", "grouping"],
                condition=~Q(state="closed"),
                name="case_one_active_a_grouping",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) & ~Q(resolution="")
                | ~Q(state="closed") & Q(closed_at__isnull=True, resolution=""),
                name="case_closed_has_resolution",
            ),
        ]
        indexes = [
            # Deadline and assignee are looked at in the index: who walks the queue for late cases opens few rows.
            models.Index(
                fields=["-priority", "id", "deadline_at", "assignee"],
                name="case_queue_open",
                condition=~Q(state="closed"),
            ),
            # The analysts' turn (cases/queue.py, DESK) as one walk in the queue's order.
            models.Index(
                fields=["-priority", "id", "assignee"],
                name="case_queue_desk",
                condition=Q(state__in=["triage", "answered"]),
            ),
            models.Index(fields=["state", "-priority", "id"], name="case_state"),
            # For who is restricted to networks: their open cases, and the contracts that ever had one there.
            models.Index(fields=["address"], name="case_place_open", condition=~Q(state="closed")),
            models.Index(fields=["address", "contract"], name="case_place"),
            models.Index(fields=["due_at"], name="case_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["deadline_at"], name="case_deadline", condition=Q(deadline_at__isnull=False)),
            models.Index(fields=["contract", "opened_at"], name="case_contract"),
            models.Index(fields=["assignee", "-priority", "id"], name="case_assignee", condition=~Q(state="closed")),
            models.Index(fields=["cause", "-priority", "id"], name="case_cause", condition=~Q(state="closed")),
            models.Index(fields=["category", "-priority", "id"], name="case_category", condition=~Q(state="closed")),
            models.Index(fields=["merged_into"], name="case_merged", condition=Q(merged_into__isnull=False)),
            models.Index(fields=["parent"], name="case_parts", condition=Q(parent__isnull=False)),
            models.Index(fields=["playbook"], name="case_open_by_playbook", condition=~Q(state="closed")),
        ]

    def __str__(self) -> str:
        return self.number

    @cached_property
    def product(self) -> Product | None:
        """As the administrator describes it: how gently the line is treated. Looked up once for this object."""
        name = self.owner.get("product")
        return Product.objects.filter(name=name).first() if name else None

    @property
    def number(self) -> str:
        return f"{self.opened_at.year}-{self.pk:05d}"

    @property
    def lives_on(self) -> Case:
        """Where everything about it goes: the case that it was merged into, or itself."""
        return self.merged_into or self

    @property
    def address_text(self) -> str:
        from complaints.addresses import address_text

        return address_text(self.address)


class CaseEvent(models.Model):
    """One line of a case's history: who, when, what. Written once, never changed."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=choices(EventKind))
    actor = models.CharField(max_length=150, help_text="A user name, customer, machine")
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["case", "at", "id"], name="event_order")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"
