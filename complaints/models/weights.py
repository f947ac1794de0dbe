from __future__ import annotations

from django.db import models


class PriorityWeights(models.Model):
    """One version of what makes a case urgent. The one with the highest number holds; none is ever changed."""

    number = models.PositiveIntegerField(unique=True)
    document = models.JSONField(help_text="{name: points}, as complaints/cases/weights.py reads them")
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    upto = models.BigIntegerField(default=0, help_text="Open cases up to this id were weighed by it")
    finished_at = models.DateTimeField(null=True, help_text="When the last open case had been weighed by it")

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"weights v{self.number}"
