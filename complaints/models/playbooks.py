from __future__ import annotations

from django.db import models
from django.db.models import Q


class PlaybookVersion(models.Model):
    """One version of a playbook. A running case keeps the version it began with."""

    class State(models.TextChoices):
        DRAFT = "draft"
        ACTIVE = "active"
        DRAINING = "draining"

    name = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    document = models.JSONField(help_text="The steps, as complaints/playbooks/schedule.py reads them")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    activated_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    activated_at = models.DateTimeField(null=True)
    seconded_by = models.CharField(
        max_length=150,
        blank=True,
        default="",
        db_default="",
        help_text="A second person: without one its steps suspend nobody",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="playbook_version_once"),
            models.UniqueConstraint(fields=["name"], condition=Q(state="active"), name="playbook_one_active"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"
