from __future__ import annotations

from django.conf import settings
from django.db import models


class Rule(models.Model):
    """What is done with complaints of a kind, before a case is opened for them. The first that fits decides.

    Nothing is lost by a rule: what it ignores or holds is filed without a case, found by it, and can be filed later.
    """

    class Kind(models.TextChoices):
        IGNORE = "ignore", "open no case"
        ALLOW = "allow", "no later rule applies"
        THRESHOLD = "threshold", "open a case only from a number on"
        ROUTE = "route", "give new cases to a team or a person"

    position = models.PositiveIntegerField(help_text="The order in which rules are asked; equal ones by id")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=120)
    reason = models.CharField(max_length=500, help_text="Why, for whoever asks a year later")
    conditions = models.JSONField(default=dict, help_text="{what: [values]}: one value of each must fit")
    until = models.DateTimeField(null=True, blank=True, help_text="From then on it decides nothing")
    active = models.BooleanField(default=False)
    complaints = models.PositiveIntegerField(default=0, help_text="Threshold: so many complaints; 0: any number")
    reporters = models.PositiveIntegerField(default=0, help_text="Threshold: so many reporters; 0: any number")
    days = models.PositiveSmallIntegerField(default=0, help_text="Threshold: within so many days")
    team = models.CharField(max_length=60, blank=True, default="", help_text="Route: to whom, in a word")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="rules",
        help_text="Route: the person who gets the new cases",
    )  # fmt: skip
    revision = models.PositiveIntegerField(default=1, help_text="Rises with every change: an older page is refused")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class RuleChange(models.Model):
    """Who did what to a rule, and why. Written once."""

    class What(models.TextChoices):
        ADDED = "added"
        CHANGED = "changed"
        MOVED = "moved"
        ACTIVATED = "activated"
        DEACTIVATED = "deactivated"
        FILED = "filed"  # what it had kept out of the cases was filed after all

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="changes", db_index=False)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    what = models.CharField(max_length=12, choices=What.choices)
    text = models.CharField(max_length=500, blank=True, help_text="Why, or what came of it")
    document = models.JSONField(default=dict, help_text="The rule as it was after that")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["rule", "-id"], name="rule_change")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.what}"
