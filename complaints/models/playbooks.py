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
    revision = models.PositiveIntegerField(
        default=1, db_default=1, help_text="Rises with every change of a draft: who saves an older page is told"
    )
    changed_at = models.DateTimeField(null=True, help_text="Of a draft, the last time")
    changed_by = models.CharField(max_length=150, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="playbook_version_once"),
            models.UniqueConstraint(fields=["name"], condition=Q(state="active"), name="playbook_one_active"),
            models.UniqueConstraint(fields=["name"], condition=Q(state="draft"), name="playbook_one_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"


class PlaybookChange(models.Model):
    """Who did what to a version of a playbook. Written once; it outlives a draft that was thrown away."""

    class What(models.TextChoices):
        DRAFTED = "drafted"
        CHANGED = "changed"
        SECONDED = "seconded"
        ACTIVATED = "activated"
        RETIRED = "retired"  # drains without a successor
        DISCARDED = "discarded"

    name = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    what = models.CharField(max_length=10, choices=What.choices)
    text = models.CharField(max_length=500, blank=True, default="", help_text="What was changed, in words")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["name", "-id"], name="playbook_change")]

    def __str__(self) -> str:
        return f"{self.name} v{self.number} {self.what}"
