from __future__ import annotations

from django.db import models

from complaints.models.customers import Contract


class OffenderCount(models.Model):
    """One counting of the repeat offenders of the last so many days; a younger one takes its place."""

    days = models.PositiveSmallIntegerField(primary_key=True, help_text="The period ends with the counting")
    since = models.DateTimeField(help_text="Midnight of the first day, in the desk's zone")
    counted_at = models.DateTimeField(help_text="What happened later is not in it")
    took_s = models.FloatField(help_text="How long the counting took: one that takes long is done less often")

    def __str__(self) -> str:
        return f"offenders of {self.days} days, counted {self.counted_at:%Y-%m-%d %H:%M}"


class Offender(models.Model):
    """A contract that stands among the first of some column of a counting, with what was counted of it.

    The columns are those of complaints/reporting/offenders.py.
    """

    count = models.ForeignKey(OffenderCount, on_delete=models.CASCADE, related_name="rows", db_index=False)
    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="+", db_index=False)
    relapses = models.PositiveIntegerField(help_text="Cases opened in the period after one of their kind was closed")
    cases = models.PositiveIntegerField(help_text="Cases opened in the period")
    complaints = models.PositiveIntegerField(help_text="Complaints about abuse seen in the period")
    categories = models.PositiveIntegerField(help_text="Distinct kinds of abuse complained about in the period")
    last_seen = models.DateTimeField(null=True, help_text="The youngest abuse complained about in the period")
    open_now = models.PositiveIntegerField(help_text="Cases open at the counting, whenever they began")
    closed_fixed = models.PositiveIntegerField(help_text="Cases closed as fixed in the period")
    closed_silent = models.PositiveIntegerField(help_text="Cases closed without any response in the period")
    hours_to_fix = models.FloatField(null=True, help_text="Median of the cases fixed in the period")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["count", "contract"], name="offender_once")]
        indexes = [models.Index(fields=["contract"], name="offender_contract")]

    def __str__(self) -> str:
        return f"offender {self.contract_id}"
