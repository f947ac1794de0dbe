from __future__ import annotations

from django.db import models
from django.db.models import Q

from complaints.models.cases import Case


class CaseChange(models.Model):
    """What a person did with whole cases: merged, split, moved complaints, linked. With all that undoing it needs.

    The rows are never deleted; an undone one says so. Verbs: cases/regrouping.py and cases/undoing.py.
    """

    class Kind(models.TextChoices):
        MERGE = "merge", "merged into"
        SPLIT = "split", "split off as"
        MOVE = "move", "complaints moved to"
        LINK = "link", "made a part of"
        UNLINK = "unlink", "no longer a part of"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    from_case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="changes_from", db_index=False)
    to_case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="changes_to", db_index=False)
    complaints = models.JSONField(default=list, help_text="Ids of the complaints that went from the one to the other")
    before = models.JSONField(
        default=dict, help_text="What else was changed, as it stood: columns of from_case, and rows that went along"
    )
    from_stay = models.PositiveIntegerField(help_text="Case.stay after it was done: while it stands, it can be undone")
    to_stay = models.PositiveIntegerField()
    reason = models.CharField(max_length=500, blank=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["from_case", "-id"], name="case_change_from"),
            models.Index(fields=["to_case", "-id"], name="case_change_to"),
        ]
        constraints = [models.CheckConstraint(condition=~Q(from_case=models.F("to_case")), name="case_change_of_two")]

    def __str__(self) -> str:
        return f"{self.from_case_id} {self.get_kind_display()} {self.to_case_id}"
